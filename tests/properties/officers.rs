//! Officers with real keys on the model HSM.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use cloudhsm::hsm::{Event, PublicKey, QuorumKey};
use cloudhsm::protocol::user::{UserId, UserType};

use crate::model::{self, World};

/// The COs of the tests. The last one has a key that it has not registered.
pub(crate) const NAMES: [&str; 4] = ["ann", "ben", "cleo", "dan"];

/// Which of them are registered.
pub(crate) const REGISTERED: usize = 3;

/// One for each of them, and one more.
pub(crate) const KEYS_IN_ALL: usize = NAMES.len() + 1;

/// An HSM with them; the first has the id 3.
pub(crate) fn world() -> World {
    let mut world = World::new();
    let officers = (3..).zip(NAMES).map(|(id, name)| model::user(id, UserType::Co, name));
    world.apply(officers.collect());
    world.apply((0..REGISTERED).map(|officer| registered(officer, false)).collect());
    world
}

/// The key becomes the officer's.
pub(crate) fn registered(officer: usize, is_second_factor: bool) -> Event {
    let public_key = PublicKey::parse(&public_key(officer)).unwrap();
    let id = UserId(u32::try_from(officer).unwrap() + 3);
    Event::QuorumKeySet { id, key: Some(QuorumKey { public_key, is_second_factor }) }
}

pub(crate) fn public_key(officer: usize) -> Vec<u8> {
    AsDer::<PublicKeyX509Der<'_>>::as_der(keys()[officer].public_key()).unwrap().as_ref().to_vec()
}

pub(crate) fn sign(officer: usize, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; 256];
    keys()[officer].sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

/// Signs what is hashed already.
pub(crate) fn sign_digest(officer: usize, digest: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; 256];
    let digest = aws_lc_rs::digest::Digest::import_less_safe(digest, &aws_lc_rs::digest::SHA256).unwrap();
    keys()[officer].sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).unwrap();
    signature
}

fn keys() -> &'static [RsaKeyPair] {
    static KEYS: OnceLock<Vec<RsaKeyPair>> = OnceLock::new();
    KEYS.get_or_init(|| (0..KEYS_IN_ALL).map(|_| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()).collect())
}
