//! Connections without a login: how many there may be, and which of them goes when there are too many.
//!
//! To be a stranger costs nothing, so a newcomer is always let in, and pushes another one out if there is no room: one
//! from a crowded address, if there is such an address, so that a flood from there costs only those who share it. It is
//! the oldest in the stage that most are in: connections that say nothing do not push out one that is being logged in,
//! even if all come from behind the same router. A session with a login is never pushed out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::throttle::Throttle;
use crate::hsmd::keeping::settings::WithoutLogin;

/// The connections of one HSM that have no login.
pub struct Strangers {
    limits: WithoutLogin,
    table: Mutex<Table>,
    counts: Counts,
    warnings: Throttle,
}

/// How strangers ended, since the program started.
#[derive(Default)]
struct Counts {
    pushed_out: AtomicU64,
    timed_out: AtomicU64,
}

/// An address is crowded if it has more than this part of all connections that strangers may have.
const CROWDED: u32 = 4;

/// Where a connection is on its way to a login.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// TCP is connected, and nothing was received.
    Silent,
    /// From the client's first byte to the end of the TLS handshake.
    Handshake,
    /// Between two calls.
    Waiting,
    /// A call is being answered.
    Calling,
}

/// All strangers. A newcomer must cost little, however many there are: nothing here goes through all of them.
#[derive(Default)]
struct Table {
    strangers: HashMap<u64, Stranger>,
    all: Stages,
    addresses: HashMap<IpAddr, Stages>,
    /// The addresses with more than `max` connections.
    crowded: BTreeSet<IpAddr>,
    max: usize,
    next: u64,
}

struct Stranger {
    address: IpAddr,
    stage: Stage,
    pushed_out: CancellationToken,
}

/// The numbers of strangers by stage. The oldest has the lowest.
#[derive(Default)]
struct Stages(BTreeMap<Stage, BTreeSet<u64>>);

/// One connection. While it has no login, it is in the table.
pub(super) struct Guest {
    strangers: Arc<Strangers>,
    address: IpAddr,
    /// Its place in the table; `None` while it has a login.
    number: Option<u64>,
    /// When it connected, or logged out.
    since: Instant,
    pushed_out: CancellationToken,
}

impl Strangers {
    /// No stranger yet.
    #[must_use]
    pub fn new(limits: WithoutLogin) -> Self {
        let max = size(limits.max_connections / CROWDED);
        let table = Mutex::new(Table { max, ..Table::default() });
        Self { limits, table, counts: Counts::default(), warnings: Throttle::default() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().strangers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many had to go for others since the program started.
    #[must_use]
    pub fn pushed_out(&self) -> u64 {
        self.counts.pushed_out.load(Ordering::Relaxed)
    }

    /// How many had no login in time since the program started.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        self.counts.timed_out.load(Ordering::Relaxed)
    }

    /// Lets a connection in, which may cost another one its place.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Guest {
        let address = network(address);
        let pushed_out = CancellationToken::new();
        let number = Some(self.insert(address, Stage::Silent, &pushed_out));
        Guest { strangers: Arc::clone(self), address, number, since: Instant::now(), pushed_out }
    }

    /// Ends one connection, if there is any without a login.
    pub(super) fn make_room(&self) {
        self.push_out_any(&mut self.table());
    }

    fn insert(&self, address: IpAddr, stage: Stage, pushed_out: &CancellationToken) -> u64 {
        let WithoutLogin { max_connections, max_connections_per_address, .. } = self.limits;
        let mut table = self.table();
        let neighbours = table.addresses.get(&address);
        if neighbours.is_some_and(|neighbours| neighbours.len() >= size(max_connections_per_address)) {
            let victim = neighbours.and_then(|neighbours| victim(&[neighbours]));
            self.push_out(&mut table, victim);
        } else if table.strangers.len() >= size(max_connections) {
            self.push_out_any(&mut table);
        }
        table.insert(Stranger { address, stage, pushed_out: pushed_out.clone() })
    }

    fn push_out_any(&self, table: &mut Table) {
        let crowded: Vec<&Stages> =
            table.crowded.iter().filter_map(|address| table.addresses.get(address)).collect();
        let victim = if crowded.is_empty() { victim(&[&table.all]) } else { victim(&crowded) };
        self.push_out(table, victim);
    }

    fn push_out(&self, table: &mut Table, victim: Option<u64>) {
        let Some(Stranger { address, pushed_out, .. }) = victim.and_then(|number| table.remove(number))
        else {
            return;
        };
        pushed_out.cancel();
        self.counts.pushed_out.fetch_add(1, Ordering::Relaxed);
        if let Some(unsaid) = self.warnings.take() {
            let more = unsaid.get();
            tracing::warn!(%address, more, "too many connections without a login: closed an old one");
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, stranger: Stranger) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.all.insert(stranger.stage, number);
        let neighbours = self.addresses.entry(stranger.address).or_default();
        neighbours.insert(stranger.stage, number);
        if neighbours.len() > self.max {
            self.crowded.insert(stranger.address);
        }
        self.strangers.insert(number, stranger);
        number
    }

    fn remove(&mut self, number: u64) -> Option<Stranger> {
        let stranger = self.strangers.remove(&number)?;
        self.all.remove(stranger.stage, number);
        let neighbours = self.addresses.get_mut(&stranger.address)?;
        neighbours.remove(stranger.stage, number);
        let left = neighbours.len();
        if left <= self.max {
            self.crowded.remove(&stranger.address);
        }
        if left == 0 {
            self.addresses.remove(&stranger.address);
        }
        Some(stranger)
    }

    fn advance(&mut self, number: u64, stage: Stage) {
        let Some(stranger) = self.strangers.get_mut(&number) else { return };
        let before = mem::replace(&mut stranger.stage, stage);
        for stages in [Some(&mut self.all), self.addresses.get_mut(&stranger.address)].into_iter().flatten() {
            stages.remove(before, number);
            stages.insert(stage, number);
        }
    }
}

impl Stage {
    const ALL: [Self; 4] = [Self::Silent, Self::Handshake, Self::Waiting, Self::Calling];
}

impl Stages {
    fn insert(&mut self, stage: Stage, number: u64) {
        self.0.entry(stage).or_default().insert(number);
    }

    fn remove(&mut self, stage: Stage, number: u64) {
        self.0.entry(stage).or_default().remove(&number);
    }

    fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    fn at(&self, stage: Stage) -> usize {
        self.0.get(&stage).map_or(0, BTreeSet::len)
    }

    fn oldest(&self, stage: Stage) -> Option<u64> {
        self.0.get(&stage)?.first().copied()
    }
}

/// The oldest in the stage that most are in; of equals the first stage, as those who say nothing are in it.
fn victim(among: &[&Stages]) -> Option<u64> {
    let at = |stage: &Stage| among.iter().map(|stages| stages.at(*stage)).sum::<usize>();
    let stage = Stage::ALL.into_iter().rev().max_by_key(at)?;
    among.iter().filter_map(|stages| stages.oldest(stage)).min()
}

impl Guest {
    /// Cancelled when this connection has to make room for another one.
    pub(super) fn pushed_out(&self) -> CancellationToken {
        self.pushed_out.clone()
    }

    /// How much is left of the time that a connection may go without a login; `None` if it has one.
    pub(super) fn time_left(&self, limit: Duration) -> Option<Duration> {
        self.number.map(|_| limit.saturating_sub(self.since.elapsed()))
    }

    /// Notes what the connection does; that of a session with a login is of no interest.
    pub(super) fn is_at(&self, stage: Stage) {
        let Some(number) = self.number else { return };
        self.strangers.table().advance(number, stage);
    }

    pub(super) fn logged_in(&mut self) {
        if let Some(number) = self.number.take() {
            self.strangers.table().remove(number);
        }
    }

    pub(super) fn logged_out(&mut self) {
        if self.number.is_none() {
            self.since = Instant::now();
            self.number = Some(self.strangers.insert(self.address, Stage::Waiting, &self.pushed_out));
        }
    }

    pub(super) fn timed_out(&self) {
        self.strangers.counts.timed_out.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.logged_in();
    }
}

/// Whoever has one IPv6 address has 2⁶⁴ of them: what counts is the network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::{Guest, Stage, Strangers};
    use crate::hsmd::keeping::settings::WithoutLogin;

    const LIMITS: WithoutLogin =
        WithoutLogin { max_connections: 6, max_connections_per_address: 4, seconds: 1 };

    fn admit(strangers: &Arc<Strangers>, address: &str) -> Guest {
        strangers.admit(address.parse::<IpAddr>().unwrap())
    }

    fn is_out(guest: &Guest) -> bool {
        guest.pushed_out.is_cancelled()
    }

    #[test]
    fn the_oldest_of_the_address_goes_when_the_address_has_too_many() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let other = admit(&strangers, "10.0.0.2");
        let guests: Vec<_> = (0..6).map(|_| admit(&strangers, "10.0.0.1")).collect();
        assert_eq!(guests.iter().map(is_out).collect::<Vec<_>>(), [true, true, false, false, false, false]);
        assert!(!is_out(&other));
        assert_eq!((strangers.len(), strangers.pushed_out()), (5, 2));
    }

    #[test]
    fn a_crowded_address_makes_room_for_others() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let crowd: Vec<_> = (0..4).map(|_| admit(&strangers, "10.0.0.1")).collect();
        let others: Vec<_> = (2..6).map(|number| admit(&strangers, &format!("10.0.0.{number}"))).collect();
        assert_eq!(crowd.iter().map(is_out).collect::<Vec<_>>(), [true, true, false, false]);
        assert!(!others.iter().any(is_out));
    }

    #[test]
    fn a_session_with_a_login_is_never_pushed_out() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let mut session = admit(&strangers, "10.0.0.1");
        session.logged_in();
        let crowd: Vec<_> = (0..9).map(|_| admit(&strangers, "10.0.0.1")).collect();
        for _ in 0..9 {
            strangers.make_room();
        }
        assert!(!is_out(&session));
        assert!(crowd.iter().all(is_out));
        assert!(strangers.is_empty());
    }

    #[test]
    fn after_a_logout_it_is_a_stranger_again_and_the_newest() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let mut session = admit(&strangers, "10.0.0.1");
        session.logged_in();
        let crowd: Vec<_> = (0..4).map(|_| admit(&strangers, "10.0.0.1")).collect();
        crowd.iter().for_each(|guest| guest.is_at(Stage::Waiting));
        session.logged_out();
        assert!(session.number.is_some() && !is_out(&session) && is_out(&crowd[0]));
        drop(session);
        assert_eq!(strangers.len(), 3);
    }

    #[test]
    fn those_who_say_nothing_push_out_only_each_other() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let caller = admit(&strangers, "10.0.0.1");
        caller.is_at(Stage::Calling);
        let greeted = admit(&strangers, "10.0.0.1");
        greeted.is_at(Stage::Waiting);
        let crowd: Vec<_> = (0..9).map(|_| admit(&strangers, "10.0.0.1")).collect();
        assert!(!is_out(&caller) && !is_out(&greeted));
        assert_eq!(crowd.iter().filter(|guest| is_out(guest)).count(), 7);
    }

    #[test]
    fn of_many_addresses_the_oldest_goes() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let crowd: Vec<_> = (0..8).map(|host| admit(&strangers, &format!("10.0.0.{}", 9 - host))).collect();
        assert!(crowd[..2].iter().all(is_out) && !crowd[2..].iter().any(is_out));
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_count_as_one() {
        let strangers = Arc::new(Strangers::new(LIMITS));
        let crowd: Vec<_> = (0..5).map(|host| admit(&strangers, &format!("2001:db8::{host}"))).collect();
        assert!(is_out(&crowd[0]));
        assert!(!is_out(&admit(&strangers, "2001:db8:0:1::1")));
    }
}
