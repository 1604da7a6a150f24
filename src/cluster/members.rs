//! Finding all HSMs of a cluster from one of them.

use super::{Cluster, Dial, Limitation, Server};
use crate::config::{ClientConfig, ServerConfig};
use crate::interrupt::Interrupt;
use crate::protocol::device::{ListMembers, Member};
use crate::wire::Limits;
use crate::wire::anchor::AnchorError;
use crate::wire::pem_file::PemError;

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
    /// It may be anybody, so what it says is not asked for.
    #[error("{server}: the server has not proved to be of the cluster ({reason})")]
    NotProved {
        /// Its host name and port.
        server: String,
        /// What is wrong with the proof.
        reason: String,
    },
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] PemError),
}

/// How to reach each HSM of the cluster, in the order of their node ids.
///
/// # Errors
///
/// If the HSM that the file names does not answer.
pub async fn members(config: &ClientConfig, limits: Limits) -> Result<Vec<Dial>, NoMembers> {
    let server = config.server();
    let mut seed = connect(&server, limits).await?;
    let members = listed(&mut seed, &server).await?;
    let dial = |member: &Member| Ok(Dial::new(&config.member(&member.hostname, member.port))?);
    members.iter().map(dial).collect()
}

/// The HSMs of the cluster that this one proves to be of, in the order of their node ids.
///
/// # Errors
///
/// If it does not answer or proves nothing.
pub async fn proven_members(server: &ServerConfig, limits: Limits) -> Result<Vec<Member>, NoMembers> {
    let mut seed = connect(server, limits).await?;
    let limitation = seed.servers().first().and_then(Server::limitation).map(reason);
    if let Some(reason) = limitation {
        seed.close().await;
        return Err(NoMembers::NotProved { server: address(server), reason });
    }
    listed(&mut seed, server).await
}

/// Asks one server of a cluster; why not if it does not say, or names nobody.
pub(super) async fn ask(cluster: &mut Cluster, number: usize) -> Result<Vec<Member>, String> {
    let mut answers = cluster.read(&[number], ListMembers).await.map_err(|error| error.to_string())?;
    let mut members = match answers.pop() {
        Some(Ok(members)) if !members.is_empty() => members,
        Some(Err(failure)) => return Err(failure.to_string()),
        Some(Ok(_)) | None => return Err("it names no HSMs".to_owned()),
    };
    members.sort_by_key(|member| member.node_id);
    Ok(members)
}

async fn connect(server: &ServerConfig, limits: Limits) -> Result<Cluster, PemError> {
    let mut seed = Cluster::new(vec![Dial::new(server)?], limits, Interrupt::default());
    seed.open(&[0], |_| (), |_, _| ()).await;
    Ok(seed)
}

async fn listed(seed: &mut Cluster, server: &ServerConfig) -> Result<Vec<Member>, NoMembers> {
    let members = ask(seed, 0).await;
    seed.close().await;
    members.map_err(|reason| NoMembers::Silent { server: address(server), reason })
}

fn reason(limitation: &Limitation) -> String {
    match limitation {
        Limitation::NoAnchor(AnchorError::Missing(path)) => format!("{limitation}, {}", path.display()),
        Limitation::NoAnchor(_) | Limitation::Distrust(_) => limitation.to_string(),
    }
}

fn address(server: &ServerConfig) -> String {
    format!("{}:{}", server.hostname, server.port)
}
