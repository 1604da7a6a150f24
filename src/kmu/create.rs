//! Making a token key on one HSM and copying it to the others.
//!
//! The HSMs of a cluster do not talk to each other; the client coordinates them. One HSM makes the key and assigns a
//! handle, which no other HSM can assign because it contains the node id. Then the key leaves that HSM as a masked
//! object, encrypted for the clone family, and all other HSMs insert it at once, under the same handle. Copies go only
//! this way, so what the other HSMs hold cannot change the key on the HSM that made it.
//!
//! An HSM that is not reached, or that does not have the key's owner, does not get the key. The key is kept if at least
//! the *minimum* of nodes holds it (`create_object_minimum_nodes`, or `-min_srv`): the status block shows which do not,
//! and the command counts as failed, so that a script's exit code is 1. If fewer than the minimum hold it, it is deleted
//! from all nodes that inserted it. Only what this command made is deleted: a node where another key has the handle keeps
//! that key.

use std::collections::BTreeMap;

use super::attest::{AsExpected, Verdict, attest};
use super::frame::{line, returned, status};
use super::session::states;
use super::spread::{Minimum, OnNode, Spread, spread_until};
use super::stop::ended;
use super::{Code, Printed, Session, State, Stop};
use crate::cluster::{Failure, Question};
use crate::protocol::key::{DeleteKey, KeyHandle};
use crate::protocol::{Operation, Refusal};

/// How far a new key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It stays on the HSM that makes it: a session key.
    OneNode,
    /// To every node, and to at least some of them.
    AllNodes(Minimum),
}

/// How a new key is reported.
#[derive(Clone, Copy)]
pub(super) struct Report {
    /// The name in the result line.
    pub(super) call: &'static str,
    /// The text that follows that line if the key is kept.
    pub(super) details: fn(&[KeyHandle]) -> String,
}

/// What a new key needs to be kept.
pub(super) struct Conditions<'a> {
    pub(super) reach: Reach,
    /// What the HSMs have to prove of it, with `-attest`.
    pub(super) attested: Option<AsExpected<'a>>,
}

/// Makes a key or a pair with this operation, on one of these nodes, and returns the text to print.
pub(super) fn create<O: Operation>(
    session: &mut Session<'_>,
    makers: &[usize],
    operation: O,
    handles: fn(&O::Reply) -> Vec<KeyHandle>,
    conditions: &Conditions<'_>,
    Report { call, details }: Report,
) -> Printed {
    let (maker, reply) = make_on_one(session, makers, operation).map_err(|states| not_made(call, &states))?;
    let handles = handles(&reply);
    let spread = match conditions.reach {
        Reach::OneNode => Spread::only(maker, &handles),
        Reach::AllNodes(minimum) => spread_until(session, maker, &handles, minimum),
    };
    match conditions.reach {
        Reach::AllNodes(minimum) if !spread.reaches(minimum) => {
            Err(give_up(session, call, &spread, minimum.nodes))
        }
        Reach::AllNodes(_) | Reach::OneNode => {
            let (states, holders) = (spread.states(), spread.holders());
            let verdict = conditions.attested.map(|expected| attest(session, &holders, &handles, expected));
            let attested = verdict.map(Verdict::line).unwrap_or_default();
            let text = returned(call, Code::SUCCESS) + &details(&handles) + &attested + &status(&states);
            // The result is the original's: the key is there. But a script must learn that a node lacks it, or that
            // there is no proof.
            match verdict {
                Some(Verdict::Fail) => Err(Stop::Failed(text)),
                Some(Verdict::Pass) | None => ended(Code::of_all(&states), text),
            }
        }
    }
}

fn not_made(call: &str, states: &[State]) -> Stop {
    let mut text = returned(call, Code::of_none(states)) + &status(states);
    for (node, _) in states.iter().filter(|(_, code)| *code == Code::UNKNOWN_OUTCOME) {
        text.push_str(&line(&format!(
            "If node id {node} did this, findKey lists a key that no other node has"
        )));
    }
    Stop::Failed(text)
}

/// Asks one of these nodes after another until one does it. A refusal ends the search, because the other nodes would
/// refuse, too. So does a lost answer, because a second node might make a second key.
pub(super) fn make_on_one<O: Operation>(
    session: &mut Session<'_>,
    makers: &[usize],
    operation: O,
) -> Result<(usize, O::Reply), Vec<State>> {
    let question = Question::new(operation).map_err(|_| vec![(0, Refusal::InvalidInput.into())])?;
    let mut failed = Vec::new();
    for node in makers {
        for (node, answer) in session.ask(&[*node], &question) {
            let code = Code::of(&answer);
            match answer {
                Ok(reply) => return Ok((node, reply)),
                Err(Failure::NotReached(_) | Failure::Limited) => failed.push((node, code)),
                Err(Failure::Interrupted | Failure::NoAnswer(_) | Failure::Refused(_)) => {
                    return Err(vec![(node, code)]);
                }
            }
        }
    }
    Err(failed)
}

/// All nodes, in the order of asking. A node that was reconnected has no login, and its refusal would end the search,
/// so the nodes with a login come first.
pub(super) fn candidates(session: &Session<'_>) -> Vec<usize> {
    let is_logged_in =
        |node: &usize| session.cluster.servers().get(*node).is_some_and(|server| server.login().is_some());
    let (mut first, last): (Vec<_>, Vec<_>) = session.everywhere().into_iter().partition(is_logged_in);
    first.extend(last);
    first
}

/// Deletes the copies that were made, and reports it.
fn give_up(session: &mut Session<'_>, call: &str, spread: &Spread, minimum: usize) -> Stop {
    // An interrupt may have ended the copying. It must not end the deleting, too: copies would stay behind on some
    // nodes.
    session.interrupt.clear();
    let states = spread.states();
    // Printed before the deleting, which may have to wait for nodes.
    session.print(&format!(
        "{}{}{}{}",
        returned(call, Code::of_all(&states)),
        status(&states),
        line(&format!("Couldn't verify key sync on {minimum} servers")),
        line("Rolling back"),
    ));
    let (states, left) = remove(session, spread.made());
    let mut text = returned("DeleteKey", Code::of_all(&states)) + &status(&states);
    for (node, handle) in left {
        text.push_str(&line(&format!(
            "Key handle {handle} may be left on node id {node}; deleteKey -k {handle} removes it"
        )));
    }
    Stop::Failed(text)
}

/// The state of each node, and the copies that may be left.
fn remove(session: &mut Session<'_>, made: &[OnNode]) -> (Vec<State>, Vec<OnNode>) {
    let (mut worst, mut left) = (BTreeMap::new(), Vec::new());
    for (node, handle) in made {
        for (node, code) in states(&session.perform(&[*node], DeleteKey { handle: *handle })) {
            // The handle is invalid where a copy was only feared to have been made.
            let is_gone = code == Code::SUCCESS || code == Refusal::InvalidHandle.into();
            let worst = worst.entry(node).or_insert(Code::SUCCESS);
            if !is_gone {
                *worst = code;
                left.push((node, *handle));
            }
        }
    }
    (worst.into_iter().collect(), left)
}
