//! Finding all HSMs of a cluster from one of them.

use super::client_config::ClientConfig;
use super::{Cluster, Dial, Question};
use crate::interrupt::Interrupt;
use crate::protocol::device::{ListMembers, Member};
use crate::wire::Limits;
use crate::wire::identity::IdentityError;

/// Why the members are not known.
#[derive(Debug, thiserror::Error)]
pub enum NoMembers {
    /// The one HSM that is known does not say.
    #[error("{server}: {reason}")]
    Silent {
        /// Its host name and port.
        server: String,
        /// What happened instead.
        reason: String,
    },
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// How to reach each HSM of the cluster, in the order of their node ids.
///
/// # Errors
///
/// If the HSM that the file names does not answer.
pub async fn members(config: &ClientConfig, limits: Limits) -> Result<Vec<Dial>, NoMembers> {
    let server = config.server();
    let silent =
        |reason: String| NoMembers::Silent { server: format!("{}:{}", server.hostname, server.port), reason };
    let question = Question::new(ListMembers).map_err(|error| silent(error.to_string()))?;
    let mut seed = Cluster::new(vec![Dial::new(&server)?], limits, Interrupt::default());
    seed.open(&[0], |_| (), |_, _| ()).await;
    let answer = seed.ask(&[0], &question, question.perform()).await.pop();
    seed.close().await;
    let mut members = match answer {
        Some(Ok(Some(members))) if !members.is_empty() => members,
        Some(Err(failure)) => return Err(silent(failure.to_string())),
        Some(Ok(_)) | None => return Err(silent("it names no HSMs".to_owned())),
    };
    members.sort_by_key(|member| member.node_id);
    let dial = |member: &Member| Ok(Dial::new(&config.member(&member.hostname, member.port))?);
    members.iter().map(dial).collect()
}
