//! The arguments of a command, read one by one.

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

    /// The next argument as a number.
    ///
    /// # Errors
    ///
    /// If it is missing or not a number.
    pub fn number(&mut self, name: &'static str) -> Result<usize, Usage> {
        usize::try_from(self.id(name)?).map_err(|_| Usage::TooMany)
    }

    /// The next argument as the number of a user or of a key.
    ///
    /// # Errors
    ///
    /// If it is missing or not a number of 32 bits.
    pub fn id(&mut self, name: &'static str) -> Result<u32, Usage> {
        let word = self.next(name)?;
        let digits = Some(word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| Usage::Invalid { word: word.to_owned(), expected: "a number" })
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
