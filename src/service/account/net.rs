//! Loopback addresses: each cluster has a net of its own, each zone in it a subnet, each HSM an address.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::state::{Cluster, Phase, State};
use crate::service::failure::Failure;
use crate::service::shapes::names::{AvailabilityZone, IpAddress};

/// 127.0.x.y is where `hsmd cluster init` and `--dev` put theirs.
pub(super) const NETS: std::ops::RangeInclusive<u8> = 10..=250;

/// As in a VPC, the first three are not given.
pub(super) const HOSTS: std::ops::RangeInclusive<u8> = 4..=254;

/// A net for a new cluster, which no other cluster has, nor another account on this machine.
pub(super) fn free_net(state: &State, port: u16) -> Result<u8, Failure> {
    let is_alive = |cluster: &&Cluster| cluster.phase != Phase::Deleted || !cluster.hsms.is_empty();
    let taken: BTreeSet<u8> = state.clusters.values().filter(is_alive).map(|cluster| cluster.net).collect();
    let is_quiet = |net: &u8| is_free(Ipv4Addr::new(127, *net, 1, *HOSTS.start()), port);
    let free = NETS.filter(|net| !taken.contains(net)).find(is_quiet);
    free.ok_or_else(|| Failure::Service("No network is left for another cluster.".to_owned()))
}

/// The address of a new HSM: the one asked for, or the first that is free.
pub(super) fn free_address(
    cluster: &Cluster,
    zone: &AvailabilityZone,
    wanted: Option<&IpAddress>,
    port: u16,
) -> Result<Ipv4Addr, Failure> {
    let subnet = subnet(cluster, zone);
    let taken: BTreeSet<Ipv4Addr> = cluster.hsms.values().map(|hsm| hsm.address).collect();
    let Some(wanted) = wanted else {
        let free = |address: &Ipv4Addr| !taken.contains(address) && is_free(*address, port);
        let found = HOSTS.map(|host| address(subnet, host)).find(free);
        let none = || {
            Failure::Service(format!(
                "No address is free in the subnet of {zone}, {}/24.",
                address(subnet, 0)
            ))
        };
        return found.ok_or_else(none);
    };
    let asked: Ipv4Addr =
        wanted.as_str().parse().map_err(|_| Failure::invalid(format!("{wanted} is not an IPv4 address.")))?;
    let [_, _, _, host] = asked.octets();
    if asked != address(subnet, host) || !HOSTS.contains(&host) {
        let [first, last] = [HOSTS.start(), HOSTS.end()].map(|host| address(subnet, *host));
        let reason =
            format!("IP address {asked} is not in the subnet of {zone}: use one of {first} to {last}.");
        return Err(Failure::InvalidRequest(reason));
    }
    if taken.contains(&asked) || !is_free(asked, port) {
        return Err(Failure::InvalidRequest(format!("IP address {asked} is already in use (port {port}).")));
    }
    Ok(asked)
}

fn subnet(cluster: &Cluster, zone: &AvailabilityZone) -> [u8; 3] {
    let letter = zone.as_str().bytes().last().unwrap_or(b'a');
    [127, cluster.net, letter.saturating_sub(b'a').saturating_add(1)]
}

fn address([first, second, third]: [u8; 3], host: u8) -> Ipv4Addr {
    Ipv4Addr::new(first, second, third, host)
}

/// Whether nobody listens there. Between this and the HSM's start somebody may; then the HSM says so.
fn is_free(address: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind(SocketAddr::from((address, port))).is_ok()
}
