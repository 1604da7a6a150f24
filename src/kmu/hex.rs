//! Bytes as hexadecimal digits.

use std::fmt::Write;

pub(super) fn show(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads digits, with or without `0x` before them.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.len().is_multiple_of(2) && digits.is_ascii();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let digits = digits.as_bytes();
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    if is_whole && is_hex { digits.chunks(2).map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{read, show};

    #[test]
    fn hex_is_read_as_it_is_shown() {
        assert_eq!(read(&show(&[0, 0x1a, 0xff])), Some(vec![0, 0x1a, 0xff]));
        assert_eq!(read("0xC33CBD"), Some(vec![0xc3, 0x3c, 0xbd]));
        for wrong in ["", "0x", "abc", "xy", "+1", "\u{e4}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
