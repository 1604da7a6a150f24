//! The arguments of a command: `-flag value`, in any order.

use super::Command;
use super::command::{Need, Opt};
use crate::protocol::user::UserId;

/// What stands behind the command's name, read by the command's table of options.
pub struct Flags<'a> {
    given: Vec<(&'static Opt, &'a str)>,
    command: &'static Command,
}

/// What is wrong with the arguments, or that they ask for help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Usage {
    /// `-h`.
    #[error("help is asked for")]
    Asked,
    /// There is an option that the command does not have, or twice, or a word that belongs to none.
    #[error("the arguments are not understood")]
    NotUnderstood,
    /// An option that has to be there is not, or a number is none.
    #[error("{what} ({flag}) is missing.")]
    Missing {
        /// What it is.
        what: &'static str,
        /// With its dash.
        flag: &'static str,
    },
    /// One is not what it should be.
    #[error("{0}")]
    Wrong(&'static str),
}

impl<'a> Flags<'a> {
    /// Splits at blanks, and sorts the words by the command's options.
    ///
    /// # Errors
    ///
    /// If a word belongs to no option, an option is missing, or `-h` stands anywhere.
    pub fn parse(command: &'static Command, arguments: &'a str) -> Result<Self, Usage> {
        let mut words = arguments.split_ascii_whitespace();
        if words.clone().any(|word| word == "-h") {
            return Err(Usage::Asked);
        }
        let mut flags = Self { given: Vec::new(), command };
        while let Some(word) = words.next() {
            let option = command.all_options().find(|option| option.flag == word);
            let option = option.filter(|option| !flags.has(option.flag)).ok_or(Usage::NotUnderstood)?;
            let value = match option.value {
                Some(_) => words.next().ok_or(missing(option))?,
                None => "",
            };
            flags.given.push((option, value));
        }
        flags.must_be_whole()?;
        Ok(flags)
    }

    /// Whether an option is there.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.maybe(flag).is_some()
    }

    /// The value of an option, if it is there.
    #[must_use]
    pub fn maybe(&self, flag: &str) -> Option<&'a str> {
        self.given.iter().find(|(option, _)| option.flag == flag).map(|(_, value)| *value)
    }

    /// The value of an option.
    ///
    /// # Errors
    ///
    /// If it is missing.
    pub fn text(&self, flag: &str) -> Result<&'a str, Usage> {
        self.maybe(flag).ok_or_else(|| self.missing(flag))
    }

    /// The value of an option, a number.
    ///
    /// # Errors
    ///
    /// If it is missing, or anything but decimal digits.
    pub fn number(&self, flag: &str) -> Result<u32, Usage> {
        number(self.text(flag)?).ok_or_else(|| self.missing(flag))
    }

    /// The value of an option, a number, if it is there.
    ///
    /// # Errors
    ///
    /// If it is anything but decimal digits.
    pub fn maybe_number(&self, flag: &str) -> Result<Option<u32>, Usage> {
        if self.has(flag) { self.number(flag).map(Some) } else { Ok(None) }
    }

    /// The numbers of users, with commas between them; none if the option is not there.
    ///
    /// # Errors
    ///
    /// If one is no number.
    pub fn users(&self, flag: &str) -> Result<Vec<UserId>, Usage> {
        let ids = self.maybe(flag).map(|list| list.split(',')).into_iter().flatten();
        ids.map(|id| number(id).map(UserId).ok_or_else(|| self.missing(flag))).collect()
    }

    fn must_be_whole(&self) -> Result<(), Usage> {
        let is_left_out = |option: &&Opt| match option.need {
            Need::Required => !self.has(option.flag),
            Need::Optional => false,
            Need::Unless(other) => !self.has(option.flag) && !self.has(other),
        };
        self.command.all_options().find(is_left_out).map_or(Ok(()), |option| Err(missing(option)))
    }

    fn missing(&self, flag: &str) -> Usage {
        let option = self.command.all_options().find(|option| option.flag == flag);
        option.map_or(Usage::NotUnderstood, missing)
    }
}

fn missing(option: &Opt) -> Usage {
    Usage::Missing { what: option.what, flag: option.flag }
}

fn number(word: &str) -> Option<u32> {
    let digits = Some(word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok())
}
