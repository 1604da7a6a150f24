//! Result codes of calls and node states, with their texts.

use crate::cluster::Failure;
use crate::protocol::Refusal;

/// The result of a call, or of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

/// A node's number and its result.
pub type State = (usize, Code);

/// The codes that are not an HSM's refusal. Those from 0x30010000 do not exist in the original.
const TEXTS: &[(Code, &str)] = &[
    (Code::SUCCESS, "HSM Return: SUCCESS"),
    (Code::INVALID_USER_TYPE, "HSM Error: Invalid User Type."),
    (Code(0x1b), "CSP Error: ERR_BAD_PKCS_DATA"),
    (Code::NO_SUCH_USER, "HSM Error: user isn't initialized or user with this name doesn't exist"),
    (Code::INCOMPLETE, "HSM CLUSTER ERROR: The operation is incomplete on a part of the cluster"),
    (Code::UNAVAILABLE, "HSM CLUSTER ERROR: Server in cluster is unavailable"),
    (Code::WRONG_PASSWORD, "HSM Error: RET_USER_LOGIN_FAILURE"),
    (Code::UNKNOWN_OUTCOME, "HSM CLUSTER ERROR: No answer from the server; it may or may not have done this"),
    (Code::NOT_PROVED, "HSM CLUSTER ERROR: Server has not proved that it belongs to the cluster"),
    (Code::FOREIGN_TOKEN, "HSM CLUSTER ERROR: Server issued a token for something else; it is not written"),
];

impl Code {
    /// The node did what it was asked; or all nodes did.
    pub const SUCCESS: Self = Self(0);
    /// The user type may not log in with this tool.
    pub const INVALID_USER_TYPE: Self = Self(0xdb);
    /// The node has no such user.
    pub const NO_SUCH_USER: Self = Self(0x9d);
    /// Some nodes did it and others did not.
    pub const INCOMPLETE: Self = Self(0x3000_0080);
    /// The node was not reached; nothing happened there.
    pub const UNAVAILABLE: Self = Self(0x3000_0085);
    /// The original's client returns this when an HSM refuses a login with 0xa3.
    pub const WRONG_PASSWORD: Self = Self(0x4000_0049);
    /// The node was asked to make a change and did not answer.
    pub const UNKNOWN_OUTCOME: Self = Self(0x3001_0001);
    /// The node is in limited commands mode: only public questions are sent to it.
    pub const NOT_PROVED: Self = Self(0x3001_0002);
    /// The node issued a token that nobody asked for. Nobody must sign it.
    pub const FOREIGN_TOKEN: Self = Self(0x3001_0003);

    /// The code of a node's answer.
    pub fn of<R>(answer: &Result<R, Failure>) -> Self {
        match answer {
            Ok(_) => Self::SUCCESS,
            Err(Failure::Refused(refusal)) => refusal.into(),
            // The original has no code for an interrupt; nothing happened there either.
            Err(Failure::NotReached(_) | Failure::Interrupted) => Self::UNAVAILABLE,
            Err(Failure::NoAnswer(_)) => Self::UNKNOWN_OUTCOME,
            Err(Failure::Limited) => Self::NOT_PROVED,
        }
    }

    /// The code's text; `None` for an unknown code.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        let own = TEXTS.iter().find(|(code, _)| *code == self).map(|(_, text)| *text);
        let refusal = || Refusal::ALL.iter().find(|refusal| refusal.code() == self.0);
        own.or_else(|| refusal().map(|refusal| refusal.text()))
    }

    /// The code's text, or that it has none.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.text().unwrap_or("Unknown error code")
    }

    /// The result of a change that all of these nodes should have made.
    #[must_use]
    pub fn of_all(states: &[State]) -> Self {
        if states.iter().all(|(_, code)| *code == Self::SUCCESS) && !states.is_empty() {
            Self::SUCCESS
        } else if states.iter().any(|(_, code)| *code == Self::SUCCESS) {
            Self::INCOMPLETE
        } else {
            Self::of_none(states)
        }
    }

    /// The result of a call that failed on all of these nodes: a refusal, if there is one, says more than an HSM that
    /// was not reached.
    #[must_use]
    pub fn of_none(states: &[State]) -> Self {
        let codes = || states.iter().map(|(_, code)| *code).filter(|code| *code != Self::SUCCESS);
        codes().find(|code| !code.is_of_cluster()).or(codes().next()).unwrap_or(Self::UNAVAILABLE)
    }

    /// Whether the code describes the state of a node, not the answer to the request.
    #[must_use]
    pub fn is_of_cluster(self) -> bool {
        // The original numbers the states of cluster and nodes from 0x30000000.
        self.0 >> 28 == 3
    }
}

impl From<Refusal> for Code {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.code())
    }
}

impl From<&Refusal> for Code {
    fn from(refusal: &Refusal) -> Self {
        Self(refusal.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use crate::protocol::Refusal;

    #[test]
    fn every_refusal_has_its_words_and_0xdb_this_tools() {
        for refusal in Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::InvalidUserType) {
            assert_eq!(Code::from(refusal).text(), Some(refusal.text()));
        }
        assert_eq!(Code::from(Refusal::InvalidUserType).text(), Some("HSM Error: Invalid User Type."));
        assert_eq!(Code(0x7777).text(), None);
    }

    #[test]
    fn a_refusal_outweighs_silence_and_a_success_makes_the_rest_incomplete() {
        let refused = Code::from(Refusal::KeyAccessDenied);
        assert_eq!(Code::of_all(&[(0, Code::UNAVAILABLE), (1, refused)]), refused);
        assert_eq!(Code::of_all(&[(0, Code::SUCCESS), (1, refused)]), Code::INCOMPLETE);
        assert_eq!(Code::of_all(&[(0, Code::SUCCESS)]), Code::SUCCESS);
        assert_eq!(Code::of_all(&[]), Code::UNAVAILABLE);
    }
}
