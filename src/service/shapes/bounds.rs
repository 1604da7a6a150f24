//! Numbers, lists and filters within the limits of the model.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::names::FilterField;

/// A number from 1 to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpTo<const MAX: usize>(usize);

/// One to `MAX` of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// What to show: for each field the values that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<FilterField, Vec<String>>);

const MAX_FILTERS: usize = 30;

impl<const MAX: usize> UpTo<MAX> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for UpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            ..1 => Err(D::Error::custom("Member must have value greater than or equal to 1")),
            number => match usize::try_from(number) {
                Ok(number) if number <= MAX => Ok(Self(number)),
                Ok(_) | Err(_) => {
                    Err(D::Error::custom(format!("Member must have value less than or equal to {MAX}")))
                }
            },
        }
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Its members.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::deserialize(deserializer)?;
        match list.len() {
            0 => Err(D::Error::custom("Member must have length greater than or equal to 1")),
            length if length > MAX => {
                Err(D::Error::custom(format!("Member must have length less than or equal to {MAX}")))
            }
            _ => Ok(Self(list)),
        }
    }
}

impl Filters {
    /// Each field with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(field, values)| (field.as_str(), values.as_slice()))
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let filters = BTreeMap::<FilterField, Vec<String>>::deserialize(deserializer)?;
        if filters.len() > MAX_FILTERS {
            let limit = format!("Member must have length less than or equal to {MAX_FILTERS}");
            return Err(D::Error::custom(limit));
        }
        Ok(Self(filters))
    }
}
