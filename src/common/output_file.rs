//! A file for a command's output, instead of the console.

use crate::command::{Argument, Given, Usage};
use crate::files::{Readers, Unreadable, write};

/// The path. The file's previous content is lost without a question, as in the original.
pub(crate) struct OutputFile {
    path: String,
}

/// Why the output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {reason}")]
pub(crate) struct Unwritable {
    path: String,
    reason: Unreadable,
}

impl OutputFile {
    /// Reads the argument that names the file.
    pub(crate) fn parse(given: &Given<'_>, argument: &Argument) -> Result<Self, Usage> {
        given.text(argument).map(|path| Self { path })
    }

    /// Writes the file and returns the line that reports it.
    pub(crate) fn write(&self, text: &str) -> Result<String, Unwritable> {
        let path = &self.path;
        match write(path, text.as_bytes(), Readers::Everybody) {
            Ok(()) => Ok(format!("Written to: {path} file\n")),
            Err(reason) => Err(Unwritable { path: path.clone(), reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OutputFile;

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let error = OutputFile { path: "/".to_owned() }.write("text").unwrap_err();
        assert_eq!(error.to_string(), "cannot write /: Is a directory");
    }
}
