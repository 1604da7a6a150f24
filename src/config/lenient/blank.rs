//! Comments and commas too many, replaced by blanks: all that is left stays in its place.

use crate::config::warning::Oddity;

/// The text without comments and without commas before closing brackets, with as many bytes.
#[must_use]
pub fn blanked(text: &str) -> String {
    blank(text).0
}

/// The blanked text, and what was blanked in it.
pub(super) fn blank(text: &str) -> (String, Vec<(usize, Oddity)>) {
    let mut blanked = String::with_capacity(text.len());
    let mut found = Vec::new();
    let mut before = Before::Nothing;
    while let Some(rest) = text.get(blanked.len()..).filter(|rest| !rest.is_empty()) {
        let at = blanked.len();
        let (token, length) = token(rest);
        let word = rest.get(..length).unwrap_or(rest);
        match (token, before) {
            (Token::Comment, _) => {
                found.push((at, Oddity::Comment));
                blanked.extend(word.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
                continue;
            }
            (Token::Closing, Before::Comma(comma)) => {
                found.push((comma, Oddity::Comma));
                blanked.replace_range(comma..=comma, " ");
                before = Before::Value;
            }
            (Token::Blank, _) => {}
            (Token::Comma, Before::Value) => before = Before::Comma(at),
            (Token::Value | Token::Closing, _) => before = Before::Value,
            (Token::Comma | Token::Opening, _) => before = Before::Nothing,
        }
        blanked.push_str(word);
    }
    (blanked, found)
}

/// What stands before a token, apart from blanks and comments.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing that a comma could follow.
    Nothing,
    /// A value, or a part of one.
    Value,
    /// A comma after a value, here.
    Comma(usize),
}

enum Token {
    Comment,
    Blank,
    Comma,
    /// What a value follows.
    Opening,
    Closing,
    /// A string, or one character of another value.
    Value,
}

/// The first token of a text, and its length.
fn token(text: &str) -> (Token, usize) {
    let first = text.chars().next().unwrap_or_default();
    match first {
        '#' => (Token::Comment, line(text)),
        '/' if text.starts_with("//") => (Token::Comment, line(text)),
        '/' if text.starts_with("/*") => match text.get(2..).and_then(|rest| rest.find("*/")) {
            Some(length) => (Token::Comment, length.saturating_add(4)),
            None => (Token::Value, text.len()),
        },
        ' ' | '\t' | '\r' | '\n' => (Token::Blank, 1),
        ',' => (Token::Comma, 1),
        '[' | '{' | ':' => (Token::Opening, 1),
        ']' | '}' => (Token::Closing, 1),
        '"' => (Token::Value, string(text)),
        other => (Token::Value, other.len_utf8()),
    }
}

/// The length of the first line, without its end.
fn line(text: &str) -> usize {
    text.find(['\r', '\n']).unwrap_or(text.len())
}

/// The length of the string with which a text begins, quotes included.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let ends = *letter == '"' && !is_escaped;
        is_escaped = *letter == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::blanked;

    #[test]
    fn comments_end_where_they_should() {
        for (text, expected) in [
            ("1//x\r\n2", "1   \r\n2"),
            ("1#\"\n2", "1  \n2"),
            ("1/*\n/*é*/2", "1  \n      2"),
            ("/**/ /***//*/*/1", "               1"),
            ("\"//\\\"#\\\\\"#", "\"//\\\"#\\\\\" "),
        ] {
            assert_eq!(blanked(text), expected);
        }
        for kept in ["/*/", "/* 1", "/ 1", "\"#", "\"\\\"//"] {
            assert_eq!(blanked(kept), kept);
        }
    }

    #[test]
    fn only_a_comma_after_a_value_may_be_too_many() {
        for (text, expected) in [
            ("[1,]", "[1 ]"),
            ("{\"a\":[{},[],\"x\" , //\n],}", "{\"a\":[{},[],\"x\"     \n] }"),
            ("[1,,]", "[1,,]"),
            ("[,]", "[,]"),
            ("{\"a\":,}", "{\"a\":,}"),
            ("[1],", "[1],"),
        ] {
            assert_eq!(blanked(text), expected);
        }
    }
}
