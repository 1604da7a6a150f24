//! The rule for attestation.

use super::{Case, Decide, Decided, No, Ruling, Work, Worked};
use crate::protocol::Refusal;
use crate::protocol::attestation::{Attest, Attestation, MAX_ATTESTED, Statement};

impl Decide for Attest {
    fn decide(&self, case: &Case<'_>) -> Ruling<Attestation> {
        if !(1..=MAX_ATTESTED).contains(&self.handles.len()) {
            return Err(Refusal::InvalidInput.into());
        }
        let attributes = |handle| Ok((handle, case.usable_key(handle)?.attributes.clone()));
        let keys = self.handles.iter().copied().map(attributes).collect::<Result<_, Refusal>>()?;
        let hsm_id = case.hsm.identity.hsm_id.clone();
        let statement = Statement { nonce: self.nonce, hsm_id, keys }.encode();
        match case.env.worked {
            Some(Worked::Attested { statement: signed, signature }) if *signed == statement => {
                Ok(Decided::read(Attestation { statement, signature: signature.clone() }))
            }
            _ => Err(No::Needs(Work::Attest(statement))),
        }
    }
}
