//! Finding all HSMs of a cluster from one of them.

use super::{Cluster, Dial, Limitation, Server};
use crate::config::{ClientConfig, ServerConfig};
use crate::interrupt::Interrupt;
use crate::protocol::device::{ListMembers, Member};
use crate::wire::Limits;
use crate::wire::anchor::AnchorError;
use crate::wire::pem_file::PemError;

/// Why the members are not known. `server` is a host name and port.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names of the fields say it all")]
pub enum NoMembers {
    /// The server did not answer.
    #[error("{server}: {reason}")]
    Silent { server: String, reason: String },
    /// The server may be an impostor, so it was not asked.
    #[error("{server}: the server has not proved that it belongs to the cluster ({reason})")]
    NotProved { server: String, reason: String },
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] PemError),
}

/// How to reach each HSM of the cluster, in the order of their node ids.
///
/// # Errors
///
/// If the HSM that the file names does not answer, or the client certificate cannot be used.
pub async fn members(config: &ClientConfig, limits: Limits) -> Result<Vec<Dial>, NoMembers> {
    let server = config.server();
    let mut seed = connect(&server, limits).await?;
    let members = listed(&mut seed, &server).await?;
    let dial = |member: &Member| Ok(Dial::new(&config.member(&member.hostname, member.port))?);
    members.iter().map(dial).collect()
}

/// The HSMs of the cluster that this server belongs to, in the order of their node ids.
///
/// # Errors
///
/// If it does not answer, or does not prove that it belongs to the owner's cluster.
pub async fn proven_members(server: &ServerConfig, limits: Limits) -> Result<Vec<Member>, NoMembers> {
    let mut seed = connect(server, limits).await?;
    let limitation = seed.servers().first().and_then(Server::limitation).map(reason);
    // An impostor would name servers of its own.
    if let Some(reason) = limitation {
        seed.close().await;
        return Err(NoMembers::NotProved { server: address(server), reason });
    }
    listed(&mut seed, server).await
}

/// Asks one server of a cluster. The error is the reason, in words.
pub(super) async fn ask(cluster: &mut Cluster, number: usize) -> Result<Vec<Member>, String> {
    let mut answers = cluster.read(&[number], ListMembers).await.map_err(|error| error.to_string())?;
    let members = answers.pop().transpose().map_err(|failure| failure.to_string())?;
    in_order(members.unwrap_or_default())
}

fn in_order(mut members: Vec<Member>) -> Result<Vec<Member>, String> {
    if members.is_empty() {
        return Err("it lists no HSMs".to_owned());
    }
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

#[cfg(test)]
mod tests {
    use super::in_order;
    use crate::protocol::device::Member;

    #[test]
    fn members_are_in_the_order_of_their_node_ids_and_a_list_without_any_is_refused() {
        let member = |node_id| Member { node_id, hostname: "10.0.0.1".to_owned(), port: 2225 };
        assert_eq!(in_order([2, 0, 1].map(member).to_vec()), Ok([0, 1, 2].map(member).to_vec()));
        assert!(in_order(Vec::new()).is_err());
    }
}
