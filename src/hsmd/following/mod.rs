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
use crate::protocol::compare::KeyPrints;
use crate::protocol::device::Member;
use board::Board;
use deletions::Forgotten;
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
    now: Mutex<Now>,
    changed: Notify,
}

struct Now {
    /// Tells the cluster from others of its clone family.
    name: Vec<u8>,
    members: Vec<Member>,
    following: Option<Arc<Following>>,
    /// The deletions that all members had seen.
    forgotten: Forgotten,
    /// Whether others have joined since that have not seen them.
    has_joined: bool,
}

impl Part {
    /// That of an HSM among these members. HSMs that were made together have the certificate of their maker in common, and
    /// no other clone of the family has it.
    #[must_use]
    pub fn new(
        identity: &Identity,
        members: &[Member],
        interval: Option<Duration>,
        certificates: &Certificates,
        attester: Attester,
    ) -> Self {
        let (identity, certificates) = (identity.clone(), certificates.clone());
        let name = certificates.manufacturer_root.0.clone();
        let now = Mutex::new(Now {
            name,
            members: members.to_vec(),
            following: None,
            forgotten: Forgotten::default(),
            has_joined: false,
        });
        let part = Self { identity, certificates, attester, interval, now, changed: Notify::new() };
        part.change(|_| ());
        part
    }

    /// What it is now; `None` if keys do not follow, the HSM is alone in its cluster, or the cluster is not initialized.
    #[must_use]
    pub fn now(&self) -> Option<Arc<Following>> {
        self.lock().following.clone()
    }

    /// HSMs that were not made together are of one cluster if they are given the same name.
    pub(in crate::hsmd) fn set_name(&self, name: &str) {
        self.change(|now| now.name = name.into());
    }

    /// Other HSMs have joined the cluster, or left it. What was known of them is asked again, and deletions that all had
    /// seen are remembered again until the new ones have, too: they may be made of a backup that has the keys.
    pub(in crate::hsmd) fn set_members(&self, members: &[Member]) {
        self.change(|now| {
            now.has_joined |= members.iter().any(|member| !now.members.contains(member));
            now.members = members.to_vec();
        });
    }

    /// So often an HSM forgets what it has deleted that is alone in its cluster: nobody else has to see it.
    fn interval_alone(&self) -> Option<Duration> {
        let is_own = |member: &Member| member.node_id == self.identity.node_id;
        self.interval.filter(|_| self.lock().members.iter().all(is_own))
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.lock();
        change(&mut now);
        if let Some(before) = now.following.take() {
            let board = before.board();
            now.has_joined |= !board.recalled.is_empty();
            now.forgotten.extend(board.recalled.clone());
            now.forgotten.extend(board.deletions.forgotten().clone());
        }
        now.following = self.following(&mut now).map(Arc::new);
        self.changed.notify_one();
    }

    fn following(&self, now: &mut Now) -> Option<Following> {
        let (certificates, attester) = (&self.certificates, self.attester.clone());
        let membership = Membership::new(&self.identity, &now.name, &now.members, certificates, attester)?;
        let following = Following::new(membership, self.interval?);
        let forgotten = std::mem::take(&mut now.forgotten);
        if std::mem::take(&mut now.has_joined) {
            following.board().recalled = forgotten;
        } else {
            following.board().deletions.set_forgotten(forgotten);
        }
        Some(following)
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
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
    fn new(membership: Membership, interval: Duration) -> Self {
        let board = Board::new(membership.node_id, membership.others.iter().map(|member| member.node_id));
        Self { membership, board: Mutex::new(board), hinted: Notify::new(), interval }
    }

    /// What it knows of the others.
    pub fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which keys of a page stay as they are, whatever other members have.
    pub(in crate::hsmd) fn mark(&self, page: &mut KeyPrints) {
        let unordered = self.board().unordered();
        if !unordered.is_empty() {
            let handles = page.keys.iter().map(|key| key.handle);
            page.unordered = handles.filter(|handle| unordered.contains(handle)).collect();
        }
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
