//! When an HSM asks which member: all of them after its start, then one in each interval, and one that was away or has
//! other keys when it calls. In each round every member asks the one that is as far from it as for all others, so that
//! the load is the same for all.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::asking::{ExchangeError, Exchanged, exchange};
use super::{Following, Part};
use crate::hsmd::serving::engine::Engine;
use crate::hsmd::serving::shared::Shared;
use crate::protocol::Refusal;
use crate::protocol::device::Member;
use crate::protocol::key::KeyHandle;

/// Between two exchanges, however many members call.
const PAUSE: Duration = Duration::from_millis(200);

/// Keys that are named in the log; of more, their number.
const NAMED: usize = 8;

/// Asks members for ever.
pub(in crate::hsmd) async fn go_round(shared: Arc<Shared>) {
    let part = &shared.part;
    loop {
        let following = part.now();
        let asking = async {
            match &following {
                Some(following) => ask_all(following, &shared).await,
                None => forget_alone(part, &shared.engine).await,
            }
        };
        tokio::select! { () = asking => {}, () = part.changed.notified() => {} }
    }
}

async fn forget_alone(part: &Part, engine: &Engine) {
    let Some(interval) = part.interval_alone() else { return pending().await };
    loop {
        sleep(interval).await;
        let Some(hsm) = engine.snapshot().await else { return pending().await };
        let seen: Vec<_> = hsm.deletions().collect();
        let handles: Vec<_> = seen.iter().map(|(handle, _)| *handle).collect();
        // An HSM that joins may have the keys.
        let known = hsm.offer(&handles);
        if !seen.is_empty() && engine.by_owner(move |hsm, _| Ok(hsm.forgotten(&seen))).await.is_ok() {
            part.lock().forgotten.add(known);
        }
    }
}

async fn ask_all(following: &Following, shared: &Shared) {
    for member in &following.membership.others {
        following.ask(shared, member).await;
        sleep(PAUSE).await;
    }
    let mut next = following.membership.others.iter().cycle();
    let mut due = Instant::now() + following.interval;
    loop {
        let is_due = tokio::select! {
            () = sleep_until(due) => true,
            () = following.hinted.notified() => false,
        };
        let hinted = std::mem::take(&mut following.board().hints);
        let others = following.membership.others.iter();
        for member in others.filter(|member| hinted.contains(&member.node_id)) {
            sleep(PAUSE).await;
            following.ask(shared, member).await;
        }
        if is_due {
            if let Some(member) = next.next().filter(|member| !hinted.contains(&member.node_id)) {
                following.ask(shared, member).await;
            }
            due = Instant::now() + following.interval;
        }
    }
}

impl Following {
    async fn ask(&self, shared: &Shared, member: &Member) {
        let asked = exchange(self, shared, member).await;
        self.note(&shared.hsm_id, member, asked);
    }

    /// Logs what is new, and remembers the rest.
    fn note(&self, hsm_id: &str, member: &Member, asked: Result<Option<Exchanged>, ExchangeError>) {
        let node = member.node_id;
        let mut board = self.board();
        let peer = board.peer(node);
        let exchanged = match asked {
            Ok(exchanged) => exchanged,
            Err(error) => {
                let trouble = Some(error.to_string());
                if peer.trouble != trouble {
                    tracing::warn!(%hsm_id, node, %error, "keys do not follow from this member");
                }
                peer.trouble = trouble;
                return;
            }
        };
        if peer.trouble.take().is_some() {
            tracing::info!(%hsm_id, node, "keys follow from this member again");
        }
        let Some(Exchanged { taken, behind, unordered }) = exchanged else { return };
        if taken > 0 {
            tracing::info!(%hsm_id, node, keys = taken, "keys brought up to date");
        }
        let is_new =
            |(handle, reason): &(&KeyHandle, &Option<Refusal>)| peer.behind.get(handle) != Some(reason);
        let waiting: Vec<_> = behind.iter().filter(is_new).collect();
        for (handle, reason) in waiting.iter().take(NAMED) {
            let reason = reason.map(Refusal::text);
            tracing::warn!(%hsm_id, node, key = %handle, reason, "a newer key waits");
        }
        let changed: Vec<_> = unordered.difference(&peer.unordered).collect();
        for handle in changed.iter().take(NAMED) {
            tracing::warn!(%hsm_id, node, key = %handle, "changed on both HSMs: it stays as it is");
        }
        if waiting.len() > NAMED || changed.len() > NAMED {
            let (waiting, changed) = (behind.len(), unordered.len());
            tracing::warn!(%hsm_id, node, waiting, changed, "more keys wait, or were changed on both HSMs");
        }
        (peer.behind, peer.unordered) = (behind, unordered);
    }
}
