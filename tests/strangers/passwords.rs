//! What passwords may cost: memory, and everybody else's time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloudhsm::cluster::Dial;
use cloudhsm::protocol::user::UserType;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{PATIENT, allows_files, ask, connect, dial, login, officer};
use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::Process;

/// What is promised after 400 connections have logged in, with the shipped cost of a hash.
const MEMORY_KB: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn logins_leave_little_memory_behind() {
    if !allows_files(4096) {
        return;
    }
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    let dial = dial(&cluster, 0);
    let before = resident_kb(&daemon);
    let mut logins = JoinSet::new();
    for _ in 0..400 {
        let dial = dial.clone();
        logins.spawn(async move { officer(&dial, &PATIENT).await });
    }
    let sessions: Vec<_> = logins.join_all().await;
    assert!(sessions.iter().all(Option::is_some));
    let after = resident_kb(&daemon);
    println!("resident: {before} kB at the start, {after} kB with 400 sessions");
    assert!(after <= MEMORY_KB, "{after} kB, {before} kB at the start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_co_does_not_wait_for_a_flood_of_logins() {
    if !allows_files(4096) {
        return;
    }
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    let dial = dial(&cluster, 0);
    let idle = median(&dial).await;
    let answered = Arc::<AtomicU64>::default();
    let mut flood = JoinSet::new();
    for _ in 0..200 {
        flood.spawn(log_in_again_and_again(dial.clone(), Arc::clone(&answered)));
    }
    while answered.load(Ordering::Relaxed) < 200 {
        sleep(Duration::from_millis(20)).await;
    }
    let flooded = median(&dial).await;
    println!("a CO's login: {idle:?} idle, {flooded:?} among 200 connections that log in all the time");
    // About three times on an idle machine. In the order of arrival it would be a hundred times.
    assert!(flooded <= idle * 20, "{flooded:?} instead of {idle:?}");
}

/// The time of a CO's login, connected already.
async fn median(dial: &Dial) -> Duration {
    let mut times = Vec::new();
    for _ in 0..15 {
        let link = connect(dial, &PATIENT).await.unwrap();
        let began = Instant::now();
        let (_, answer) = ask(link, login(UserType::Co, "admin", CO_PASSWORD)).await.unwrap();
        times.push(began.elapsed());
        answer.unwrap();
    }
    times.sort_unstable();
    times[times.len() / 2]
}

async fn log_in_again_and_again(dial: Dial, answered: Arc<AtomicU64>) {
    let mut link = connect(&dial, &PATIENT).await.unwrap();
    loop {
        let (again, answer) = ask(link, login(UserType::Cu, "alice", "crypto12")).await.unwrap();
        answer.unwrap();
        link = again;
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Without what is mapped from the program's file, which is three times as large without optimization.
fn resident_kb(daemon: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
