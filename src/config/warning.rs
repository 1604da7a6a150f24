//! What a configuration file may have although it should not.

use std::fmt;
use std::path::PathBuf;

/// Something in a file that is accepted but should be corrected. Whoever reads the file reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is there.
    pub oddity: Oddity,
    /// How many more times the file has it.
    pub repeated: usize,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// `//`, `#` or `/* */`.
    #[error("a comment is not JSON; it is ignored")]
    Comment,
    /// A comma after the last element or key.
    #[error("a comma before a closing bracket is not JSON; it is ignored")]
    Comma,
    /// A number in quotes.
    #[error("\"{0}\" should be a number, without quotes")]
    Quoted(u32),
    /// `true` or `false` for `"yes"` or `"no"`.
    #[error("{0} should be {meaning}", meaning = self.meaning())]
    Boolean(bool),
    /// An HSM that an earlier entry names, too.
    #[error("{hostname}:{port} is listed twice; this entry is ignored")]
    #[expect(missing_docs, reason = "the names say it")]
    Twice { hostname: String, port: u16 },
}

impl Oddity {
    /// What a value of the wrong type means, as JSON.
    pub(super) fn meaning(&self) -> String {
        match self {
            Self::Quoted(number) => number.to_string(),
            Self::Boolean(true) => "\"yes\"".to_owned(),
            Self::Boolean(false) => "\"no\"".to_owned(),
            Self::Comment | Self::Comma | Self::Twice { .. } => String::new(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, oddity, repeated } = self;
        write!(f, "{}: line {line}, column {column}: {oddity}", path.display())?;
        match repeated {
            0 => Ok(()),
            more => write!(f, " ({} in all)", more.saturating_add(1)),
        }
    }
}
