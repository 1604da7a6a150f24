//! Copying new keys from the node that made them to the others.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::frame::{line, status};
use super::{Code, Session, State};
use crate::cluster::Failure;
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{Existing, ExtractKey, InsertKey, Inserted, MaskedObject, Place};

/// How many nodes have to have a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Minimum {
    /// If fewer have it, it is deleted again.
    pub(super) nodes: usize,
    /// For how long copying is tried again until then; without it, once.
    pub(super) timeout: Option<Duration>,
}

/// A key on a node.
pub(super) type OnNode = (usize, KeyHandle);

/// Where new keys are now.
pub(super) struct Spread {
    states: BTreeMap<usize, Code>,
    /// The copies that were made, or may have been.
    made: Vec<OnNode>,
}

impl Spread {
    pub(super) fn only(maker: usize, handles: &[KeyHandle]) -> Self {
        let made = handles.iter().map(|handle| (maker, *handle)).collect();
        Self { states: BTreeMap::from([(maker, Code::SUCCESS)]), made }
    }

    /// The state of each node, in order.
    pub(super) fn states(&self) -> Vec<State> {
        self.states.iter().map(|(node, code)| (*node, *code)).collect()
    }

    /// The nodes that have the keys.
    pub(super) fn holders(&self) -> Vec<usize> {
        let holding = self.states.iter().filter(|(_, code)| **code == Code::SUCCESS);
        holding.map(|(node, _)| *node).collect()
    }

    /// Whether enough nodes have them.
    pub(super) fn reaches(&self, minimum: Minimum) -> bool {
        self.holders().len() >= minimum.nodes
    }

    /// The copies that were made, or may have been.
    pub(super) fn made(&self) -> &[OnNode] {
        &self.made
    }
}

/// Copies keys from the node that has them to all others, under the same handles.
pub(super) fn spread(session: &mut Session<'_>, from: usize, handles: &[KeyHandle]) -> Spread {
    let mut spread = Spread::only(from, handles);
    fill(session, &mut spread, from, handles);
    spread
}

/// As [`spread`], and with a timeout again and again until enough nodes have the keys or the time is over.
pub(super) fn spread_until(
    session: &mut Session<'_>,
    from: usize,
    handles: &[KeyHandle],
    minimum: Minimum,
) -> Spread {
    let Some(timeout) = minimum.timeout else { return spread(session, from, handles) };
    let start = Instant::now();
    let left = || timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero());
    // A node that does not answer must not hold the command up for longer than the user wants to wait.
    let usual = session.cluster.limit_calls(timeout);
    let mut spread = spread(session, from, handles);
    while !spread.reaches(minimum)
        && !session.interrupt.is_raised()
        && let Some(left) = left()
    {
        session.print(&checking(start.elapsed().as_secs(), handles, &spread.states()));
        session.pause(left.min(PAUSE));
        if session.interrupt.is_raised() {
            // Whatever is asked now ends at once, with its connection, and that is still needed to delete the key.
            break;
        }
        session.cluster.limit_calls(left);
        fill(session, &mut spread, from, handles);
    }
    session.cluster.limit_calls(usual);
    spread
}

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// What the original prints while it waits.
fn checking(seconds: u64, handles: &[KeyHandle], states: &[State]) -> String {
    let kinds: &[&str] = if handles.len() > 1 { &["private key", "public key"] } else { &["key"] };
    let checked = kinds
        .iter()
        .map(|kind| line(&format!("Checking {kind} status ({seconds} seconds)..")) + &status(states));
    checked.collect()
}

/// Copies the keys to the nodes that lack them.
fn fill(session: &mut Session<'_>, spread: &mut Spread, from: usize, handles: &[KeyHandle]) {
    let holders = spread.holders();
    let mut others = session.everywhere();
    others.retain(|node| !holders.contains(node));
    for handle in handles {
        match session.perform(&[from], ExtractKey { handle: *handle }).pop() {
            Some((_, Ok(object))) => copy(session, spread, &mut others, *handle, object),
            Some((_, Err(failure))) => {
                // The maker did not hand out the key, so its failure becomes the state of the other nodes, too.
                let code = Code::of::<()>(&Err(failure));
                spread.states.extend(others.iter().map(|node| (*node, code)));
                return;
            }
            None => {}
        }
    }
    spread.states.extend(others.into_iter().map(|node| (node, Code::SUCCESS)));
}

/// Inserts one copy on the nodes that still take part. A node that fails takes no further part: it does not count as
/// a holder of the keys anyway.
fn copy(
    session: &mut Session<'_>,
    spread: &mut Spread,
    others: &mut Vec<usize>,
    handle: KeyHandle,
    object: MaskedObject,
) {
    let insert = InsertKey { object, place: Place::SameHandle, existing: Existing::Compare };
    for (node, answer) in session.perform(others, insert) {
        let code = match &answer {
            Ok(Inserted::Created(_) | Inserted::Equal(_) | Inserted::Replaced(_)) => Code::SUCCESS,
            // Comparing inserts nothing if another key has the handle.
            Ok(Inserted::Differs(..)) => Refusal::HandleTaken.into(),
            Err(_) => Code::of(&answer),
        };
        // A lost answer may hide a copy. An equal key was there before this command and is not its to delete.
        if matches!(answer, Ok(Inserted::Created(_)) | Err(Failure::NoAnswer(_))) {
            spread.made.push((node, handle));
        }
        if code != Code::SUCCESS {
            spread.states.insert(node, code);
            others.retain(|other| *other != node);
        }
    }
}
