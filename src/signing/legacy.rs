//! Private keys as `openssl genrsa -aes256` of OpenSSL 1 encrypts them: the PEM headers name the cipher, and MD5 makes its
//! key from the pass phrase.
//!
//! Officers of old clusters have such keys, which is the only reason for the weak algorithms here.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use data_encoding::HEXLOWER_PERMISSIVE;
use md5::{Digest, Md5};
use pem::Pem;
use zeroize::Zeroizing;

/// The header with the cipher and its initialization vector, if the block is encrypted this way.
pub(super) fn cipher_of(block: &Pem) -> Option<String> {
    let headers = block.headers();
    let is_encrypted = headers.get("Proc-Type").is_some_and(|kind| kind.contains("ENCRYPTED"));
    is_encrypted.then(|| headers.get("DEK-Info").unwrap_or_default().to_owned())
}

/// The decrypted content; `None` if the pass phrase is wrong or the cipher is not supported.
pub(super) fn decrypt(dek_info: &str, content: &[u8], pass_phrase: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (name, iv) = dek_info.split_once(',')?;
    let (algorithm, length) = cipher(name.trim())?;
    let iv = HEXLOWER_PERMISSIVE.decode(iv.trim().as_bytes()).ok()?;
    let key = key(pass_phrase, iv.first_chunk()?, length);
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, &key).ok()?).ok()?;
    let context = match (<[u8; 16]>::try_from(iv.as_slice()), <[u8; 8]>::try_from(iv.as_slice())) {
        (Ok(iv), _) => DecryptionContext::Iv128(FixedLength::from(iv)),
        (_, Ok(iv)) => DecryptionContext::Iv64(FixedLength::from(iv)),
        (Err(_), Err(_)) => return None,
    };
    let mut content = Zeroizing::new(content.to_vec());
    let length = key.decrypt(&mut content, context).ok()?.len();
    content.truncate(length);
    Some(content)
}

/// A cipher by its name in the header, and the length of its key in bytes.
fn cipher(name: &str) -> Option<(&'static Algorithm, usize)> {
    match name {
        "AES-128-CBC" => Some((&AES_128, 16)),
        "AES-192-CBC" => Some((&AES_192, 24)),
        "AES-256-CBC" => Some((&AES_256, 32)),
        #[expect(deprecated, reason = "old runbooks have openssl genrsa -des3")]
        "DES-EDE3-CBC" => Some((&aws_lc_rs::cipher::DES_EDE3_FOR_LEGACY_USE_ONLY, 24)),
        _ => None,
    }
}

/// `EVP_BytesToKey` with MD5 and one round.
fn key(pass_phrase: &str, salt: &[u8; 8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length.saturating_add(16)));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < length {
        let hash = Md5::new().chain_update(&*last).chain_update(pass_phrase).chain_update(salt);
        last = Zeroizing::new(hash.finalize().to_vec());
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}
