//! Decodes UTF-8 from bytes that arrive in pieces. std's `utf8_chunks` does the work, but keeps nothing between pieces.

use std::{mem, str};

use zeroize::Zeroizing;

/// The decoder. Invalid bytes become U+FFFD, which nobody types.
#[derive(Default)]
pub(super) struct Utf8 {
    /// The first bytes of an incomplete character.
    begun: Zeroizing<Vec<u8>>,
}

impl Utf8 {
    /// The characters that these bytes complete. They may be a password's, and are wiped.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Zeroizing<String> {
        let mut all = mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        // Room for a U+FFFD for each byte: a string that grows leaves a copy in memory.
        let mut text = Zeroizing::new(String::with_capacity(all.len().saturating_mul(3)));
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            if chunks.peek().is_none() && is_begun(chunk.invalid()) {
                self.begun = Zeroizing::new(chunk.invalid().to_vec());
            } else if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }
}

/// Whether these last bytes are the beginning of a character.
fn is_begun(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::Utf8;

    fn decoded(pieces: &[&[u8]]) -> String {
        let mut utf8 = Utf8::default();
        pieces.iter().map(|piece| utf8.decode(piece).to_string()).collect()
    }

    #[test]
    fn characters_are_whole_however_their_bytes_arrive() {
        assert_eq!(decoded(&["gehäim宽".as_bytes()]), "gehäim宽");
        assert_eq!(decoded(&[b"geh\xc3", b"\xa4im\xe5", b"\xae", b"\xbd"]), "gehäim宽");
    }

    #[test]
    fn invalid_bytes_are_not_lost_silently() {
        assert_eq!(decoded(&[b"geh\xe4im\r"]), "geh\u{fffd}im\r");
        assert_eq!(decoded(&[b"geh\xe4", b"im\xff"]), "geh\u{fffd}im\u{fffd}");
        assert_eq!(decoded(&[b"\xc3", b"\r"]), "\u{fffd}\r");
        assert_eq!(decoded(&[b"\xe4"]), "");
    }
}
