//! HSMs of a cluster that are missing from the configuration: changes would not reach them.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::lookup_host;

use super::{Cluster, Dial, Server, members};
use crate::config::{Config, ServerConfig};
use crate::protocol::device::Member;

/// The HSMs that a server knows and the configuration does not.
pub struct Unlisted {
    /// The server that named them.
    pub asked: Arc<Dial>,
    /// In the order of their node ids; never empty.
    pub members: Vec<Member>,
}

/// Asks one server that has proved that it belongs to the cluster. `None` if there is no such server, it does not
/// answer, or the configuration is complete.
pub async fn unlisted(cluster: &mut Cluster, config: &Config) -> Option<Unlisted> {
    let server = cluster.servers().iter().find(|server| server.is_trusted() && server.is_connected())?;
    let (number, asked) = (server.number(), Server::dial(server));
    let members = match members::ask(cluster, number).await {
        Ok(members) => members,
        Err(reason) => {
            tracing::debug!(number, reason, "the members are not known");
            return None;
        }
    };
    let members = not_in(config, members).await;
    (!members.is_empty()).then_some(Unlisted { asked, members })
}

async fn not_in(config: &Config, mut members: Vec<Member>) -> Vec<Member> {
    let entries = config.entries();
    members.retain(|member| !entries.iter().any(|entry| entry.is_at(&member.hostname, member.port)));
    // Members are listed by address. Host names are looked up last, and only while members remain: a slow name server
    // must not delay the start of a console whose configuration lists addresses.
    let named = entries.iter().filter(|entry| entry.hostname.parse::<IpAddr>().is_err());
    for entry in named {
        if members.is_empty() {
            break;
        }
        let addresses = addresses(entry).await;
        members.retain(|member| member.port != entry.port || !addresses.contains(&member.hostname));
    }
    members
}

async fn addresses(entry: &ServerConfig) -> Vec<String> {
    match lookup_host((entry.hostname.as_str(), entry.port)).await {
        Ok(found) => found.map(|address| address.ip().to_string()).collect(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::not_in;
    use crate::config::{Config, ServerConfig};
    use crate::protocol::device::Member;

    #[tokio::test]
    async fn a_member_is_known_by_address_and_port_even_if_listed_by_name() {
        let member = |hostname: &str, port| Member { node_id: 0, hostname: hostname.to_owned(), port };
        let members = ["10.0.0.1", "127.0.0.1", "127.0.0.2"].map(|hostname| member(hostname, 2225));
        let config = |entries: &[(&str, u16)]| {
            Config::of(
                entries.iter().map(|(hostname, port)| ServerConfig::new(hostname, *port, Path::new(""))),
            )
        };
        for (entries, missing) in [
            (&[("10.0.0.1", 2225), ("localhost", 2225)][..], &members[2..]),
            (&[("10.0.0.1", 2225), ("localhost", 2226)], &members[1..]),
            (&[("10.0.0.1", 2226), ("127.0.0.1", 2225), ("127.0.0.2", 2225)], &members[..1]),
            (&[("127.0.0.2", 2225), ("127.0.0.1", 2225), ("10.0.0.1", 2225)], &[]),
        ] {
            assert_eq!(not_in(&config(entries), members.to_vec()).await, missing, "{entries:?}");
        }
    }
}
