//! Second factors: digests for one session, one user and one purpose, and their signatures.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::public_key::PublicKey;
use super::quorum::QuorumKey;
use super::{Env, Event, Hsm, No, SessionId, User, UserName, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::second_factor::{Digest, GetDigest, NewSecondFactor, Purpose, SignedDigests};
use crate::protocol::user::{UserId, UserType};

/// What sessions have been given to sign, one each.
pub(super) type Challenges = BTreeMap<SessionId, Challenge>;

/// Something to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    purpose: Purpose,
    /// Hashed, it is what is signed.
    message: Vec<u8>,
    digest: Digest,
}

/// What the messages begin with, so that no signature of one is a signature of anything else.
const MAGIC: &[u8; 8] = b"CHSM2FA1";

impl Challenge {
    fn new(hsm_id: &str, op: &GetDigest, random: &[u8; 32]) -> Self {
        let user = format!("{hsm_id};{:?};{};{};", op.purpose, op.user_type, op.name.to_ascii_lowercase());
        let message = [MAGIC.as_slice(), random, user.as_bytes()].concat();
        let hash = digest(&SHA256, &message);
        let digest = Digest(<[u8; 32]>::try_from(hash.as_ref()).unwrap_or_default());
        Self { purpose: op.purpose, message, digest }
    }

    /// Whether it was given for this user.
    fn is_about(&self, hsm_id: &str, user_type: UserType, name: &str) -> bool {
        let op = GetDigest { purpose: self.purpose, user_type, name: name.to_owned() };
        let random = self.message.get(MAGIC.len()..).and_then(<[u8]>::first_chunk::<32>);
        random.is_some_and(|random| Self::new(hsm_id, &op, random) == *self)
    }
}

impl Hsm {
    /// Everybody may ask, before the login and for any name: a digest tells nothing, and is good for nothing alone.
    pub(super) fn get_digest(
        &self,
        op: &GetDigest,
        caller: SessionId,
        env: &Env<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Digest, No> {
        let is_login = op.purpose == Purpose::Login;
        if !is_login && !matches!(op.user_type, UserType::Co | UserType::PreCo) {
            return Err(Refusal::SecondFactorForOfficers.into());
        }
        if op.name.len() > UserName::MAX {
            return Err(Refusal::InvalidInput.into());
        }
        let Some(Worked::Random(random)) = env.worked else { return Err(No::Needs(Work::Random)) };
        let challenge = Challenge::new(&self.identity.hsm_id, op, random);
        let digest = challenge.digest;
        events.push(Event::ChallengeGiven { session: caller, challenge });
        Ok(digest)
    }

    /// The key of a new second factor, if whoever sets it has the private key; `None` if there is to be none.
    pub(super) fn new_second_factor(
        &self,
        new: Option<&NewSecondFactor>,
        purpose: Purpose,
        user_type: UserType,
        name: &str,
        caller: SessionId,
    ) -> Result<Option<QuorumKey>, Refusal> {
        let Some(new) = new else { return Ok(None) };
        if !matches!(user_type, UserType::Co | UserType::PreCo) {
            return Err(Refusal::SecondFactorForOfficers);
        }
        let user = self.find_user(user_type, name).ok().map(|(id, _)| id);
        let public_key = self.key_for(user, &new.public_key)?;
        self.must_be_signed(&new.signed, &public_key, purpose, (user_type, name), caller)?;
        Ok(Some(QuorumKey { public_key, is_second_factor: true }))
    }

    /// Refuses a login without the second factor that its user has.
    pub(super) fn must_have_second_factor(
        &self,
        (id, user): (UserId, &User),
        signed: Option<&SignedDigests>,
        caller: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let Some(key) = user.quorum_key.as_ref().filter(|key| key.is_second_factor) else { return Ok(()) };
        // Before the password is looked at, so that nobody learns whether it is right.
        let signed = signed.ok_or(Refusal::SecondFactorMissing)?;
        let about = (user.user_type, user.name.as_str());
        let checked = self.must_be_signed(signed, &key.public_key, Purpose::Login, about, caller);
        if checked == Err(Refusal::SignatureInvalid) {
            events.push(Event::LoginFailed(id));
        }
        checked
    }

    fn must_be_signed(
        &self,
        signed: &SignedDigests,
        key: &PublicKey,
        purpose: Purpose,
        (user_type, name): (UserType, &str),
        caller: SessionId,
    ) -> Result<(), Refusal> {
        let given = self.challenges.get(&caller).filter(|given| {
            given.purpose == purpose && given.is_about(&self.identity.hsm_id, user_type, name)
        });
        let given = given.ok_or(Refusal::DigestUnknown)?;
        let signature = signed.0.iter().find(|(digest, _)| *digest == given.digest);
        let (_, signature) = signature.ok_or(Refusal::DigestUnsigned)?;
        if key.verifies(&given.message, signature) { Ok(()) } else { Err(Refusal::SignatureInvalid) }
    }
}
