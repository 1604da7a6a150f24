//! New identifiers: none was ever given before.

use aws_lc_rs::rand;
use data_encoding::HEXLOWER;

use super::state::State;
use crate::hsm::Identity;
use crate::hsmd::making::init::{Names, identity};
use crate::service::failure::Failure;
use crate::service::shapes::names::HsmId;
use crate::service::shapes::text::{Kind, Text};

/// An id such as `cluster-` and eleven letters and digits.
pub(super) fn fresh<K: Kind>(state: &State, prefix: &str) -> Result<Text<K>, Failure> {
    loop {
        let identity = identity(Names::Random, 0).map_err(Failure::internal)?;
        let letters = identity.hsm_id.trim_start_matches("hsm-");
        let id = Text::parse(&format!("{prefix}{letters}")).map_err(Failure::internal)?;
        if !state.used.contains(id.as_str()) {
            return Ok(id);
        }
    }
}

/// A new HSM, and its id.
pub(super) fn fresh_hsm(state: &State, node_id: u32) -> Result<(HsmId, Identity), Failure> {
    loop {
        let identity = identity(Names::Random, node_id).map_err(Failure::internal)?;
        let id = HsmId::parse(&identity.hsm_id).map_err(Failure::internal)?;
        if !state.used.contains(id.as_str()) {
            return Ok((id, identity));
        }
    }
}

/// An id of EC2's, such as `eni-` and 17 digits.
pub(super) fn fresh_hex(state: &State, prefix: &str) -> Result<String, Failure> {
    loop {
        let mut random = [0; 9];
        rand::fill(&mut random).map_err(|_| Failure::internal("no random numbers"))?;
        let digits = HEXLOWER.encode(&random);
        let id = format!("{prefix}{}", digits.get(1..).unwrap_or_default());
        if !state.used.contains(&id) {
            return Ok(id);
        }
    }
}
