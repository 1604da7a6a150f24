//! Whose password is hashed next.
//!
//! A hash takes tens of milliseconds and, by default, 19 MiB. Two at a time suffice for all HSMs of a program, so that the
//! memory is allocated once. Whoever has had the fewest hashes lately comes next: those who keep asking wait for each
//! other, and nobody else waits for them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::hsmd::keeping::password::Memory;
use crate::protocol::Request;

/// Memory for hashes, and those who wait for it.
pub(super) struct Turns(Mutex<State>);

/// Memory for one hash; when this is dropped, it goes to the next one.
pub(super) struct Turn {
    turns: &'static Turns,
    /// Always there until the end.
    memory: Option<Memory>,
}

/// Who wants a hash.
pub(super) struct Asker {
    /// The user whose password it is.
    pub(super) user: String,
    /// The hashes that this connection has had lately.
    pub(super) hashes: u64,
}

/// How many hashes somebody has had lately.
#[derive(Default)]
pub(super) struct Recent {
    count: u64,
    last: Option<Instant>,
}

struct State {
    free: Vec<Memory>,
    /// In the order of their arrival.
    waiting: Vec<Waiting>,
    users: HashMap<String, Recent>,
}

struct Waiting {
    asker: Asker,
    give: oneshot::Sender<Turn>,
}

/// Hashes at a time.
const AT_A_TIME: usize = 2;

/// After so long without another one, hashes no longer count.
const FORGET: Duration = Duration::from_secs(10);

/// Users that are remembered, before those who no longer count are forgotten.
const MAX_USERS: usize = 1024;

/// The turns of this program.
pub(super) static TURNS: LazyLock<Turns> = LazyLock::new(Turns::new);

impl Turns {
    fn new() -> Self {
        let free = std::iter::repeat_with(Memory::default).take(AT_A_TIME).collect();
        Self(Mutex::new(State { free, waiting: Vec::new(), users: HashMap::new() }))
    }

    /// Waits for a turn.
    pub(super) async fn next(&'static self, asker: Asker) -> Option<Turn> {
        self.join(asker).await.ok()
    }

    fn join(&'static self, asker: Asker) -> oneshot::Receiver<Turn> {
        let (give, given) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push(Waiting { asker, give });
        let memory = state.free.pop();
        drop(state);
        if let Some(memory) = memory {
            self.give(memory);
        }
        given
    }

    /// Gives memory to the next one, or keeps it.
    fn give(&'static self, memory: Memory) {
        let mut memory = Some(memory);
        while memory.is_some() {
            let mut state = self.state();
            let Some(Waiting { give, .. }) = state.take_next(Instant::now()) else {
                state.free.extend(memory);
                return;
            };
            drop(state);
            // One whose connection has ended meanwhile gives it back.
            let given = give.send(Turn { turns: self, memory: memory.take() });
            memory = given.err().and_then(|mut turn| turn.memory.take());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_next(&mut self, now: Instant) -> Option<Waiting> {
        self.waiting.retain(|waiting| !waiting.give.is_closed());
        let rank = |(at, Waiting { asker, .. }): &(usize, &Waiting)| {
            let of_user = self.users.get(&asker.user).map_or(0, |recent| recent.count(now));
            (of_user.saturating_add(asker.hashes), *at)
        };
        let (next, _) = self.waiting.iter().enumerate().min_by_key(rank)?;
        let next = self.waiting.remove(next);
        if self.users.len() >= MAX_USERS {
            self.users.retain(|_, recent| recent.count(now) > 0);
        }
        self.users.entry(next.asker.user.clone()).or_default().add(now);
        Some(next)
    }
}

impl Asker {
    pub(super) fn of(request: &Request, hashes: &Recent) -> Self {
        let user =
            request.subject().map(|(user_type, name)| format!("{user_type:?} {}", name.to_lowercase()));
        Self { user: user.unwrap_or_default(), hashes: hashes.count(Instant::now()) }
    }
}

impl Recent {
    pub(super) fn count(&self, now: Instant) -> u64 {
        let counts = self.last.is_some_and(|last| now.saturating_duration_since(last) < FORGET);
        if counts { self.count } else { 0 }
    }

    pub(super) fn add(&mut self, now: Instant) {
        self.count = self.count(now).saturating_add(1);
        self.last = Some(now);
    }
}

impl Turn {
    pub(super) fn memory(&mut self) -> &mut Memory {
        self.memory.get_or_insert_default()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.turns.give(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::oneshot::Receiver;

    use super::{Asker, FORGET, Recent, Turn, Turns};

    fn ask(turns: &'static Turns, user: &str, hashes: u64) -> Receiver<Turn> {
        turns.join(Asker { user: user.to_owned(), hashes })
    }

    /// Turns that are all taken.
    fn busy() -> (&'static Turns, Vec<Turn>) {
        let turns: &'static Turns = Box::leak(Box::new(Turns::new()));
        let taken = ["a", "b"].map(|user| ask(turns, user, 0).try_recv().unwrap());
        (turns, taken.into())
    }

    #[test]
    fn two_have_a_turn_and_the_others_wait() {
        let (turns, mut taken) = busy();
        let mut third = ask(turns, "c", 0);
        assert!(third.try_recv().is_err());
        taken.pop();
        assert!(third.try_recv().is_ok());
    }

    #[test]
    fn one_does_not_wait_for_those_who_keep_asking() {
        let (turns, mut taken) = busy();
        // Many connections of one user, and many users' passwords on one connection.
        let mut user: Vec<_> = (0..9).map(|_| ask(turns, "a", 0)).collect();
        let mut connection: Vec<_> = (0..9).map(|at| ask(turns, &format!("d{at}"), 5)).collect();
        let mut other = ask(turns, "c", 0);
        taken.pop();
        let _turn = other.try_recv().unwrap();
        assert!(user.iter_mut().chain(&mut connection).all(|one| one.try_recv().is_err()));
    }

    #[test]
    fn a_turn_whose_connection_has_ended_is_not_lost() {
        let (turns, mut taken) = busy();
        drop(ask(turns, "c", 0));
        taken.clear();
        drop(ask(turns, "d", 0));
        assert!([ask(turns, "e", 0), ask(turns, "f", 0)].iter_mut().all(|one| one.try_recv().is_ok()));
    }

    #[test]
    fn hashes_are_forgotten_after_a_while() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        recent.add(now);
        recent.add(now);
        assert_eq!((recent.count(now), recent.count(now + FORGET)), (2, 0));
    }
}
