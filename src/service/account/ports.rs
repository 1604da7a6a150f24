//! Where HSMs are reached from other machines, as from outside a container.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::net::{HOSTS, NETS};

/// Ports of all interfaces. Which one an HSM has follows from its address alone, so that it can be published before the
/// HSM exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// Reads a range, such as `20000-20199`.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "not a range of ports, such as 20000-20199".to_owned();
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let port = |text: &str| text.parse().ok().filter(|port| *port > 0).ok_or_else(wrong);
        let (first, last) = (port(first)?, port(last)?);
        if first > last { Err(wrong()) } else { Ok(Self { first, last }) }
    }

    /// The last digits of a port are those of the cluster, the zone and the HSM, which count from 0. `None` if the HSM has
    /// no port in the range.
    pub(super) fn published(self, hsm: SocketAddr) -> Option<SocketAddr> {
        let IpAddr::V4(address) = hsm.ip() else { return None };
        let [_, net, zone, host] = address.octets();
        let digits =
            [net.checked_sub(*NETS.start())?, zone.checked_sub(1)?, host.checked_sub(*HOSTS.start())?];
        let [cluster, zone, hsm] = digits.map(u16::from);
        if zone > 9 || hsm > 9 {
            return None;
        }
        let port = self.first.checked_add(cluster.checked_mul(100)?)?.checked_add(zone * 10 + hsm)?;
        (port <= self.last).then(|| (Ipv4Addr::UNSPECIFIED, port).into())
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn a_port_follows_from_the_address() {
        let ports = Ports::parse("20000-20199").unwrap();
        let port = |address: &str| ports.published(address.parse().unwrap()).map(|address| address.port());
        assert_eq!(port("127.10.1.4:2225"), Some(20000));
        assert_eq!(port("127.10.2.5:2225"), Some(20011));
        assert_eq!(port("127.11.1.13:2225"), Some(20109));
        assert_eq!(port("127.11.1.14:2225"), None);
        assert_eq!(port("127.12.1.4:2225"), None);
        assert_eq!(port("127.0.1.1:2225"), None);
    }

    #[test]
    fn a_range_has_two_ends_in_order() {
        for wrong in ["", "20000", "20000-", "-20000", "20001-20000", "0-10", "1-65536", "a-b", "1-2-3"] {
            assert!(Ports::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Ports::parse("20000-20000").is_ok());
    }
}
