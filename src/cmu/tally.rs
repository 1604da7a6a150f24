//! What each server did with the command that runs: for exit codes, and for whoever reads JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::Failure;
use crate::outcome::Outcome;
use crate::protocol::{Operation, Reply};

/// One row for each server that the command has asked.
#[derive(Default)]
pub struct Tally {
    rows: BTreeMap<usize, Row>,
    keeps: Keeps,
}

/// Whether what servers reply is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeps {
    /// Text shows it, and that is all.
    #[default]
    Outcomes,
    /// It becomes data.
    Replies,
}

/// What one server did.
pub enum Row {
    /// What it was asked; its reply, if replies are kept.
    Done(Option<Reply>),
    /// The console knows this of it, and did not ask.
    Known(Value),
    /// It would have, and was not asked to.
    NotAttempted,
    /// It did not.
    Failed(Failure),
    /// The console knows this of it, and that it is not there.
    Missing(Value, String),
}

impl Tally {
    /// Keeps replies, too, from now on.
    pub fn keep_replies(&mut self) {
        self.keeps = Keeps::Replies;
    }

    /// Whether what servers reply becomes data.
    pub(super) fn keeps_replies(&self) -> bool {
        self.keeps == Keeps::Replies
    }

    /// Forgets the command before.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// What a server did, if it was asked.
    #[must_use]
    pub fn row(&self, number: usize) -> Option<&Row> {
        self.rows.get(&number)
    }

    /// Whether any server was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A server has done what the command is about.
    pub(super) fn done<O: Operation>(&mut self, number: usize, reply: &O::Reply) {
        let kept = self.keeps_replies().then(|| O::wrap(reply.clone()));
        self.rows.insert(number, Row::Done(kept));
    }

    /// A server would do what the command is about, and was not asked to.
    pub(super) fn willing(&mut self, number: usize) {
        self.rows.insert(number, Row::NotAttempted);
    }

    /// A server has failed, be it at a look-up that the command needs.
    pub(super) fn failed(&mut self, number: usize, failure: &Failure) {
        self.rows.insert(number, Row::Failed(failure.clone()));
    }

    /// Takes what the console knows of a server.
    pub(super) fn know(&mut self, number: usize, data: Value) {
        self.rows.insert(number, Row::Known(data));
    }

    /// Takes what the console knows of a server that is not there.
    pub(super) fn miss(&mut self, number: usize, data: Value, why: &str) {
        self.rows.insert(number, Row::Missing(data, why.to_owned()));
    }

    /// How the command ended, more exactly: a failure can be one of some servers only, or of none that was reached.
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
        match done {
            0 if self.rows.values().all(is_unreached) => Outcome::Unreached,
            0 => Outcome::Failed,
            count if count < scope.len() => Outcome::Partial,
            // Every server did it, and then something else went wrong.
            _ => Outcome::Failed,
        }
    }
}
