//! A closed piece of an audit log in a file: a line that says what the first record follows, the records, and a line that
//! says where they end. Only in one with both ends is nothing missing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::line::{self, ascii, link};
use super::log::{Log, LogError};
use crate::files::{UnreadableFile, unreadable, without_number};
use crate::hsm::audit::{AuditHead, Broken};
use crate::hsmd::keeping::private_files::{NewFile, WriteError};

/// What a piece follows, and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Piece {
    pub from: AuditHead,
    pub to: AuditHead,
}

/// Why a piece cannot be written, read or joined.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum PieceError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("{}: {}", .0.display(), without_number(.1))]
    Unwritable(PathBuf, io::Error),
    #[error("{}: the audit log is empty", .0.display())]
    Empty(PathBuf),
    #[error("{path}, line {1}: not a line of an exported audit log", path = .0.display())]
    NotALine(PathBuf, usize),
    #[error("{path}, line {1}: {2}", path = .0.display())]
    Broken(PathBuf, usize, Broken),
    #[error("{}: its end is missing", .0.display())]
    Cut(PathBuf),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum End {
    /// The first line.
    #[serde(rename = "audit_log_after")]
    From { sequence: u64, link: String },
    /// The last line.
    #[serde(rename = "audit_log_end")]
    To { sequence: u64, link: String },
}

impl Piece {
    /// Writes the whole log, as far as it is not pruned, to a new file.
    ///
    /// # Errors
    ///
    /// If the log is empty or broken, or the file exists or cannot be written.
    pub fn export(folder: &Path, path: &Path) -> Result<Self, PieceError> {
        let log = Log::open(folder)?;
        let unwritable = |error| PieceError::Unwritable(path.to_owned(), error);
        let mut file = NewFile::create(path)?;
        let from = log.pruned.clone();
        let first = End::From { sequence: from.sequence, link: HEXLOWER.encode(&from.link) };
        writeln!(file, "{}", ascii(&first)).map_err(unwritable)?;
        let to = log.read(|record| writeln!(file, "{}", line::write(record)).map_err(unwritable))?;
        if to == from {
            return Err(PieceError::Empty(folder.to_owned()));
        }
        let last = End::To { sequence: to.sequence, link: HEXLOWER.encode(&to.link) };
        writeln!(file, "{}", ascii(&last)).map_err(unwritable)?;
        file.persist()?;
        Ok(Self { from, to })
    }

    /// Reads and verifies a log, as far as it is not pruned.
    ///
    /// # Errors
    ///
    /// If it is broken.
    pub fn of(folder: &Path) -> Result<Self, PieceError> {
        let log = Log::open(folder)?;
        let to = log.read(|_| Ok::<(), PieceError>(()))?;
        Ok(Self { from: log.pruned, to })
    }

    /// Reads and verifies a piece.
    ///
    /// # Errors
    ///
    /// If it is not one, or anything in it was altered.
    pub fn read(path: &Path) -> Result<Self, PieceError> {
        let file = File::open(path).map_err(unreadable(path))?;
        let mut lines = BufReader::new(file).lines().zip(1..);
        let mut next = || match lines.next() {
            Some((line, number)) => Ok((line.map_err(unreadable(path))?, number)),
            None => Err(PieceError::Cut(path.to_owned())),
        };
        let not_a_line = |number| PieceError::NotALine(path.to_owned(), number);
        let (first, _) = next()?;
        let from = match serde_json::from_str(&first) {
            Ok(End::From { sequence, link: hash }) => head(sequence, &hash).ok_or_else(|| not_a_line(1))?,
            Ok(End::To { .. }) | Err(_) => return Err(not_a_line(1)),
        };
        let mut to = from.clone();
        loop {
            let (line, number) = next()?;
            if let Some(record) = line::read(&line) {
                to.follow(&record).map_err(|broken| PieceError::Broken(path.to_owned(), number, broken))?;
                continue;
            }
            return match serde_json::from_str(&line) {
                Ok(End::To { sequence, link }) if head(sequence, &link).as_ref() == Some(&to) => {
                    match next() {
                        Ok((_, number)) => Err(not_a_line(number)),
                        Err(_) => Ok(Self { from, to }),
                    }
                }
                Ok(_) | Err(_) => Err(not_a_line(number)),
            };
        }
    }
}

fn head(sequence: u64, hash: &str) -> Option<AuditHead> {
    Some(AuditHead { sequence, link: link(hash)? })
}
