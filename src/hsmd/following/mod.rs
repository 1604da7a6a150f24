//! HSMs of one cluster bring each other's keys up to date.
//!
//! `rounds` says when an HSM asks which member; `asking` is such an exchange and `answering` its other end; `message` is
//! what they say to each other, after each has proved to be of the same cluster (`membership`). A `view` is what is
//! compared: one hash if all is equal. [`deletions`] are remembered until every member has seen them, and [`board`] is
//! what an HSM knows of the others. What to take is decided by [`Hsm::follow`](crate::hsm::Hsm::follow).

mod answering;
mod asking;
pub mod board;
pub mod deletions;
mod membership;
mod message;
mod rounds;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task;

use super::serving::attester::Attester;
use super::serving::engine::Engine;
use crate::hsm::{Certificates, Identity};
use crate::protocol::device::Member;
use board::Board;
use membership::Membership;
use view::View;

pub(in crate::hsmd) use answering::{admit, answer};
pub(in crate::hsmd) use message::PEER;
pub(in crate::hsmd) use rounds::go_round;

/// An HSM's part in its cluster, which is another one when HSMs join or leave.
pub struct Part {
    identity: Identity,
    certificates: Certificates,
    attester: Attester,
    /// `None` if keys do not follow.
    interval: Option<Duration>,
    now: Mutex<Option<Arc<Following>>>,
    changed: Notify,
}

impl Part {
    /// That of an HSM among these members.
    #[must_use]
    pub fn new(
        identity: &Identity,
        members: &[Member],
        interval: Option<Duration>,
        certificates: &Certificates,
        attester: Attester,
    ) -> Self {
        let (identity, certificates) = (identity.clone(), certificates.clone());
        let (now, changed) = (Mutex::new(None), Notify::new());
        let part = Self { identity, certificates, attester, interval, now, changed };
        *part.lock() = part.among(members);
        part
    }

    /// What it is now; `None` if keys do not follow, the HSM is alone in its cluster, or the cluster is not initialized.
    #[must_use]
    pub fn now(&self) -> Option<Arc<Following>> {
        self.lock().clone()
    }

    /// Other HSMs have joined the cluster, or left it. What was known of them is asked again.
    pub(in crate::hsmd) fn set_members(&self, members: &[Member]) {
        *self.lock() = self.among(members);
        self.changed.notify_one();
    }

    fn among(&self, members: &[Member]) -> Option<Arc<Following>> {
        let Self { identity, certificates, attester, interval, .. } = self;
        Following::new(identity, members, (*interval)?, certificates, attester.clone()).map(Arc::new)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Following>>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One HSM's part in its cluster, as long as the members stay the same.
pub struct Following {
    membership: Membership,
    board: Mutex<Board>,
    /// Another member has said that it has other keys.
    hinted: Notify,
    /// From one exchange to the next.
    interval: Duration,
}

impl Following {
    /// That of an HSM; `None` if it is alone in its cluster, or the cluster is not initialized.
    #[must_use]
    pub fn new(
        identity: &Identity,
        members: &[Member],
        interval: Duration,
        certificates: &Certificates,
        attester: Attester,
    ) -> Option<Self> {
        let membership = Membership::new(identity, members, certificates, attester)?;
        let board = Board::new(identity.node_id, membership.others.iter().map(|member| member.node_id));
        Some(Self { membership, board: Mutex::new(board), hinted: Notify::new(), interval })
    }

    /// What it knows of the others.
    pub fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the HSM has now. It is computed anew only after a change, and away from the threads that serve clients.
    async fn view(&self, engine: &Engine) -> Option<Arc<View>> {
        let hsm = engine.snapshot().await?;
        let number = {
            let mut board = self.board();
            if let Some(view) = board.view.clone().filter(|view| view.is_of(&hsm)) {
                return Some(view);
            }
            board.views = board.views.saturating_add(1);
            board.views
        };
        let view = Arc::new(task::spawn_blocking(move || View::of(hsm, number)).await.ok()?);
        self.board().view = Some(Arc::clone(&view));
        Some(view)
    }
}
