//! The files of keys that people import.

use cloudhsm::kmu::pem::{PrivateKeyFile, encode, parse_private_key, parse_public_key};

/// A key that was read is the same when it is written and read again, and a private key is never taken for a public one.
pub fn run(bytes: &[u8]) {
    if let Ok(PrivateKeyFile::Real(key)) = parse_private_key(bytes) {
        let again = parse_private_key(encode("PRIVATE KEY", &key.pkcs8).as_bytes());
        let Ok(PrivateKeyFile::Real(again)) = again else { panic!("a key became none") };
        assert!(again.pkcs8 == key.pkcs8 && again.key_type == key.key_type);
    }
    if let Ok(key) = parse_public_key(bytes) {
        assert_eq!(parse_public_key(encode("PUBLIC KEY", &key).as_bytes()).unwrap(), key);
        assert!(parse_private_key(encode("PUBLIC KEY", &key).as_bytes()).is_err());
    }
}
