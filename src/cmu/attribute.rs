//! The argument `<attribute-id>`: an attribute by its number or its name.

use crate::command::{Argument, Given, Kind, Usage};
use crate::protocol::attribute::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute};

/// Of what can be read.
pub(super) const ATTRIBUTE: Argument = Argument::word("attribute-id", Kind::Attribute);

/// Of what can be set.
pub(super) const SETTABLE: Argument = Argument::word("attribute-id", Kind::SettableAttribute);

/// What getAttribute can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    One(Attribute),
    All,
}

/// Reads [`ATTRIBUTE`].
pub(super) fn wanted(given: &Given<'_>) -> Result<Wanted, Usage> {
    let is_all =
        given.word(&ATTRIBUTE)? == ALL_ATTRIBUTES_NAME || given.number(&ATTRIBUTE) == Ok(ALL_ATTRIBUTES);
    if is_all { Ok(Wanted::All) } else { one(given, &ATTRIBUTE).map(Wanted::One) }
}

/// Reads [`SETTABLE`]; the HSM says whether it can be set.
pub(super) fn settable(given: &Given<'_>) -> Result<Attribute, Usage> {
    one(given, &SETTABLE)
}

fn one(given: &Given<'_>, argument: &Argument) -> Result<Attribute, Usage> {
    let word = given.word(argument)?;
    let numbered = || Attribute::numbered(given.number(argument).ok()?);
    let expected = "the number or name of one attribute (see listAttributes)";
    Attribute::named(word).or_else(numbered).ok_or_else(|| given.invalid(argument, word, expected))
}

#[cfg(test)]
mod tests {
    use super::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, ATTRIBUTE, Attribute, Given, SETTABLE, Wanted};
    use super::{settable, wanted};
    use crate::command::{Layout, Usage};

    fn set(word: &str) -> Result<Attribute, Usage> {
        settable(&Given::read(Layout::InOrder, &[SETTABLE], word)?)
    }

    fn get(word: &str) -> Result<Wanted, Usage> {
        wanted(&Given::read(Layout::InOrder, &[ATTRIBUTE], word)?)
    }

    #[test]
    fn an_attribute_has_two_names() {
        for expected in Attribute::ALL {
            for word in [expected.name().to_owned(), expected.number().to_string()] {
                assert_eq!(set(&word), Ok(*expected), "{word}");
                assert_eq!(get(&word), Ok(Wanted::One(*expected)), "{word}");
            }
        }
    }

    #[test]
    fn all_of_them_are_wanted_only_where_they_can_be_had() {
        for word in [ALL_ATTRIBUTES_NAME.to_owned(), ALL_ATTRIBUTES.to_string()] {
            assert_eq!(get(&word), Ok(Wanted::All));
            assert!(set(&word).is_err());
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for word in ["obj_attr_label", "OBJ_ATTR_LABE", "LABEL", "+3", "4", "4294967296", ""] {
            assert!(set(word).is_err(), "{word}");
            assert!(get(word).is_err(), "{word}");
        }
    }
}
