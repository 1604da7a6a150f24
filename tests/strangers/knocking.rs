//! Two thousand who knock all the time, and a CO among them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use cloudhsm::cluster::Dial;
use cloudhsm::protocol::Request;
use cloudhsm::protocol::device::DescribeHsm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::client::{PATIENT, allows_files, ask, connect, dial, officer, socket_address, tcp};
use crate::cluster::Cluster;

const STRANGERS: u32 = 2000;

/// What is promised to a CO who connects and logs in.
const PROMISE: Duration = Duration::from_secs(2);

#[test]
fn a_co_gets_in_among_strangers_at_the_same_address() {
    if !allows_files(8192) {
        return;
    }
    must_be_kept(knock(|_| Ipv4Addr::LOCALHOST));
}

#[test]
fn a_co_gets_in_among_strangers_at_hundreds_of_addresses() {
    if !allows_files(8192) {
        return;
    }
    must_be_kept(knock(|number| Ipv4Addr::from_bits(0x7f63_0000 | (number % 500))));
}

/// On a machine that does something else as well, a single login may take longer.
fn must_be_kept(mut figures: Vec<Duration>) {
    figures.sort_unstable();
    let (median, last) = (figures[figures.len() / 2], figures[figures.len() - 1]);
    assert!(median <= PROMISE && last <= 5 * PROMISE, "{figures:?}");
}

/// How long a CO takes to connect and log in, twenty times, while all strangers knock.
fn knock(from: impl Fn(u32) -> Ipv4Addr) -> Vec<Duration> {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let (to, dial) = (socket_address(&cluster, 0), dial(&cluster, 0));
    let crowd = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for number in 0..STRANGERS {
        crowd.spawn(stranger(number, from(number), to, dial.clone()));
    }
    std::thread::sleep(Duration::from_secs(3));
    let figures = logins(&dial);
    crowd.shutdown_background();
    figures
}

/// Those of a CO, who has threads of its own.
fn logins(dial: &Dial) -> Vec<Duration> {
    let runtime = Runtime::new().unwrap();
    let one = || {
        let began = Instant::now();
        let link = runtime.block_on(officer(dial, &PATIENT));
        assert!(link.is_some(), "not logged in after {:?}", began.elapsed());
        began.elapsed()
    };
    let times: Vec<Duration> = (0..20).map(|_| one()).collect();
    println!("a CO among {STRANGERS} strangers connects and logs in in {times:?}");
    times
}

/// One of those who say nothing, who begin a handshake, who connect and call, or who connect and wait; and again, once
/// they are thrown out.
async fn stranger(number: u32, from: Ipv4Addr, to: SocketAddr, dial: Dial) {
    loop {
        match number % 4 {
            0 => say(from, to, b"").await,
            1 => say(from, to, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await,
            2 => call(&dial).await,
            _ => wait(&dial).await,
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn say(from: Ipv4Addr, to: SocketAddr, bytes: &[u8]) {
    let Ok(mut tcp) = tcp(from, to).await else { return };
    let _ = tcp.write_all(bytes).await;
    let _ = tcp.read(&mut [0]).await;
}

async fn call(dial: &Dial) {
    let Some(mut link) = connect(dial, &PATIENT).await else { return };
    while let Some((again, _)) = ask(link, Request::DescribeHsm(DescribeHsm)).await {
        link = again;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn wait(dial: &Dial) {
    let Some(mut link) = connect(dial, &PATIENT).await else { return };
    while link.is_idle() {
        sleep(Duration::from_millis(50)).await;
    }
}
