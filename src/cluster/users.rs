//! The users of each server, for Tab completion. They are read on separate connections: giving up on a slow
//! server would cost the session that server's connection, and with it the login.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::round::{Perform, RoundKind};
use super::{Dial, Opened, Question};
use crate::protocol::user::{ListUsers, UserRow};
use crate::wire::Limits;

/// The users of each server that proves that it belongs to the cluster and answers within `limit`; `None` for all
/// others. The servers are asked all at once.
pub async fn proven_users(dials: &[Dial], limit: Duration) -> Vec<Option<Vec<UserRow>>> {
    let Ok(question) = Question::new(ListUsers) else { return Vec::new() };
    let asking = dials.iter().map(|dial| timeout(limit, ask(dial, &question, limit)));
    join_all(asking).await.into_iter().map(|answer| answer.ok().flatten()).collect()
}

async fn ask(dial: &Dial, question: &Question<ListUsers>, limit: Duration) -> Option<Vec<UserRow>> {
    let limits = Limits { connect: limit, handshake: limit, hello: limit, call: limit };
    // Without proof the list could be an impostor's, and what Tab completes ends up in commands.
    let Opened::Trusted(link) = dial.open(&limits).await else { return None };
    let (link, answer) = link.call(question.perform.clone(), &limits).await.ok()?;
    link.close(&limits).await;
    <Perform as RoundKind<ListUsers>>::understand(answer)?.ok()
}
