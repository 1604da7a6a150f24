//! The arguments of a command, read one by one.

use std::str::FromStr;

use super::Usage;

/// What stands behind the command's name, split at blanks only: quotes and backslashes are ordinary characters.
pub struct Words<'a> {
    words: std::str::SplitAsciiWhitespace<'a>,
}

impl<'a> Words<'a> {
    /// Splits a line into its first word and the rest; `None` if it is blank.
    #[must_use]
    pub fn split(line: &'a str) -> Option<(&'a str, Self)> {
        let mut words = line.split_ascii_whitespace();
        Some((words.next()?, Self { words }))
    }

    /// The next argument, which has to be there.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn next(&mut self, name: &'static str) -> Result<&'a str, Usage> {
        self.words.next().ok_or(Usage::Missing(name))
    }

    /// The next argument, if there is one.
    pub fn maybe(&mut self) -> Option<&'a str> {
        self.words.next()
    }

    /// Passes over the next argument if it is this option, and says whether it was.
    pub fn skip(&mut self, option: &str) -> bool {
        let mut rest = self.words.clone();
        let is_there = rest.next() == Some(option);
        if is_there {
            self.words = rest;
        }
        is_there
    }

    /// The next argument as a number.
    ///
    /// # Errors
    ///
    /// If it is missing or not a number.
    pub fn number<N: FromStr>(&mut self, name: &'static str) -> Result<N, Usage> {
        number(self.next(name)?)
    }

    /// The next argument as numbers that are separated by commas.
    ///
    /// # Errors
    ///
    /// If it is missing or one of them is not a number.
    pub fn numbers<N: FromStr>(&mut self, name: &'static str) -> Result<Vec<N>, Usage> {
        self.next(name)?.split(',').map(number).collect()
    }

    /// The next argument as 1, for yes, or 0.
    ///
    /// # Errors
    ///
    /// If it is missing or neither.
    pub fn is_one(&mut self, name: &'static str) -> Result<bool, Usage> {
        match self.next(name)? {
            "0" => Ok(false),
            "1" => Ok(true),
            word => Err(Usage::Invalid { word: word.to_owned(), expected: "0 or 1" }),
        }
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    ///
    /// If something is.
    pub fn finish(mut self) -> Result<(), Usage> {
        self.words.next().map_or(Ok(()), |_| Err(Usage::TooMany))
    }
}

/// A word as a number, in digits only.
pub(super) fn number<N: FromStr>(word: &str) -> Result<N, Usage> {
    let digits = Some(word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Usage::Invalid { word: word.to_owned(), expected: "a number" })
}
