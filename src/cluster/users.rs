//! The users of each server, asked on connections of their own: a session that goes on meanwhile does not notice.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::round::{Perform, Round};
use super::{Dial, Opened, Question};
use crate::protocol::user::{ListUsers, UserRow};
use crate::wire::Limits;

/// What each server lists that proves to be of the cluster and answers within `limit`; `None` of all others. They are
/// asked all at once.
pub async fn proven_users(dials: &[Dial], limit: Duration) -> Vec<Option<Vec<UserRow>>> {
    let Ok(question) = Question::new(ListUsers) else { return Vec::new() };
    let asking = dials.iter().map(|dial| timeout(limit, ask(dial, &question, limit)));
    join_all(asking).await.into_iter().map(|answer| answer.ok().flatten()).collect()
}

async fn ask(dial: &Dial, question: &Question<ListUsers>, limit: Duration) -> Option<Vec<UserRow>> {
    let limits = Limits { connect: limit, handshake: limit, hello: limit, call: limit };
    let Opened::Trusted(link) = dial.open(&limits).await else { return None };
    let (link, answer) = link.call(question.perform.clone(), &limits).await.ok()?;
    link.close(&limits).await;
    <Perform as Round<ListUsers>>::understand(answer)?.ok()
}
