//! A JSON object as text: single values change, and every other byte stays.
//!
//! jsonc-parser's own editable tree (`cst`) was tried. It breaks a one-line object into lines, writes a new key's colon
//! its own way, cannot copy an entry as it is written, and refuses a byte order mark.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::config::ConfigError;

/// The text. If it is not a JSON object, every edit leaves it as it is.
pub(super) struct Document {
    /// Empty, or what some editors put before the text.
    byte_order_mark: &'static str,
    text: String,
}

/// A range of the text, and its new content.
struct Edit(Range<usize>, String);

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl Document {
    /// The text of a file that must be an object. serde also takes a list for a struct, and any value for a key that it
    /// ignores: what it has read is not always something that can be edited.
    pub(super) fn of(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document = Self::new(text);
        match parse(&document.text) {
            Ok(_) => Ok(document),
            Err(message) => Err(ConfigError::Invalid(path.to_owned(), message)),
        }
    }

    pub(super) fn new(text: &str) -> Self {
        match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => Self { byte_order_mark: BYTE_ORDER_MARK, text: rest.to_owned() },
            None => Self { byte_order_mark: "", text: text.to_owned() },
        }
    }

    /// Sets the key at the end of the path, and adds the keys of the path that are missing.
    pub(super) fn set(&mut self, path: &[&str], value: &serde_json::Value) {
        self.edit(|text, object| setting(text, object, path, value));
    }

    /// The texts of an array's elements.
    pub(super) fn elements(&self, key: &str) -> Vec<String> {
        let root = parse(&self.text).ok();
        let array = root.as_ref().and_then(|root| root.get_array(key));
        let elements = array.map(|array| array.elements.iter()).into_iter().flatten();
        elements.map(|element| element.text(&self.text).to_owned()).collect()
    }

    /// Replaces an array's elements, with the old separator between them.
    pub(super) fn replace_elements(&mut self, key: &str, elements: &[String]) {
        self.edit(|text, object| {
            let array = object.get_array(key)?;
            let (first, last) = (array.elements.first()?, array.elements.last()?);
            Some(Edit(first.start()..last.end(), elements.join(&separator(text, array)?)))
        });
    }

    fn edit(&mut self, find: impl FnOnce(&str, &Object<'_>) -> Option<Edit>) {
        let edit = parse(&self.text).ok().and_then(|root| find(&self.text, &root));
        if let Some(Edit(range, text)) = edit {
            self.text.replace_range(range, &text);
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.byte_order_mark, self.text)
    }
}

fn parse(text: &str) -> Result<Object<'_>, String> {
    match parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()) {
        Ok(parsed) => match parsed.value {
            Some(Value::Object(object)) => Ok(object),
            Some(_) | None => Err("not a JSON object".to_owned()),
        },
        Err(error) => Err(error.to_string()),
    }
}

fn setting(text: &str, object: &Object<'_>, path: &[&str], value: &serde_json::Value) -> Option<Edit> {
    let (key, rest) = path.split_first()?;
    match (object.get(key).map(|property| &property.value), rest) {
        (None, _) => insertion(text, object, key, &nested(rest, value)),
        (Some(Value::Object(inner)), [_, ..]) => setting(text, inner, rest, value),
        (Some(old), _) => {
            // A value can be written in several ways; the one in the file stays if it is the same value.
            let is_same =
                serde_json::from_str(old.text(text)).is_ok_and(|old: serde_json::Value| old == *value);
            (!is_same).then(|| Edit(old.start()..old.end(), nested(rest, value)))
        }
    }
}

/// Adds a key after the object's last one, with the same indentation and colon.
fn insertion(text: &str, object: &Object<'_>, key: &str, value: &str) -> Option<Edit> {
    let key = serde_json::Value::from(key);
    let Some(last) = object.properties.last() else {
        return Some(Edit(object.start()..object.end(), format!("{{{key}: {value}}}")));
    };
    let (indent, colon) = (blanks_before(text, last.start())?, colon(text, last)?);
    Some(Edit(last.end()..last.end(), format!(",{indent}{key}{colon}{value}")))
}

/// The value, inside the objects that lead to it.
fn nested(path: &[&str], value: &serde_json::Value) -> String {
    path.iter().rev().fold(value.clone(), |inner, key| serde_json::json!({ *key: inner })).to_string()
}

fn separator(text: &str, array: &Array<'_>) -> Option<String> {
    match array.elements.as_slice() {
        [first, second, ..] => text.get(first.end()..second.start()).map(str::to_owned),
        [first] => Some(format!(",{}", blanks_before(text, first.start())?)),
        [] => None,
    }
}

fn blanks_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    before.get(before.trim_end().len()..)
}

fn colon<'a>(text: &'a str, property: &ObjectProp<'_>) -> Option<&'a str> {
    text.get(property.name.end()..property.value.start())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Document;

    fn set(text: &str, path: &[&str], value: &str) -> String {
        let mut document = Document::new(text);
        document.set(path, &value.into());
        document.to_string()
    }

    #[test]
    fn a_value_changes_and_nothing_else() {
        let odd = "\u{feff}{ \"b\" :\t1e2,\r\n  \"a\": {\"x\":\"\\u0031\" , \"y\" : [ ]} }\r\n\n";
        assert_eq!(set(odd, &["a", "x"], "2"), odd.replace("\"\\u0031\"", "\"2\""));
        assert_eq!(set(odd, &["a", "x"], "1"), odd);
        assert_eq!(set(odd, &["b"], "\"\\ü"), odd.replace("1e2", r#""\"\\ü""#));
    }

    #[test]
    fn only_an_object_can_be_edited() {
        for text in [r#"{"ignored": "\ude00"}"#, r#"[["a", 1]]"#, ""] {
            assert!(Document::of(Path::new("x"), text).is_err(), "{text}");
        }
        assert!(Document::of(Path::new("x"), "\u{feff}{}").is_ok());
    }

    #[test]
    fn a_missing_key_comes_last_and_is_formatted_like_its_neighbours() {
        assert_eq!(set("{\n  \"a\" : 1\n}", &["b"], "2"), "{\n  \"a\" : 1,\n  \"b\" : \"2\"\n}");
        assert_eq!(set("{\"a\":1}", &["b", "c"], "2"), "{\"a\":1,\"b\":{\"c\":\"2\"}}");
        assert_eq!(set("{\"a\":{ }}", &["a", "c"], "2"), "{\"a\":{\"c\": \"2\"}}");
    }

    #[test]
    fn new_elements_have_the_old_separator() {
        for (before, after) in [
            ("{\"a\": [\n  {}\n]}", "{\"a\": [\n  1,\n  2,\n  3\n]}"),
            ("{\"a\":[{}]}", "{\"a\":[1,2,3]}"),
            ("{\"a\": [{}, {},{}] }", "{\"a\": [1, 2, 3] }"),
        ] {
            let mut document = Document::new(before);
            document.replace_elements("a", &["1", "2", "3"].map(str::to_owned));
            assert_eq!(document.to_string(), after);
            assert_eq!(document.elements("a"), ["1", "2", "3"]);
        }
    }
}
