//! The id of an answer, which clients show and the log names.

use std::fmt;

use aws_lc_rs::rand;

/// A random UUID.
#[derive(Clone, Copy)]
pub(super) struct RequestId([u8; 16]);

impl RequestId {
    pub(super) fn new() -> Self {
        let mut bytes = [0; 16];
        // An id that is not random only makes the log harder to read.
        let _ = rand::fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[test]
fn an_id_is_a_uuid_of_version_4() {
    let id = RequestId::new().to_string();
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(id.get(14..15), Some("4"), "{id}");
    assert_ne!(id, RequestId::new().to_string());
}
