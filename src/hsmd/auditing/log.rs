//! An HSM's audit log.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::without_number;
use crate::hsm::audit::{AuditHead, AuditRecord, Broken};
use crate::hsmd::keeping::folder::{Folder, FolderError, hsm_folders};
use crate::hsmd::keeping::store::audit::{AuditPart, NotPruned};
use crate::hsmd::keeping::store::{Store, StoreError};
use crate::hsmd::serving::control::{self, Ask};

/// An HSM's audit log, to be read.
pub struct Log {
    folder: PathBuf,
    source: Source,
    /// What its first record follows.
    pub pruned: AuditHead,
}

enum Source {
    Running,
    /// With the end of the log, as the HSM's state knows it.
    Stopped(Box<Store>, AuditHead),
}

/// Why an audit log cannot be read, or was not pruned.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LogError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{folder}: the running HSM does not answer: {error}", folder = .0.display(), error = without_number(.1))]
    Running(PathBuf, io::Error),
    #[error("{folder}: {1}", folder = .0.display())]
    Refused(PathBuf, String),
    #[error("{folder}: {1}", folder = .0.display())]
    Store(PathBuf, StoreError),
    #[error("{folder}: {1}", folder = .0.display())]
    Broken(PathBuf, Broken),
    #[error("{folder}: not pruned: {1}", folder = .0.display())]
    NotPruned(PathBuf, NotPruned),
}

impl Log {
    /// Opens the log of an HSM, running or stopped.
    ///
    /// # Errors
    ///
    /// If the HSM is running and does not answer, or its folder cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        if hsm_folders(folder)?.as_slice() != [folder] {
            return Err(FolderError::Cluster(folder.to_owned()).into());
        }
        let folder = folder.to_owned();
        if let Some(AuditPart { pruned, .. }) = ask(&folder, u64::MAX)? {
            return Ok(Self { folder, source: Source::Running, pruned });
        }
        let Folder { store, hsm, .. } = Folder::open_to_read(&folder)?;
        let part = store.audit_part(u64::MAX).map_err(|error| LogError::Store(folder.clone(), error))?;
        let source = Source::Stopped(Box::new(store), hsm.audit_head().clone());
        Ok(Self { folder, source, pruned: part.pruned })
    }

    /// Gives every record to `take`, oldest first, even if the chain is broken, and returns where the log ends.
    ///
    /// # Errors
    ///
    /// The first of `take`, or else the first break of the chain.
    pub fn read<E: From<LogError>>(
        &self,
        mut take: impl FnMut(&AuditRecord) -> Result<(), E>,
    ) -> Result<AuditHead, E> {
        let (mut head, mut broken) = (self.pruned.clone(), None);
        loop {
            let records = self.part(head.sequence)?;
            for record in &records {
                take(record)?;
                if let Err(reason) = head.follow(record) {
                    broken = broken.or(Some(reason));
                    head = record.head();
                }
            }
            if records.is_empty() {
                break;
            }
        }
        let broken = broken.or_else(|| self.cut(&head));
        match broken {
            Some(broken) => Err(LogError::Broken(self.folder.clone(), broken).into()),
            None => Ok(head),
        }
    }

    fn part(&self, after: u64) -> Result<Vec<AuditRecord>, LogError> {
        let part = match &self.source {
            Source::Running => ask(&self.folder, after)?.unwrap_or_default(),
            Source::Stopped(store, _) => {
                store.audit_part(after).map_err(|error| LogError::Store(self.folder.clone(), error))?
            }
        };
        part.records().map_err(|error| LogError::Store(self.folder.clone(), error))
    }

    /// Whether records are missing at its end. The log of a running HSM grows while it is read.
    fn cut(&self, end: &AuditHead) -> Option<Broken> {
        match &self.source {
            Source::Stopped(_, known) if known.sequence > end.sequence => {
                Some(Broken::Missing(end.sequence.saturating_add(1)))
            }
            Source::Stopped(_, known) if known != end => Some(Broken::Unchained(end.sequence)),
            Source::Running | Source::Stopped(..) => None,
        }
    }
}

/// Drops the records of an HSM's log up to the second head, as a piece from the first one on has them.
///
/// # Errors
///
/// If the piece is not of this log or records before it were neither exported nor dropped, or the log cannot be written.
pub fn prune(folder: &Path, from: &AuditHead, to: &AuditHead) -> Result<(), LogError> {
    let running = control::ask::<Result<(), String>>(folder, &Ask::Prune(from.clone(), to.clone()));
    let folder = folder.to_owned();
    match running.map_err(|error| LogError::Running(folder.clone(), error))? {
        Some(pruned) => pruned.map_err(|error| LogError::Refused(folder, error)),
        None => {
            let mut store = Folder::open(&folder)?.store;
            store.prune(from, to).map_err(|error| LogError::NotPruned(folder, error))
        }
    }
}

/// Asks a running HSM; `None` if none is running.
fn ask(folder: &Path, after: u64) -> Result<Option<AuditPart>, LogError> {
    let asked = control::ask::<Result<AuditPart, String>>(folder, &Ask::AuditPart(after));
    match asked.map_err(|error| LogError::Running(folder.to_owned(), error))? {
        Some(part) => part.map(Some).map_err(|error| LogError::Refused(folder.to_owned(), error)),
        None => Ok(None),
    }
}
