//! The file that a command's answers go to instead of the console.

use std::fs;

use super::{Usage, Words};
use crate::files::without_number;

/// Where it is. What it held before is lost, without a question, as in the original.
pub(super) struct OutputFile {
    path: String,
}

/// Why there is no such file now.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {reason}")]
pub(super) struct Unwritable {
    path: String,
    reason: String,
}

impl OutputFile {
    /// The next argument, if there is one.
    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        words.maybe().map(|path| Self { path: path.to_owned() })
    }

    /// The next argument, which has to be there.
    pub(super) fn next(words: &mut Words<'_>, name: &'static str) -> Result<Self, Usage> {
        words.next(name).map(|path| Self { path: path.to_owned() })
    }

    /// Writes it, and returns the line that says so.
    pub(super) fn write(&self, text: &str) -> Result<String, Unwritable> {
        let path = &self.path;
        match fs::write(path, text) {
            Ok(()) => Ok(format!("Written to: {path} file\n")),
            Err(error) => Err(Unwritable { path: path.clone(), reason: without_number(&error) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OutputFile, Words};

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let (_, mut words) = Words::split("getAttribute /").unwrap();
        let error = OutputFile::parse(&mut words).unwrap().write("text").unwrap_err();
        assert_eq!(error.to_string(), "cannot write /: Is a directory");
    }
}
