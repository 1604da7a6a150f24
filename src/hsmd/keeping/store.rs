//! An HSM's history on disk.
//!
//! One redb file with the tables `history` (number → the changes of one decision), `snapshots` (number of the last
//! decision in it → the whole HSM), `audit` (sequence number → record) and, once the audit log was pruned, `pruned`
//! (where it begins). Replaying the history on top of the newest snapshot gives the HSM. Each value is a version byte
//! and postcard.

pub mod audit;
mod copy;

use std::io;
use std::panic::UnwindSafe;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{panic, thread};

use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, TableDefinition, TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use copy::Copy;

use crate::files::without_number;
use crate::hsm::{Event, Hsm};

/// An open store; no other process has it open.
pub struct Store {
    database: Database,
    /// `None` if it is not a file.
    path: Option<PathBuf>,
    last: u64,
    since_snapshot: u64,
}

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("a store already exists")]
    Exists,
    /// Another process has it open.
    #[error("in use by another hsmd")]
    InUse,
    /// The system does not let it be opened.
    #[error("{}", without_number(.0))]
    System(#[from] io::Error),
    /// There is a file, but not a store. It is never taken for an empty HSM.
    #[error("not an HSM's store, or damaged ({0})")]
    Unreadable(String),
    /// A later release wrote it, or it is damaged.
    #[error("record {0} of the store cannot be read by this release")]
    Record(u64),
    #[error("the store holds no HSM")]
    Empty,
    #[error("the store failed: {0}")]
    Failed(#[from] Box<redb::Error>),
}

const HISTORY: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("history");
const SNAPSHOTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("snapshots");

/// The version byte of every value. A release reads all formats that earlier ones wrote.
const FORMAT: u8 = 1;

/// That of a snapshot with the pasts of its keys, which earlier snapshots do not have.
const WITH_PASTS: u8 = 2;

/// Decisions between two snapshots. Replaying this many takes some tens of milliseconds at the start.
const SNAPSHOT_EVERY: u64 = 4096;

/// Bytes of redb's page cache. Its default is a gibibyte, for each HSM.
const CACHE: usize = 16 * 1024 * 1024;

/// How long to wait for the lock. The kernel releases that of a killed hsmd only when its last thread is gone, and a
/// service manager may start the next one before that.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Makes the store of a new HSM, whose history begins with these changes.
    ///
    /// # Errors
    ///
    /// If the file exists, which is not touched, or cannot be written.
    pub fn create(path: &Path, history: &[Event]) -> Result<(), StoreError> {
        let database = create_file(path)?;
        Self { database, path: None, last: 0, since_snapshot: 0 }.commit(&[history])
    }

    /// Makes the store of an HSM that begins with another one's state.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_from(path: &Path, hsm: &Hsm) -> Result<(), StoreError> {
        let database = create_file(path)?;
        let transaction = database.begin_write().map_err(failed)?;
        write_snapshot(&transaction, 1, hsm)?;
        transaction.commit().map_err(failed)
    }

    /// Makes the store of an HSM that was zeroized: nothing but its new state, and the audit log with one more record.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), or if this one cannot be read.
    pub fn create_next(&self, path: &Path, hsm: &Hsm, record: &Event) -> Result<(), StoreError> {
        let database = create_file(path)?;
        let transaction = database.begin_write().map_err(failed)?;
        write_snapshot(&transaction, 1, hsm)?;
        self.copy_audit(&transaction)?;
        audit::log(&transaction, std::slice::from_ref(record))?;
        transaction.commit().map_err(failed)
    }

    /// Opens an existing store and replays it.
    ///
    /// # Errors
    ///
    /// If it does not exist, is in use, or cannot be read.
    pub fn open(path: &Path) -> Result<(Self, Hsm), StoreError> {
        let (store, hsm) = Self::replay_checked(|| open_file(path))?;
        Ok((Self { path: Some(path.to_owned()), ..store }, hsm))
    }

    /// As [`open`](Self::open), and even if the file cannot be written: then a copy in memory is opened.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_to_read(path: &Path) -> Result<(Self, Hsm), StoreError> {
        match Self::open(path) {
            Err(StoreError::System(error)) if is_read_only(&error) => Self::replay_checked(|| {
                let copy = Copy::of(path)?;
                Builder::new().set_cache_size(CACHE).create_with_backend(copy).map_err(unreadable)
            }),
            opened => opened,
        }
    }

    /// Opens a store on storage other than a file, or makes it there with `history`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn on(storage: impl StorageBackend, history: &[Event]) -> Result<(Self, Hsm), StoreError> {
        let database = Builder::new().set_cache_size(CACHE).create_with_backend(storage).map_err(failed)?;
        match Self::replay(database)? {
            (store, hsm) if store.last > 0 => Ok((store, hsm)),
            (mut store, _) => {
                store.commit(&[history])?;
                Self::replay(store.database)
            }
        }
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Makes decisions durable, all or none, with one fsync.
    ///
    /// # Errors
    ///
    /// If they may not be durable. The store should not be written again until it is reopened.
    pub fn commit(&mut self, decisions: &[&[Event]]) -> Result<(), StoreError> {
        let transaction = self.database.begin_write().map_err(failed)?;
        let mut number = self.last;
        for events in decisions {
            number = number.saturating_add(1);
            // A session's own state, such as a login or a session key, ends with it.
            let lasting: Vec<&Event> = events.iter().filter(|event| event.is_lasting()).collect();
            write(&transaction, HISTORY, number, &lasting)?;
            audit::log(&transaction, events)?;
        }
        transaction.commit().map_err(failed)?;
        self.since_snapshot = self.since_snapshot.saturating_add(number.saturating_sub(self.last));
        self.last = number;
        Ok(())
    }

    /// Writes a snapshot and drops the history before it, once that is long enough.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn compact(&mut self, hsm: &Hsm) -> Result<(), StoreError> {
        if self.since_snapshot < SNAPSHOT_EVERY {
            return Ok(());
        }
        // In one transaction: a crash leaves either the old history or the snapshot.
        let transaction = self.database.begin_write().map_err(failed)?;
        write_snapshot(&transaction, self.last, hsm)?;
        transaction
            .open_table(SNAPSHOTS)
            .map_err(failed)?
            .retain_in(..self.last, |_, _| false)
            .map_err(failed)?;
        transaction
            .open_table(HISTORY)
            .map_err(failed)?
            .retain_in(..=self.last, |_, _| false)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.since_snapshot = 0;
        Ok(())
    }

    /// Makes the file shorter, if much of it is free.
    fn give_back_space(&mut self) -> Result<(), StoreError> {
        self.database.compact().map(drop).map_err(failed)
    }

    fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.database.begin_read().map_err(failed)
    }

    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        self.database.begin_write().map_err(failed)
    }

    fn replay_checked(
        open: impl FnOnce() -> Result<Database, StoreError> + UnwindSafe,
    ) -> Result<(Self, Hsm), StoreError> {
        let opened = panic::catch_unwind(|| {
            let mut file = open()?;
            if file.check_integrity().map_err(unreadable)? { Self::replay(file) } else { Err(damaged()) }
        });
        // redb panics on pages that make no sense, and a damaged store must be reported, not crash all HSMs.
        match opened.unwrap_or_else(|_| Err(damaged()))? {
            (store, hsm) if store.last > 0 => Ok((store, hsm)),
            _ => Err(StoreError::Empty),
        }
    }

    fn replay(database: Database) -> Result<(Self, Hsm), StoreError> {
        // A write transaction makes the tables that are missing, so that there is one way to read them; nothing of it
        // is kept.
        let transaction = database.begin_write().map_err(failed)?;
        let (mut last, mut hsm) = (0, Hsm::default());
        {
            let snapshots = transaction.open_table(SNAPSHOTS).map_err(failed)?;
            if let Some((number, value)) = snapshots.last().map_err(failed)? {
                last = number.value();
                hsm = decode_snapshot(last, value.value())?;
            }
        }
        let before = last;
        {
            let history = transaction.open_table(HISTORY).map_err(failed)?;
            for row in history.range(last.saturating_add(1)..).map_err(failed)? {
                let (number, value) = row.map_err(failed)?;
                last = number.value();
                let events: Vec<Event> = decode(last, value.value())?;
                hsm.apply_all(&events);
            }
        }
        transaction.abort().map_err(failed)?;
        Ok((Self { database, path: None, last, since_snapshot: last.saturating_sub(before) }, hsm))
    }
}

fn create_file(path: &Path) -> Result<Database, StoreError> {
    // redb would open an existing store.
    if path.exists() {
        return Err(StoreError::Exists);
    }
    Builder::new().set_cache_size(CACHE).create(path).map_err(failed)
}

/// Opens a store's file, and waits a little if it is in use.
fn open_file(path: &Path) -> Result<Database, StoreError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match Builder::new().set_cache_size(CACHE).open(path) {
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::InUse),
            opened => return opened.map_err(unreadable),
        }
    }
}

/// What the system says is the cause: the store need not be damaged.
fn unreadable(error: DatabaseError) -> StoreError {
    match redb::Error::from(error) {
        redb::Error::Io(error) if error.raw_os_error().is_some() => StoreError::System(error),
        error => StoreError::Unreadable(error.to_string()),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn damaged() -> StoreError {
    StoreError::Unreadable("its pages do not fit together".to_owned())
}

fn write<T: Serialize + ?Sized>(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    number: u64,
    value: &T,
) -> Result<(), StoreError> {
    insert(transaction, table, number, (FORMAT, value))
}

fn write_snapshot(transaction: &WriteTransaction, number: u64, hsm: &Hsm) -> Result<(), StoreError> {
    insert(transaction, SNAPSHOTS, number, (WITH_PASTS, &hsm.with_pasts()))
}

/// As [`write()`], in a format of the table's own.
fn insert<T: Serialize + ?Sized>(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    number: u64,
    (format, value): (u8, &T),
) -> Result<(), StoreError> {
    let bytes = encode(format, value).map_err(|_| StoreError::Record(number))?;
    transaction.open_table(table).map_err(failed)?.insert(number, bytes.as_slice()).map_err(failed)?;
    Ok(())
}

fn encode<T: Serialize + ?Sized>(format: u8, value: &T) -> postcard::Result<Vec<u8>> {
    // With room for all of it: a vector that grows is copied, and what it leaves is wiped.
    let size = postcard::experimental::serialized_size(value)?;
    let mut bytes = Vec::with_capacity(size.saturating_add(1));
    bytes.push(format);
    postcard::to_extend(value, bytes)
}

/// `None` if nothing was ever written to it.
fn read_table(
    transaction: &ReadTransaction,
    table: TableDefinition<'static, u64, &'static [u8]>,
) -> Result<Option<ReadOnlyTable<u64, &'static [u8]>>, StoreError> {
    match transaction.open_table(table) {
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        table => table.map(Some).map_err(failed),
    }
}

fn decode<T: DeserializeOwned>(number: u64, bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&FORMAT, value)) => postcard::from_bytes(value).map_err(|_| StoreError::Record(number)),
        Some(_) | None => Err(StoreError::Record(number)),
    }
}

fn decode_snapshot(number: u64, bytes: &[u8]) -> Result<Hsm, StoreError> {
    match bytes.split_first() {
        Some((&WITH_PASTS, value)) => Hsm::from_with_pasts(value).ok_or(StoreError::Record(number)),
        Some(_) | None => decode(number, bytes),
    }
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Failed(Box::new(error.into()))
}
