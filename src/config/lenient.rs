//! Configuration files as people write them: JSON with comments, commas before closing brackets, and values of the wrong
//! type where it is clear what is meant.

mod blank;

use std::ops::Range;
use std::path::Path;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::warning::{Oddity, Warning};

pub use blank::blanked;

/// A file's text, and what it means as JSON.
pub(super) struct Lenient<'a> {
    original: &'a str,
    /// Without comments and commas too many, but with everything else in its place.
    blanked: String,
    json: String,
    oddities: Vec<(usize, Oddity)>,
}

/// The keys whose value is a number, of either file.
const NUMBERS: &[&[&str]] = &[
    &["servers", "port"],
    &["scard", "port"],
    &["server", "port"],
    &["client", "create_object_minimum_nodes"],
];

/// The keys whose value is `"yes"` or `"no"`.
const SWITCHES: &[&[&str]] = &[
    &["servers", "enable"],
    &["servers", "server_ssl"],
    &["servers", "e2e_encryption", "enable"],
    &["scard", "enable"],
];

impl<'a> Lenient<'a> {
    /// Reads a text. One that is not even JSON with comments stays as it is: the JSON parser then says why.
    pub(super) fn read(text: &'a str) -> Self {
        let original = text.trim_start_matches(BYTE_ORDER_MARK);
        let (blanked, mut oddities) = blank::blank(original);
        let mut json = blanked.clone();
        let mut replacements = replacements(&blanked);
        // From the end on, as each moves what follows it.
        replacements.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, oddity) in replacements {
            json.replace_range(range.clone(), &oddity.meaning());
            oddities.push((range.start, oddity));
        }
        Self { original, blanked, json, oddities }
    }

    /// What a strict parser can read.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    /// Adds an oddity of an array's element.
    pub(super) fn add(&mut self, key: &str, index: usize, oddity: Oddity) {
        let start = match parse(&self.blanked) {
            Some(Value::Object(root)) => {
                root.get_array(key).and_then(|array| array.elements.get(index)).map(Ranged::start)
            }
            _ => None,
        };
        self.oddities.push((start.unwrap_or_default(), oddity));
    }

    /// All oddities, in the order of the text; equal ones are one warning, about the first of them.
    pub(super) fn warnings(mut self, path: &Path) -> Vec<Warning> {
        self.oddities.sort_by_key(|(at, _)| *at);
        let mut warnings: Vec<Warning> = Vec::new();
        for (at, oddity) in self.oddities {
            match warnings.iter_mut().find(|warning| warning.oddity == oddity) {
                Some(warning) => warning.repeated = warning.repeated.saturating_add(1),
                None => {
                    let (line, column) = position(self.original, at);
                    warnings.push(Warning { path: path.to_owned(), line, column, oddity, repeated: 0 });
                }
            }
        }
        warnings
    }
}

/// What some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The values of the wrong type, with their place.
fn replacements(json: &str) -> Vec<(Range<usize>, Oddity)> {
    let Some(root) = parse(json) else { return Vec::new() };
    let mut found = Vec::new();
    for (paths, oddity) in [(NUMBERS, quoted as fn(&Value<'_>) -> _), (SWITCHES, boolean)] {
        for path in paths {
            visit(&root, path, &mut |value| {
                found.extend(oddity(value).map(|oddity| (value.start()..value.end(), oddity)));
            });
        }
    }
    found
}

fn parse(json: &str) -> Option<Value<'_>> {
    parse_to_ast(json, &CollectOptions::default(), &ParseOptions::default()).ok()?.value
}

/// Visits the values at a path, in every element of the arrays on its way.
fn visit(value: &Value<'_>, path: &[&str], visitor: &mut dyn FnMut(&Value<'_>)) {
    match (value, path) {
        (Value::Array(array), [_, ..]) => {
            array.elements.iter().for_each(|element| visit(element, path, visitor));
        }
        (Value::Object(object), [key, rest @ ..]) => {
            let named = object.properties.iter().filter(|property| property.name.as_str() == *key);
            named.for_each(|property| visit(&property.value, rest, visitor));
        }
        (value, []) => visitor(value),
        (_, [_, ..]) => {}
    }
}

fn quoted(value: &Value<'_>) -> Option<Oddity> {
    let number: u32 = value.as_string_lit()?.value.parse().ok()?;
    Some(Oddity::Quoted(number))
}

fn boolean(value: &Value<'_>) -> Option<Oddity> {
    Some(Oddity::Boolean(value.as_boolean_lit()?.value))
}

/// Line and column, in characters, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let column = before.get(start..).unwrap_or_default().chars().count();
    (before.matches('\n').count().saturating_add(1), column.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Lenient;

    fn warned(text: &str) -> Vec<String> {
        let warnings = Lenient::read(text).warnings(Path::new("x"));
        warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_of_the_wrong_type_are_converted_where_the_type_is_known() {
        let text = r#"{"servers": [{"port": "2225", "enable": true, "name": "1"}, {"enable": false}],
            "port": "1", "enable": true, "scard": {"enable": "no", "port": "no"}}"#;
        let expected =
            text.replace("\"2225\"", "2225").replacen("true", "\"yes\"", 1).replace("false", "\"no\"");
        assert_eq!(Lenient::read(text).json(), expected);
        assert_eq!(
            warned(text),
            [
                "x: line 1, column 23: \"2225\" should be a number, without quotes",
                "x: line 1, column 41: true should be \"yes\"",
                "x: line 1, column 72: false should be \"no\"",
            ]
        );
    }

    #[test]
    fn equal_oddities_are_reported_once() {
        let text = "\u{feff}// ä\n{ /* ä */ # x\n\"servers\": [{\"port\": \"1\"}, {\"port\": \"1\"},], }\n";
        assert_eq!(
            warned(text),
            [
                "x: line 1, column 1: a comment is not JSON; it is ignored (3 in all)",
                "x: line 3, column 22: \"1\" should be a number, without quotes (2 in all)",
                "x: line 3, column 41: a comma before a closing bracket is not JSON; it is ignored (2 in all)",
            ]
        );
    }

    #[test]
    fn a_file_without_oddities_is_left_as_it_is() {
        for text in
            [include_str!("../../config/cloudhsm_client.cfg"), "{", "", "{\"a\": \"//\"}", "[1 2]", "'"]
        {
            assert_eq!(Lenient::read(text).json(), text);
            assert_eq!(warned(text), [""; 0], "{text}");
        }
    }
}
