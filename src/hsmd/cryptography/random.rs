//! Random numbers for the crates of RustCrypto.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use rsa::rand_core::{TryCryptoRng, TryRng};

/// The generator that all keys come from.
pub(super) struct Random;

impl TryRng for Random {
    type Error = Unspecified;

    fn try_next_u32(&mut self) -> Result<u32, Unspecified> {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Unspecified> {
        let mut bytes = [0; 8];
        rand::fill(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Unspecified> {
        rand::fill(bytes)
    }
}

impl TryCryptoRng for Random {}
