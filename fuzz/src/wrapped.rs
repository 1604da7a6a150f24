//! The files that wrapKey writes: somebody else may have written or altered one.

use cloudhsm::protocol::wrapped_file::WrappedFile;

/// What is read stays the same when it is written and read again.
pub fn run(bytes: &[u8]) {
    if let Ok(file) = WrappedFile::decode(bytes) {
        let again = file.encode().unwrap();
        assert_eq!(WrappedFile::decode(&again).unwrap(), file);
        assert!(again.ends_with(&file.wrapped));
    }
}
