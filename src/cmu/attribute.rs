//! The argument `<attribute-id>`.

use super::words::number;
use super::{Usage, Words};
use crate::protocol::attribute::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute};

/// What getAttribute can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    One(Attribute),
    All,
}

/// Reads an attribute by its number or its name.
pub(super) fn attribute(words: &mut Words<'_>) -> Result<Attribute, Usage> {
    let word = words.next("attribute-id")?;
    of(word).ok_or_else(|| unknown(word))
}

/// Reads an attribute, or what stands for all of them.
pub(super) fn wanted(words: &mut Words<'_>) -> Result<Wanted, Usage> {
    let word = words.next("attribute-id")?;
    if word == ALL_ATTRIBUTES_NAME || number(word) == Ok(ALL_ATTRIBUTES) {
        return Ok(Wanted::All);
    }
    of(word).map(Wanted::One).ok_or_else(|| unknown(word))
}

fn of(word: &str) -> Option<Attribute> {
    Attribute::named(word).or_else(|| Attribute::numbered(number(word).ok()?))
}

fn unknown(word: &str) -> Usage {
    Usage::Invalid {
        word: word.to_owned(),
        expected: "the number or name of one attribute (see listAttributes)",
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute, Wanted, Words, attribute, wanted};

    fn words(word: &str) -> Words<'_> {
        Words::split(word).unwrap().1
    }

    #[test]
    fn an_attribute_has_two_names() {
        for expected in Attribute::ALL {
            for word in [expected.name().to_owned(), expected.number().to_string()] {
                let line = format!("x {word}");
                assert_eq!(attribute(&mut words(&line)), Ok(*expected), "{word}");
                assert_eq!(wanted(&mut words(&line)), Ok(Wanted::One(*expected)), "{word}");
            }
        }
    }

    #[test]
    fn all_of_them_are_wanted_only_where_they_can_be_had() {
        for word in [ALL_ATTRIBUTES_NAME.to_owned(), ALL_ATTRIBUTES.to_string()] {
            let line = format!("x {word}");
            assert_eq!(wanted(&mut words(&line)), Ok(Wanted::All));
            assert!(attribute(&mut words(&line)).is_err());
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for word in ["obj_attr_label", "OBJ_ATTR_LABE", "LABEL", "+3", "4", "4294967296", ""] {
            let line = format!("x {word}");
            assert!(attribute(&mut words(&line)).is_err(), "{word}");
            assert!(wanted(&mut words(&line)).is_err(), "{word}");
        }
    }
}
