//! Second factors: digests for one session, one user and one purpose, and their signatures.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::hash::sha256;
use super::public_key::PublicKey;
use super::quorum::QuorumKey;
use super::{Case, Decide, Decided, Event, Hsm, No, Ruling, SessionId, User, UserName, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::second_factor::{Digest, GetDigest, NewSecondFactor, Purpose, SignedDigests};
use crate::protocol::user::{UserId, UserType};

/// What sessions have to sign, one each. Copies of an HSM share what is in here.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Challenges {
    given: OrdMap<SessionId, (u64, Challenge)>,
    /// The sessions by the number of their challenge, so that the oldest comes first.
    order: OrdMap<u64, SessionId>,
    next: u64,
}

/// As many as there can be connections: what strangers ask for costs nobody else a challenge.
const MAX: usize = 10_000;

/// Something to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    purpose: Purpose,
    /// Its hash is what is signed.
    message: Vec<u8>,
    digest: Digest,
}

/// What the messages begin with, so that no signature of one is a signature of anything else.
const MAGIC: &[u8; 8] = b"CHSM2FA1";

impl Challenge {
    fn new(hsm_id: &str, op: &GetDigest, random: &[u8; 32]) -> Self {
        let user = format!("{hsm_id};{:?};{};{};", op.purpose, op.user_type, op.name.to_ascii_lowercase());
        let message = [MAGIC.as_slice(), random, user.as_bytes()].concat();
        Self { purpose: op.purpose, digest: Digest(sha256(&message)), message }
    }

    /// Whether it was given for this user.
    fn is_about(&self, hsm_id: &str, user_type: UserType, name: &str) -> bool {
        let op = GetDigest { purpose: self.purpose, user_type, name: name.to_owned() };
        let random = self.message.get(MAGIC.len()..).and_then(<[u8]>::first_chunk::<32>);
        random.is_some_and(|random| Self::new(hsm_id, &op, random) == *self)
    }
}

impl Challenges {
    /// An earlier one of the session becomes void; of too many, the oldest is dropped.
    pub(super) fn give(&mut self, session: SessionId, challenge: Challenge) {
        self.remove(session);
        if self.given.len() >= MAX
            && let Some((_, oldest)) = self.order.get_min().copied()
        {
            self.remove(oldest);
        }
        self.given.insert(session, (self.next, challenge));
        self.order.insert(self.next, session);
        self.next = self.next.saturating_add(1);
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        if let Some((number, _)) = self.given.remove(&session) {
            self.order.remove(&number);
        }
    }

    fn get(&self, session: SessionId) -> Option<&Challenge> {
        self.given.get(&session).map(|(_, challenge)| challenge)
    }
}

/// Anyone may ask, before the login and for any name: a digest reveals nothing, and is good for nothing by itself.
impl Decide for GetDigest {
    fn decide(&self, case: &Case<'_>) -> Ruling<Digest> {
        if self.purpose != Purpose::Login {
            must_be_officer(self.user_type)?;
        }
        if self.name.len() > UserName::MAX {
            return Err(Refusal::InvalidInput.into());
        }
        let Some(Worked::Random(random)) = case.env.worked else { return Err(No::Needs(Work::Random)) };
        let challenge = Challenge::new(&case.hsm.identity.hsm_id, self, random);
        let digest = challenge.digest;
        Ok(Decided::new(digest, vec![Event::ChallengeGiven { session: case.caller, challenge }]))
    }
}

impl Case<'_> {
    /// The key of a new second factor, if whoever sets it has the private key; `None` if none is set.
    pub(super) fn new_second_factor(
        &self,
        new: Option<&NewSecondFactor>,
        purpose: Purpose,
        about: (UserType, &str),
    ) -> Result<Option<QuorumKey>, Refusal> {
        let Some(new) = new else { return Ok(None) };
        let (user_type, name) = about;
        must_be_officer(user_type)?;
        let user = self.hsm.find_user(user_type, name).ok().map(|(id, _)| id);
        let public_key = self.hsm.key_for(user, &new.public_key)?;
        self.must_be_signed(&new.signed, &public_key, purpose, about)?;
        Ok(Some(QuorumKey { public_key, is_second_factor: true }))
    }

    /// Refuses a login without the second factor that its user has. This comes before the password, so that nobody
    /// without the key learns whether a password is right.
    pub(super) fn must_have_second_factor(
        &self,
        (id, user): (UserId, &User),
        signed: Option<&SignedDigests>,
    ) -> Result<(), No> {
        let Some(key) = user.second_factor() else { return Ok(()) };
        let signed = signed.ok_or(Refusal::SecondFactorMissing)?;
        let about = (user.user_type, user.name.as_str());
        match self.must_be_signed(signed, &key.public_key, Purpose::Login, about) {
            // A guess, as a wrong password is; the other refusals are of logins that brought no signature to try.
            Err(refusal @ Refusal::SignatureInvalid) => Err(No::LoginFailed(id, refusal)),
            checked => Ok(checked?),
        }
    }

    fn must_be_signed(
        &self,
        signed: &SignedDigests,
        key: &PublicKey,
        purpose: Purpose,
        (user_type, name): (UserType, &str),
    ) -> Result<(), Refusal> {
        let Hsm { identity, challenges, .. } = self.hsm;
        let given = challenges
            .get(self.caller)
            .filter(|given| given.purpose == purpose && given.is_about(&identity.hsm_id, user_type, name));
        let given = given.ok_or(Refusal::DigestUnknown)?;
        let signature = signed.0.iter().find(|(digest, _)| *digest == given.digest);
        let (_, signature) = signature.ok_or(Refusal::DigestUnsigned)?;
        if key.verifies(&given.message, signature) { Ok(()) } else { Err(Refusal::SignatureInvalid) }
    }
}

/// A PRECO counts: the change of password that makes it a CO can set a second factor.
fn must_be_officer(user_type: UserType) -> Result<(), Refusal> {
    match user_type {
        UserType::Co | UserType::PreCo => Ok(()),
        UserType::Unknown | UserType::Cu | UserType::Au => Err(Refusal::SecondFactorForOfficers),
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Challenges, GetDigest, MAX, Purpose};
    use crate::hsm::SessionId;
    use crate::protocol::user::UserType;

    #[test]
    fn of_too_many_the_oldest_is_dropped() {
        let op = GetDigest { purpose: Purpose::Login, user_type: UserType::Co, name: "admin".to_owned() };
        let challenge = Challenge::new("hsm-1", &op, &[0; 32]);
        let mut challenges = Challenges::default();
        let last = u32::try_from(MAX).unwrap();
        (0..last).for_each(|session| challenges.give(SessionId(session), challenge.clone()));
        // The second one of a session costs no other session its own.
        challenges.give(SessionId(0), challenge.clone());
        challenges.give(SessionId(last), challenge.clone());
        assert_eq!(challenges.given.len(), MAX);
        assert!(challenges.get(SessionId(0)).is_some() && challenges.get(SessionId(1)).is_none());
        challenges.remove(SessionId(2));
        assert_eq!((challenges.given.len(), challenges.order.len()), (MAX - 1, MAX - 1));
    }
}
