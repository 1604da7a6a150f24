//! `hsmd audit`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use cloudhsm::hsm::audit::AuditHead;
use cloudhsm::hsmd::auditing::line;
use cloudhsm::hsmd::auditing::log::{self, Log, LogError};
use cloudhsm::hsmd::auditing::piece::Piece;

use super::{ignore_signals, print, text};

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Write the log to a new file, as JSON lines that can be verified without the HSM
    Export {
        /// The HSM's folder
        dir: PathBuf,
        /// The file to make
        file: PathBuf,
    },
    /// Drop the records that an exported file holds from the HSM's log
    Prune {
        /// The HSM's folder
        dir: PathBuf,
        /// The exported file
        file: PathBuf,
    },
    /// Verify exported files, and that each goes on where the one before it ends
    Verify {
        /// Exported files, oldest first; an HSM's folder may follow them
        #[arg(required = true, value_name = "FILE")]
        pieces: Vec<PathBuf>,
    },
}

pub(crate) fn print_log(dir: &Path, json: bool) -> Result<(), String> {
    let write = if json { line::write } else { ToString::to_string };
    let log = Log::open(dir).map_err(text)?;
    log.read(|record| print(&format!("{}\n", write(record))).map_err(NotPrinted::Output)).map_err(text)?;
    Ok(())
}

/// Why the audit log is not printed.
#[derive(Debug, thiserror::Error)]
enum NotPrinted {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{0}")]
    Output(String),
}

pub(crate) fn carry_out(command: Audit) -> Result<(), String> {
    match command {
        Audit::Export { dir, file } => {
            ignore_signals()?;
            let piece = Piece::export(&dir, &file).map_err(text)?;
            print(&format!("Made {}: {}\n", file.display(), numbers(&piece)))
        }
        Audit::Prune { dir, file } => {
            ignore_signals()?;
            let piece = Piece::read(&file).map_err(text)?;
            log::prune(&dir, &piece.from, &piece.to).map_err(text)?;
            print(&format!("Dropped {}: they are in {}\n", numbers(&piece), file.display()))
        }
        Audit::Verify { pieces } => verify(&pieces),
    }
}

fn verify(pieces: &[PathBuf]) -> Result<(), String> {
    let mut end: Option<AuditHead> = None;
    for path in pieces {
        let piece = if path.is_dir() { Piece::of(path) } else { Piece::read(path) }.map_err(text)?;
        if end.is_some_and(|end| end != piece.from) {
            return Err(format!("{}: does not go on where the one before it ends", path.display()));
        }
        print(&format!("{}: {}\n", path.display(), numbers(&piece)))?;
        end = Some(piece.to);
    }
    Ok(())
}

fn numbers(Piece { from, to }: &Piece) -> String {
    format!("audit records {:#x} to {:#x}", from.sequence.saturating_add(1), to.sequence)
}
