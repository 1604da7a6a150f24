//! Masked objects from a client: an HSM accepts only those that its clone family has sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use cloudhsm::hsmd::keeping::vault::{Family, Vault};
use cloudhsm::protocol::Refusal;
use cloudhsm::wire::frame::encode;
use zeroize::Zeroizing;

/// The objects that the family has sealed: a user and a key.
const MADE: [&[u8]; 2] = [include_bytes!("../seeds/masked/user"), include_bytes!("../seeds/masked/key")];

/// The family's id. Its secret is public.
const ID: [u8; 16] = [1; 16];
const MASKING_KEY: [u8; 32] = [2; 32];

pub fn run(bytes: &[u8]) {
    let vault = vault();
    match vault.unmask(bytes) {
        Ok(_) => assert!(MADE.contains(&bytes), "nobody made this object"),
        Err(Refusal::MaskedObjectForeign | Refusal::MaskedObjectInvalid) => assert!(!MADE.contains(&bytes)),
        Err(other) => panic!("{other:?}"),
    }
    // A member of the family must not be able to crash an HSM, either.
    if let Ok(copied) = vault.unmask(&sealed(bytes)) {
        let again = vault.unmask(&vault.mask(copied.clone()).unwrap());
        assert!(again.is_ok_and(|again| encode(&again).unwrap().len() == encode(&copied).unwrap().len()));
    }
}

/// A vault with a public family secret and master key.
pub fn vault() -> Vault {
    let family = Family { id: ID, masking_key: Zeroizing::new(MASKING_KEY) };
    Vault::new(&Zeroizing::new([3; 32]), &family).unwrap()
}

/// Seals bytes as a member of the family would.
fn sealed(plain: &[u8]) -> Vec<u8> {
    let header = [b"CHSMOBJ1".as_slice(), &ID].concat();
    let key = RandomizedNonceKey::new(&AES_256_GCM, &MASKING_KEY).unwrap();
    let mut sealed = plain.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(&header), &mut sealed).unwrap();
    [header.as_slice(), nonce.as_ref(), &sealed].concat()
}
