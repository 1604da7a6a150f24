//! Text that came from an HSM, a label or a file: it may try to control the terminal or to forge lines.
//!
//! Some characters are not shown but change how others are: control characters, which move the cursor and end lines, and
//! Unicode's format characters, which reverse the direction of what follows (U+202E) or vanish.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Whether a character must not reach a terminal.
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// One value, on one line: a `?` stands for each character that must not reach a terminal.
#[must_use]
pub fn shown(value: &str) -> Cow<'_, str> {
    if value.contains(is_unsafe) { value.replace(is_unsafe, "?").into() } else { value.into() }
}

/// Text of several lines with tabs, as commands print it; otherwise as [`shown`].
#[must_use]
pub fn printed(text: &str) -> Cow<'_, str> {
    let is_unsafe = |character| !matches!(character, '\n' | '\r' | '\t') && is_unsafe(character);
    if text.contains(is_unsafe) { text.replace(is_unsafe, "?").into() } else { text.into() }
}

/// JSON that shows no such character, with the same values: in JSON they can stand in strings only, and there `\u202e` is
/// the same as the character.
#[must_use]
pub fn escaped(json: &str) -> Cow<'_, str> {
    let is_unsafe = |character: char| !character.is_ascii() && is_unsafe(character);
    if !json.contains(is_unsafe) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::{escaped, is_unsafe, printed, shown};

    /// ESC, DEL, NEL, CSI, line and paragraph separators, marks and overrides of direction, invisible ones, a tag.
    const UNSAFE: &str = "\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{61c}\u{200b}\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0041}";

    #[test]
    fn what_changes_other_text_is_not_shown() {
        assert!(UNSAFE.chars().all(is_unsafe));
        assert!(
            "a label, \u{fc}ber \u{5d0}\u{5d1} \u{4e2d}\u{6587} \u{1f511}"
                .chars()
                .all(|letter| !is_unsafe(letter))
        );
        assert_eq!(shown("a\nb\u{202e}c"), "a?b?c");
        assert_eq!(printed("a\n\tb\u{202e}\u{1b}c"), "a\n\tb??c");
        assert_eq!(shown(UNSAFE), "?".repeat(UNSAFE.chars().count()));
    }

    #[test]
    fn json_has_the_same_values_in_visible_characters() {
        let value = format!("a\"{UNSAFE}\u{5d0}");
        let json = serde_json::to_string(&value).unwrap();
        let line = escaped(&json);
        assert!(!line.contains(|character| is_unsafe(character) && character != '\u{7f}'), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), value);
    }
}
