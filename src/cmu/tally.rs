//! What each server did with the current command, for exit codes and for `--output json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cluster::Failure;
use crate::outcome::Outcome;
use crate::protocol::{Operation, Reply};

/// One row for each server that the command has asked, or knows something about.
#[derive(Default)]
pub struct Tally {
    rows: BTreeMap<usize, Row>,
    /// What a command reports besides the rows of servers.
    more: Map<String, Value>,
    keeps: Keeps,
}

/// Whether the servers' replies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeps {
    /// Only outcomes are kept: the replies have been printed.
    #[default]
    Outcomes,
    /// Replies are kept, for `--output json`.
    Replies,
}

/// What one server did.
pub enum Row {
    /// It did what it was asked. With its reply, if replies are kept.
    Done(Option<Reply>),
    /// It was not asked: the console knows this about it.
    Known(Value),
    /// It agreed, and was not asked to perform.
    NotAttempted,
    /// It refused or did not answer.
    Failed(Failure),
    /// It was not asked: the console knows this about it, and why it is not connected.
    Missing(Value, String),
}

impl Tally {
    /// Keeps replies from now on.
    pub fn keep_replies(&mut self) {
        self.keeps = Keeps::Replies;
    }

    /// Whether replies are kept.
    pub(super) fn keeps_replies(&self) -> bool {
        self.keeps == Keeps::Replies
    }

    /// Forgets the previous command.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.more.clear();
    }

    /// What a server did; `None` if the command did not get to it.
    #[must_use]
    pub fn row(&self, number: usize) -> Option<&Row> {
        self.rows.get(&number)
    }

    /// Whether the command has asked no server.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Records that a server performed the command's operation.
    pub(super) fn done<O: Operation>(&mut self, number: usize, reply: &O::Reply) {
        let kept = self.keeps_replies().then(|| O::wrap(reply.clone()));
        self.rows.insert(number, Row::Done(kept));
    }

    /// Records that a server agreed, until it is asked to perform.
    pub(super) fn willing(&mut self, number: usize) {
        self.rows.insert(number, Row::NotAttempted);
    }

    /// Records that a server failed, even if only at a query that the command needs.
    pub(super) fn failed(&mut self, number: usize, failure: &Failure) {
        self.rows.insert(number, Row::Failed(failure.clone()));
    }

    /// Records what the console knows about a server.
    pub(super) fn known(&mut self, number: usize, data: Value) {
        self.rows.insert(number, Row::Known(data));
    }

    /// Records what the console knows about a server that is not connected.
    pub(super) fn missing(&mut self, number: usize, data: Value, why: &str) {
        self.rows.insert(number, Row::Missing(data, why.to_owned()));
    }

    /// Records what the command reports besides the rows of servers, if replies are kept.
    pub(super) fn report(&mut self, name: &str, value: impl FnOnce() -> Value) {
        if self.keeps_replies() {
            self.more.insert(name.to_owned(), value());
        }
    }

    /// What was reported besides the rows of servers.
    pub(super) fn take_more(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.more)
    }

    /// Refines a failure: only some servers may have failed, or none may have been reached.
    #[must_use]
    pub(super) fn refine(&self, outcome: Outcome, scope: &[usize]) -> Outcome {
        if outcome != Outcome::Failed || self.rows.is_empty() {
            return outcome;
        }
        let done = scope
            .iter()
            .filter(|number| matches!(self.rows.get(number), Some(Row::Done(_) | Row::Known(_))))
            .count();
        let is_unreached = |row: &Row| match row {
            Row::Failed(failure) => matches!(failure, Failure::NotReached(_)),
            Row::Missing(..) => true,
            Row::Done(_) | Row::Known(_) | Row::NotAttempted => false,
        };
        // A script may simply repeat a command that reached no server, but not one that some servers performed.
        match done {
            0 if self.rows.values().all(is_unreached) => Outcome::Unreached,
            0 => Outcome::Failed,
            count if count < scope.len() => Outcome::Partial,
            // Every server did it, and then something else failed, such as writing a file.
            _ => Outcome::Failed,
        }
    }
}
