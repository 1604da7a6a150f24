//! Decisions that share one commit.

use tokio::sync::oneshot;

use crate::hsm::{Event, Hsm, Verdict};
use crate::hsmd::keeping::store::{Store, StoreError};
use crate::protocol::Refusal;

/// What was decided, and who waits for it to be durable.
pub(super) struct Decided {
    pub(super) events: Vec<Event>,
    pub(super) answer: Answer,
}

/// To whom the outcome goes.
pub(super) enum Answer {
    Client(Verdict, oneshot::Sender<Verdict>),
    /// The owner of the HSM's folder.
    Owner(oneshot::Sender<Result<(), Refusal>>),
    Nobody,
}

/// The decisions of one batch, in order.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) decided: Vec<Decided>,
    /// A copy of the HSM with the decisions applied; `None` as long as they change nothing.
    pub(super) next: Option<Hsm>,
}

impl Batch {
    /// Takes challenges out of the events, and applies them at once. Anyone may ask for one, as often as they like: that
    /// must cost no more than a question.
    pub(super) fn remember_challenges(&mut self, hsm: &mut Hsm, events: &mut Vec<Event>) {
        if events.iter().all(Event::is_challenge) {
            for event in events.drain(..) {
                hsm.apply(&event);
                self.next.iter_mut().for_each(|next| next.apply(&event));
            }
        }
    }

    pub(super) fn add(&mut self, hsm: &Hsm, events: Vec<Event>, answer: Answer) {
        if !events.is_empty() {
            let next = self.next.get_or_insert_with(|| hsm.clone());
            next.apply_all(&events);
        }
        self.decided.push(Decided { events, answer });
    }
}

impl Answer {
    /// Sends the outcome of what became durable, or the refusal of what did not.
    pub(super) fn send(self, is_durable: bool) {
        match self {
            Self::Client(verdict, sender) => {
                let verdict = if is_durable { verdict } else { Verdict::Refused(Refusal::StoreFailure) };
                // If the client has disconnected, it learns the outcome by asking again with the same operation id.
                let _ = sender.send(verdict);
            }
            Self::Owner(sender) => {
                // The asker may have stopped waiting.
                let _ = sender.send(if is_durable { Ok(()) } else { Err(Refusal::StoreFailure) });
            }
            Self::Nobody => {}
        }
    }
}

/// A batch after the attempt to write it.
pub(super) struct Written {
    pub(super) decided: Vec<Decided>,
    pub(super) next: Hsm,
    pub(super) durable: bool,
    /// Why the store must not be written again before it was opened again.
    pub(super) failure: Option<StoreError>,
}

pub(super) fn write(store: &mut Store, decided: Vec<Decided>, next: Hsm) -> Written {
    let committed = store.commit(&lasting(&decided));
    let durable = committed.is_ok();
    let failure = committed.and_then(|()| store.compact(&next)).err();
    Written { decided, next, durable, failure }
}

/// The changes of each decision that has any that outlive its session.
pub(super) fn lasting(decided: &[Decided]) -> Vec<&[Event]> {
    let events = decided.iter().map(|decided| decided.events.as_slice());
    events.filter(|events| events.iter().any(Event::is_lasting)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Batch, Event, Hsm};
    use crate::hsm::SessionId;

    #[test]
    fn a_challenge_costs_neither_a_commit_nor_a_copy() {
        let (mut batch, mut hsm) = (Batch::default(), Hsm::default());
        let mut events = vec![Event::ChallengeUsed(SessionId(1))];
        batch.remember_challenges(&mut hsm, &mut events);
        assert!(events.is_empty() && batch.next.is_none());
        let mut events = vec![Event::ChallengeUsed(SessionId(1)), Event::Started];
        batch.remember_challenges(&mut hsm, &mut events);
        assert_eq!(events.len(), 2, "a change goes with it");
    }
}
