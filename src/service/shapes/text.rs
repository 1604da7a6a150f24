//! Text that follows a pattern of the model.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What the model says of a text.
pub trait Kind {
    /// As the model writes it, for the whole text.
    const PATTERN: Option<&'static str> = None;
    /// In characters.
    const LENGTHS: RangeInclusive<usize> = 0..=usize::MAX;
}

/// A text of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<K> {
    text: String,
    kind: PhantomData<K>,
}

impl<K: Kind> Text<K> {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The constraint that it does not meet, in the words of AWS.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (length, limits) = (text.chars().count(), K::LENGTHS);
        if length < *limits.start() {
            return Err(format!("Member must have length greater than or equal to {}", limits.start()));
        }
        if length > *limits.end() {
            return Err(format!("Member must have length less than or equal to {}", limits.end()));
        }
        match K::PATTERN {
            Some(pattern) if !matches(pattern, text) => {
                Err(format!("Member must satisfy regular expression pattern: {pattern}"))
            }
            Some(_) | None => Ok(Self { text: text.to_owned(), kind: PhantomData }),
        }
    }
}

impl<K> Text<K> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> fmt::Display for Text<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl<K> Serialize for Text<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Text<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Each pattern is compiled once.
static COMPILED: LazyLock<Mutex<BTreeMap<&'static str, Option<Regex>>>> = LazyLock::new(Mutex::default);

fn matches(pattern: &'static str, text: &str) -> bool {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled
        .entry(pattern)
        .or_insert_with(|| compile(pattern))
        .as_ref()
        .is_some_and(|regex| regex.is_match(text))
}

/// Digits and blanks are those of ASCII, as in the vendor's engine.
fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).unicode(pattern.contains(r"\p")).build().ok()
}
