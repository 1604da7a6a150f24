//! The limits for connections without a login.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudhsm::protocol::Request;
use cloudhsm::protocol::device::DescribeHsm;
use cloudhsm::protocol::message::{Call, Hello, OperationId, Round, VERSION};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::UserType;
use cloudhsm::wire::Limits;
use cloudhsm::wire::frame::{Frames, MAX_ANSWER, encode, frames};
use cloudhsm::wire::link::Link;
use cloudhsm::wire::verifier::{Trust, client_config};
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{PATIENT, ask, connect, dial, login, officer, socket_address};
use crate::cluster::{CO_PASSWORD, Cluster};

type Raw = Frames<TlsStream<TcpStream>>;

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_stranger_goes_and_a_session_with_a_login_stays() {
    let (cluster, _daemon) =
        with_limits(json!({ "max_connections": 4, "max_connections_per_address": 3 }), 5);
    let dial = dial(&cluster, 0);
    let session = officer(&dial, &PATIENT).await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..6 {
        strangers.push(connect(&dial, &PATIENT).await.unwrap());
    }
    wait_until_closed(&mut strangers[..3]).await;
    let open: Vec<bool> = strangers.iter_mut().map(Link::is_idle).collect();
    assert_eq!(open, [false, false, false, true, true, true]);
    assert!(ask(session, Request::DescribeHsm(DescribeHsm)).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_with_a_login_may_take_all_connections() {
    let (cluster, _daemon) =
        with_limits(json!({ "max_connections": 2, "max_connections_per_address": 1 }), 3);
    let dial = dial(&cluster, 0);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(officer(&dial, &PATIENT).await.unwrap());
    }
    let waiting = tokio::spawn(async move { officer(&dial, &PATIENT).await });
    sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished() && sessions.iter_mut().all(Link::is_idle));
    // One who has logged out makes room.
    let (_stranger, _) = ask(sessions.pop().unwrap(), Request::Logout(Logout)).await.unwrap();
    assert!(waiting.await.unwrap().is_some());
    assert!(sessions.iter_mut().all(Link::is_idle));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_without_a_login_is_limited_whatever_is_called() {
    let (cluster, _daemon) = with_limits(json!({ "seconds": 2 }), 900);
    let dial = dial(&cluster, 0);
    let session = officer(&dial, &PATIENT).await.unwrap();
    let began = Instant::now();
    let mut stranger = connect(&dial, &PATIENT).await.unwrap();
    while let Some((again, _)) = ask(stranger, Request::DescribeHsm(DescribeHsm)).await {
        stranger = again;
        assert!(began.elapsed() < PATIENT.call, "it is still served");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
    // From the logout on, the time is limited again.
    let (session, _) = ask(session, Request::DescribeHsm(DescribeHsm)).await.unwrap();
    let (session, _) = ask(session, Request::Logout(Logout)).await.unwrap();
    wait_until_closed(&mut [session]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_that_is_idle_for_longer_than_the_settings_allow() {
    let (cluster, _daemon) = with_settings(|settings| settings["max_idle_seconds"] = 2.into());
    let dial = dial(&cluster, 0);
    let (mut idle, mut busy) =
        (officer(&dial, &PATIENT).await.unwrap(), officer(&dial, &PATIENT).await.unwrap());
    let began = Instant::now();
    while idle.is_idle() {
        assert!(began.elapsed() < PATIENT.call, "still open");
        busy = ask(busy, Request::DescribeHsm(DescribeHsm)).await.unwrap().0;
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() >= Duration::from_millis(1800), "{:?}", began.elapsed());
    assert!(ask(busy, Request::DescribeHsm(DescribeHsm)).await.is_some());
}

/// Between two calls it may be idle for ever. In the middle of one it ends, in a minute at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_whose_call_is_never_complete() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let mut idle = officer(&dial(&cluster, 0), &PATIENT).await.unwrap();
    let mut session = raw(&cluster).await;
    exchange(&mut session, &co_login()).await;
    say(&mut session, &[0]).await;
    let ended = timeout(4 * Limits::default().call, session.next()).await;
    assert!(ended.is_ok_and(|frame| frame.is_none_or(|frame| frame.is_err())), "it is still open");
    assert!(idle.is_idle());
}

/// To go without a goodbye is no mistake.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_a_client_did_wrong() {
    let cluster = Cluster::new(1);
    let daemon = cluster.run();
    drop(raw(&cluster).await);
    let mut stranger = raw(&cluster).await;
    say(&mut stranger, &u32::MAX.to_be_bytes()).await;
    daemon.wait_for_log("frame size too big");
    daemon.wait_until_asleep();
    assert_eq!(daemon.log().matches("connection ended").count(), 1, "{}", daemon.log());
}

fn with_limits(without_login: Value, max_connections: u32) -> (Cluster, crate::process::Process) {
    with_settings(|settings| {
        settings["max_connections"] = max_connections.into();
        settings["without_login"] = without_login;
    })
}

/// A connection on which any bytes can be sent, after the first frames.
async fn raw(cluster: &Cluster) -> Raw {
    let tcp = TcpStream::connect(socket_address(cluster, 0)).await.unwrap();
    let tls = TlsConnector::from(Arc::new(client_config(Trust::Nobody, None).unwrap()));
    let name = ServerName::try_from("localhost").unwrap();
    let mut raw = frames(tls.connect(name, tcp).await.unwrap(), MAX_ANSWER);
    exchange(&mut raw, &Hello { version: VERSION }).await;
    raw
}

async fn exchange(raw: &mut Raw, question: &impl Serialize) {
    raw.send(encode(question).unwrap()).await.unwrap();
    raw.next().await.unwrap().unwrap();
}

async fn say(raw: &mut Raw, bytes: &[u8]) {
    raw.get_mut().write_all(bytes).await.unwrap();
    raw.get_mut().flush().await.unwrap();
}

fn co_login() -> Call {
    Call { round: Round::Perform(OperationId(1)), request: login(UserType::Co, "admin", CO_PASSWORD) }
}

/// A cluster of one HSM with these settings, running.
fn with_settings(change: impl FnOnce(&mut Value)) -> (Cluster, crate::process::Process) {
    let cluster = Cluster::activated(1);
    cluster.set(0, change);
    let daemon = cluster.run();
    (cluster, daemon)
}

async fn wait_until_closed(links: &mut [Link]) {
    let began = Instant::now();
    while links.iter_mut().any(Link::is_idle) {
        assert!(began.elapsed() < PATIENT.call, "still open");
        sleep(Duration::from_millis(20)).await;
    }
}
