//! The calling end of an exchange: it asks another member what that has, and takes what is newer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::Following;
use super::membership::EXPORTER;
use super::message::{Ask, Met, PEER, Told, TurnedAway};
use super::view::{Digest, View};
use crate::hsm::{Copied, CopiedKey, Followed, Hsm, Offered, Order};
use crate::hsmd::serving::shared::Shared;
use crate::protocol::Refusal;
use crate::protocol::device::Member;
use crate::protocol::key::KeyHandle;
use crate::wire::frame::{self, Garbage};
use crate::wire::link::{Address, CallError, Link, OpenError};

/// Keys in one message and in one commit: so few that no client notices.
pub(super) const BATCH: usize = 64;

/// From one batch to the next: with it, an HSM takes at most about a thousand keys a second.
const PAUSE: Duration = Duration::from_millis(50);

/// Why an exchange ended early. What was taken before stays.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Garbage(#[from] Garbage),
    #[error("it has another key than this cluster")]
    OtherKey,
    #[error("it is not the member of this cluster that hsmd.json names")]
    OtherMember,
    #[error(transparent)]
    TurnedAway(#[from] TurnedAway),
    #[error("this HSM cannot take keys now: {}", .0.text())]
    Refused(Refusal),
    #[error("this HSM is stopping")]
    Stopping,
}

/// What came of an exchange.
#[derive(Default)]
pub(super) struct Exchanged {
    pub(super) taken: usize,
    pub(super) behind: BTreeMap<KeyHandle, Option<Refusal>>,
    pub(super) unordered: BTreeSet<KeyHandle>,
}

/// One exchange.
struct Exchange<'a> {
    following: &'a Following,
    shared: &'a Shared,
    link: Option<Link>,
    peer: u32,
}

/// Brings the keys up to date with those of another member; `None` if nothing is new since the last time.
pub(super) async fn exchange(
    following: &Following,
    shared: &Shared,
    member: &Member,
) -> Result<Option<Exchanged>, ExchangeError> {
    let address = Address::Named(member.hostname.clone(), member.port);
    let tls = Arc::clone(&following.membership.tls);
    let link = Link::open_as(PEER, &address, tls, &shared.limits).await?;
    let mut exchange = Exchange { following, shared, link: Some(link), peer: member.node_id };
    exchange.recall().await?;
    let view = following.view(&shared.engine).await.ok_or(ExchangeError::Stopping)?;
    let root = exchange.meet(&view).await?;
    let exchanged = exchange.compare(&view, root).await;
    if let Some(link) = exchange.link {
        link.close(&shared.limits).await;
    }
    exchanged
}

impl Exchange<'_> {
    /// Remembers the deletions again that every member had seen, now that others have joined.
    async fn recall(&self) -> Result<(), ExchangeError> {
        loop {
            let recalled = self.following.board().recalled.first(BATCH);
            let count = recalled.len();
            if count == 0 {
                return Ok(());
            }
            let change = move |hsm: &Hsm, now| {
                // A key that is there again was brought back by somebody.
                let gone = recalled.into_iter().filter(|offered| hsm.version(offered.handle).is_none());
                Ok(hsm.follow(gone.collect(), now).events)
            };
            self.shared.engine.by_owner(change).await.map_err(ExchangeError::Refused)?;
            self.following.board().recalled.drop_first(count);
            sleep(PAUSE).await;
        }
    }

    /// Both prove who they are.
    async fn meet(&mut self, view: &View) -> Result<Digest, ExchangeError> {
        let membership = &self.following.membership;
        let link = self.link.as_mut().ok_or(CallError::Closed)?;
        if !link.certificate().is_some_and(|presented| membership.has_key(&presented)) {
            return Err(ExchangeError::OtherKey);
        }
        let proof = link.exported(EXPORTER).and_then(|exporter| membership.proof(view.root, &exporter));
        let met: Met = self.ask(&proof.ok_or(Garbage)?).await?;
        let who = met?;
        if who.node_id != self.peer || !membership.is_member(&who) {
            return Err(ExchangeError::OtherMember);
        }
        Ok(who.root)
    }

    async fn compare(&mut self, view: &View, root: Digest) -> Result<Option<Exchanged>, ExchangeError> {
        if root == view.root {
            self.following.board().deletions.all_seen_by(self.peer, view.all());
            self.forget().await;
            return Ok(Some(Exchanged::default()));
        }
        if self.following.board().is_compared(self.peer, view, root) {
            return Ok(None);
        }
        let wanted = self.wanted(view).await?;
        let exchanged = self.take(wanted).await?;
        if exchanged.taken == 0 {
            self.following.board().peer(self.peer).compared = Some((view.number, root));
        }
        self.forget().await;
        Ok(Some(exchanged))
    }

    /// The keys that the other has in a version that this HSM never had.
    async fn wanted(&mut self, view: &View) -> Result<Vec<KeyHandle>, ExchangeError> {
        let Told::Buckets(theirs) = self.ask(&Ask::Buckets).await? else { return Err(Garbage.into()) };
        let mut wanted = Vec::new();
        for (number, (own, theirs)) in (0..).zip(view.buckets.iter().zip(theirs)) {
            if *own == theirs {
                continue;
            }
            let deletions = self.following.board().deletions.of(view.bucket(number));
            let told = self.ask(&Ask::Bucket(number, deletions)).await?;
            let Told::Bucket(versions, deletions) = told else { return Err(Garbage.into()) };
            let board = &mut *self.following.board();
            board.deletions.learn(&deletions, self.peer, |handle| view.hsm.version(handle));
            let is_new = |(handle, version): &(KeyHandle, _)| {
                view.hsm.order(*handle, *version, None) != Order::Known
                    && !board.deletions.is_forgotten(*handle, *version)
            };
            wanted.extend(versions.into_iter().filter(is_new).map(|(handle, _)| handle));
        }
        Ok(wanted)
    }

    async fn take(&mut self, wanted: Vec<KeyHandle>) -> Result<Exchanged, ExchangeError> {
        let mut exchanged = Exchanged::default();
        exchanged.behind.extend(wanted.iter().map(|handle| (*handle, None)));
        for batch in wanted.chunks(BATCH) {
            // Monitoring sees how far it is.
            self.following.board().peer(self.peer).progress(&exchanged.behind);
            let offered = match self.ask(&Ask::Keys(batch.to_vec())).await? {
                Told::Keys(offered) => offered,
                Told::Buckets(_) | Told::Bucket(..) => return Err(Garbage.into()),
            };
            let Taken { taken, waiting, unordered } = self.follow(offered).await?;
            exchanged.behind.retain(|handle, _| !batch.contains(handle));
            self.following.board().count_followed(taken);
            exchanged.taken = exchanged.taken.saturating_add(taken);
            exchanged.behind.extend(waiting.into_iter().map(|(handle, refusal)| (handle, Some(refusal))));
            exchanged.unordered.extend(unordered);
            sleep(PAUSE).await;
        }
        Ok(exchanged)
    }

    async fn follow(&self, offered: Vec<Offered<Vec<u8>>>) -> Result<Taken, ExchangeError> {
        let unmasked = self.shared.worker.with_vault(move |vault| {
            let unmask = |object: Vec<u8>| match vault.unmask(&object)? {
                Copied::Key(key) => Ok(key),
                Copied::User(_) => Err(Refusal::MaskedObjectInvalid),
            };
            let fits = |offered: &Offered<CopiedKey>| {
                offered.key.as_ref().is_none_or(|key| key.handle == offered.handle)
            };
            let unmasked = offered.into_iter().map(|offered| offered.map(unmask));
            unmasked.filter(|offered| offered.as_ref().map_or(true, fits)).collect::<Result<Vec<_>, _>>()
        });
        let offered = unmasked.await.ok_or(ExchangeError::Stopping)?.map_err(ExchangeError::Refused)?;
        let (sender, outcome) = oneshot::channel();
        let change = move |hsm: &Hsm, now| {
            let Followed { events, taken, waiting, unordered } = hsm.follow(offered, now);
            // Whoever asked may have stopped waiting.
            let _ = sender.send(Taken { taken: taken.len(), waiting, unordered });
            Ok(events)
        };
        self.shared.engine.by_owner(change).await.map_err(ExchangeError::Refused)?;
        outcome.await.map_err(|_| ExchangeError::Stopping)
    }

    /// Deletions that every member has seen are forgotten here, between two exchanges: a key on its way from a member that
    /// had not seen its deletion yet would come back.
    async fn forget(&self) {
        let settled = self.following.board().deletions.to_forget();
        if settled.is_empty() {
            return;
        }
        let Some(view) = self.following.view(&self.shared.engine).await else { return };
        let handles: Vec<_> = settled.iter().map(|(handle, _)| *handle).collect();
        let known = view.hsm.offer(&handles);
        let changed = self.shared.engine.by_owner(move |hsm, _| Ok(hsm.forgotten(&settled))).await;
        if changed.is_ok() {
            self.following.board().deletions.forget(known);
        }
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        question: &impl serde::Serialize,
    ) -> Result<T, ExchangeError> {
        let link = self.link.take().ok_or(CallError::Closed)?;
        let (link, answer) = link.ask(frame::encode(question)?, &self.shared.limits).await?;
        self.link = Some(link);
        Ok(answer)
    }
}

/// What came of one batch.
struct Taken {
    taken: usize,
    waiting: Vec<(KeyHandle, Refusal)>,
    unordered: Vec<KeyHandle>,
}
