//! Servers that nobody reaches, or that prove nothing: the others are not held up.

use std::io::ErrorKind;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use cloudhsm::cluster::proven_users;
use cloudhsm::hsmd::faults::{Door, Fault};
use cloudhsm::interrupt::Interrupt;
use tokio::net::TcpStream;

use crate::common::{SHORT, TestCluster};
use crate::{EVERYWHERE, faulty_cluster, limit, tell};

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_door_costs_its_server_only_and_is_named() {
    let cluster = faulty_cluster().await;
    for (door, expected) in [
        (Door::Refuses, "Connection refused"),
        (Door::StallsInHandshake, "Connection timed out (TLS handshake not done within 2s)"),
        (Door::SpeaksNoTls, "the TLS handshake failed (the answer was not TLS)"),
        (Door::WrongCertificate, "limited"),
    ] {
        for faulty in EVERYWHERE {
            cluster.relays[faulty].set_door(door).await.unwrap();
            let mut console = cluster.console(&Interrupt::default());
            let began = Instant::now();
            let mut seen = Vec::new();
            console.open(&EVERYWHERE, |_| (), |_, opened| seen.push(tell(opened))).await;
            assert!(began.elapsed() < limit(), "{door:?} on server {faulty}");
            let mut wanted = ["trusted"; 3];
            wanted[faulty] = expected;
            assert_eq!(seen, wanted, "{door:?} on server {faulty}");
            cluster.relays[faulty].set_door(Door::Open).await.unwrap();
        }
    }
}

/// A program that is being started holds a copy of everything that is open, the relay's listener too, until it runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_door_closes_and_opens_while_other_programs_start() {
    let cluster = TestCluster::start(1).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let starting = std::thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || {
            while !is_over.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        }
    });
    for _ in 0..500 {
        cluster.relays[0].set_door(Door::Refuses).await.unwrap();
        let refused = TcpStream::connect(cluster.relays[0].address).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        cluster.relays[0].set_door(Door::Open).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    starting.join().unwrap();
}

/// What is asked for Tab: no server holds up the others, and none that proves nothing is listened to.
#[tokio::test(flavor = "multi_thread")]
async fn users_are_known_of_every_server_that_proves_itself_and_answers_in_time() {
    let cluster = faulty_cluster().await;
    let dials = cluster.dials();
    let counts = async || {
        let began = Instant::now();
        let lists = proven_users(&dials, SHORT.connect).await;
        assert!(began.elapsed() < 2 * SHORT.connect, "{:?}", began.elapsed());
        lists.into_iter().map(|list| list.map(|users| users.len())).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [Some(2); 3]);
    let all_but = |faulty: usize| EVERYWHERE.map(|number| (number != faulty).then_some(2));
    let doors = [Door::Refuses, Door::StallsInHandshake, Door::SpeaksNoTls, Door::WrongCertificate];
    for (door, faulty) in doors.into_iter().zip(EVERYWHERE.into_iter().cycle()) {
        cluster.relays[faulty].set_door(door).await.unwrap();
        assert_eq!(counts().await, all_but(faulty), "{door:?} on server {faulty}");
        cluster.relays[faulty].set_door(Door::Open).await.unwrap();
    }
    let faults = [Fault::ClosesWithin, Fault::Garbage, Fault::WrongReply, Fault::Stalls];
    for (fault, faulty) in faults.into_iter().zip(EVERYWHERE.into_iter().cycle()) {
        cluster.relays[faulty].fail_after(0, fault);
        assert_eq!(counts().await, all_but(faulty), "{fault:?} on server {faulty}");
    }
}
