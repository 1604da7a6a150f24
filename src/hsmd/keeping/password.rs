//! Password hashing with Argon2id.

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize;

use super::settings::HashCost;
use crate::hsm::PasswordHash;
use crate::protocol::Secret;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher(Params);

/// The memory that one hash takes, to be used again. An allocator that had to find it each time would keep some of it
/// with every thread.
#[derive(Default)]
pub struct Memory(Vec<Block>);

/// Argon2 does not accept the parameters.
#[derive(Debug, thiserror::Error)]
#[error("password_hash: not a set of Argon2 parameters")]
pub struct BadCost;

impl Hasher {
    /// Hashes new passwords at this cost; to verify one, the cost its hash was made with counts.
    ///
    /// # Errors
    ///
    /// If Argon2 does not accept the parameters.
    pub fn new(cost: HashCost) -> Result<Self, BadCost> {
        let HashCost { memory_kib, iterations, parallelism } = cost;
        Params::new(memory_kib, iterations, parallelism, None).map(Self).map_err(|_| BadCost)
    }

    /// Hashes a password; `None` if there is not enough memory.
    #[must_use]
    pub fn hash(&self, password: &Secret, salt: &[u8; 16], memory: &mut Memory) -> Option<PasswordHash> {
        let salt = Salt::new(salt).ok()?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.0).ok()?,
            salt: Some(salt),
            hash: Some(memory.hash(Algorithm::Argon2id, Version::V0x13, &self.0, password, &salt)?),
        };
        Some(PasswordHash(hash.to_string()))
    }

    /// Whether the hash is this password's.
    #[must_use]
    pub fn matches(&self, hash: &PasswordHash, password: &Secret, memory: &mut Memory) -> bool {
        again(hash, password, memory).unwrap_or(false)
    }
}

/// Hashes a password as the one of this hash was; `None` if that is not possible.
fn again(hash: &PasswordHash, password: &Secret, memory: &mut Memory) -> Option<bool> {
    let hash = phc::PasswordHash::new(&hash.0).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let made = memory.hash(algorithm, version, &params, password, hash.salt.as_ref()?)?;
    // `Output` compares in constant time.
    Some(made == hash.hash?)
}

impl Memory {
    fn hash(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: &Params,
        password: &Secret,
        salt: &Salt,
    ) -> Option<Output> {
        let blocks = self.at_least(params.block_count())?;
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut bytes = [0; Output::MAX_LENGTH];
        let output = bytes.get_mut(..length)?;
        let argon2 = Argon2::new(algorithm, version, params.clone());
        let hashed =
            argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, output, &mut *blocks);
        blocks.iter_mut().for_each(Zeroize::zeroize);
        hashed.ok()?;
        Output::new(output).ok()
    }

    fn at_least(&mut self, blocks: usize) -> Option<&mut [Block]> {
        let missing = blocks.saturating_sub(self.0.len());
        self.0.try_reserve_exact(missing).ok()?;
        self.0.resize(self.0.len().max(blocks), Block::new());
        self.0.get_mut(..blocks)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

    use super::{Hasher, Memory};
    use crate::hsm::PasswordHash;
    use crate::hsmd::keeping::settings::HashCost;
    use crate::protocol::Secret;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn one_memory_serves_hashes_of_any_cost_and_is_wiped_after_each() {
        let mut memory = Memory::default();
        for memory_kib in [64, 8, 32] {
            let cost = HashCost { memory_kib, iterations: 1, parallelism: 1 };
            let hasher = Hasher::new(cost).unwrap();
            let hash = hasher.hash(&secret("password1"), &[7; 16], &mut memory).unwrap();
            assert!(hasher.matches(&hash, &secret("password1"), &mut memory));
            assert!(!hasher.matches(&hash, &secret("password2"), &mut memory));
            assert!(memory.0.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
        }
        assert_eq!(memory.0.len(), 64);
    }

    #[test]
    fn the_hashes_are_those_of_argon2() {
        let argon2 =
            Argon2::new(Algorithm::Argon2i, Version::V0x10, Params::new(16, 3, 2, Some(20)).unwrap());
        let other = argon2.hash_password(b"password1").unwrap().to_string();
        let hasher = Hasher::new(HashCost { memory_kib: 8, ..HashCost::default() }).unwrap();
        let mut memory = Memory::default();
        assert!(hasher.matches(&PasswordHash(other), &secret("password1"), &mut memory));
        let own = hasher.hash(&secret("password1"), &[7; 16], &mut memory).unwrap();
        assert!(Argon2::default().verify_password(b"password1", own.0.as_str()).is_ok());
    }
}
