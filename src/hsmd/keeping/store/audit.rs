//! The audit log in a store: read in parts, as it may be longer than memory is large, and pruned.

use redb::{TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{FORMAT, Store, StoreError, decode, encode, failed, read_table, write};
use crate::hsm::audit::{AuditHead, AuditRecord};
use crate::hsm::{Event, Tallied};

const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");

/// One row, number 0: where the log begins, once it was pruned.
const PRUNED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("pruned");

/// The version byte of a record of strangers, which has a tally.
const TALLIED: u8 = 2;

/// Records of one part.
const PART: usize = 4096;

/// Some records of a log, as the store has them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AuditPart {
    /// What the log's first record follows.
    pub pruned: AuditHead,
    rows: Vec<(u64, Vec<u8>)>,
}

impl AuditPart {
    /// The records, oldest first; none after the last.
    ///
    /// # Errors
    ///
    /// If one is damaged, or was written by a later release.
    pub fn records(&self) -> Result<Vec<AuditRecord>, StoreError> {
        self.rows.iter().map(|(number, value)| record(*number, value)).collect()
    }
}

/// Why a log is not pruned.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotPruned {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it is not a piece of this HSM's audit log")]
    OfAnother,
    #[error("records {0:#x} to {1:#x} were neither pruned nor exported to it")]
    Gap(u64, u64),
}

impl Store {
    /// The audit log's next records after a number, oldest first.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn audit_part(&self, after: u64) -> Result<AuditPart, StoreError> {
        let transaction = self.begin_read()?;
        let pruned = match read_table(&transaction, PRUNED)? {
            None => AuditHead::default(),
            Some(table) => match table.get(0).map_err(failed)? {
                None => AuditHead::default(),
                Some(head) => decode(0, head.value())?,
            },
        };
        let Some(table) = read_table(&transaction, AUDIT)? else {
            return Ok(AuditPart { pruned, rows: Vec::new() });
        };
        let rows = table.range(after.saturating_add(1)..).map_err(failed)?.take(PART);
        let rows = rows.map(|row| row.map(|(number, value)| (number.value(), value.value().to_vec())));
        Ok(AuditPart { pruned, rows: rows.collect::<Result<_, _>>().map_err(failed)? })
    }

    /// Writes the log to another store.
    pub(super) fn copy_audit(&self, into: &WriteTransaction) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let AuditPart { pruned, rows } = self.audit_part(after)?;
            if after == 0 {
                write(into, PRUNED, 0, &pruned)?;
            }
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = *last;
            let mut table = into.open_table(AUDIT).map_err(failed)?;
            for (number, value) in rows {
                table.insert(number, value.as_slice()).map_err(failed)?;
            }
        }
    }

    /// Drops the records up to and including the one that `to` is the head of, as a piece with all that follow `from`
    /// has them.
    ///
    /// # Errors
    ///
    /// If that is not so, or the store cannot be written.
    pub fn prune(&mut self, from: &AuditHead, to: &AuditHead) -> Result<(), NotPruned> {
        let pruned = self.audit_part(u64::MAX)?.pruned;
        if from.sequence > pruned.sequence {
            return Err(NotPruned::Gap(pruned.sequence.saturating_add(1), from.sequence));
        }
        let last = self.audit_part(to.sequence.saturating_sub(1))?.records()?;
        let is_there = last.first().is_some_and(|record| record.head() == *to);
        if !is_there {
            return if *to == pruned { Ok(()) } else { Err(NotPruned::OfAnother) };
        }
        let transaction = self.begin_write()?;
        write(&transaction, PRUNED, 0, to)?;
        transaction
            .open_table(AUDIT)
            .map_err(failed)?
            .retain_in(..=to.sequence, |_, _| false)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(self.give_back_space()?)
    }
}

/// Adds the records among these changes.
pub(super) fn log(transaction: &WriteTransaction, events: &[Event]) -> Result<(), StoreError> {
    let mut records = events.iter().filter_map(encoded).peekable();
    if records.peek().is_none() {
        return Ok(());
    }
    // Once for all: it takes longer than to write a record.
    let mut table = transaction.open_table(AUDIT).map_err(failed)?;
    records.try_for_each(|(number, value)| {
        let value = value.map_err(|_| StoreError::Record(number))?;
        table.insert(number, value.as_slice()).map(drop).map_err(failed)
    })
}

/// A record's number and value; `None` of other events.
fn encoded(event: &Event) -> Option<(u64, postcard::Result<Vec<u8>>)> {
    if let Event::Recorded(record) = event {
        return Some((record.sequence, encode(FORMAT, record)));
    }
    let Event::Tallied(tallied) = event else { return None };
    Some((tallied.sequence(), encode(TALLIED, tallied)))
}

fn record(number: u64, value: &[u8]) -> Result<AuditRecord, StoreError> {
    match value.split_first() {
        Some((&TALLIED, value)) => {
            let tallied: Tallied = postcard::from_bytes(value).map_err(|_| StoreError::Record(number))?;
            Ok(tallied.whole())
        }
        Some(_) | None => decode(number, value),
    }
}
