//! `hsmd run` under a service manager that wants to be told how far it is.

use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::process::{Process, hsmd, run, text};

/// What systemd is for a service of `Type=notify`.
struct Manager {
    home: TempDir,
    socket: UnixDatagram,
}

#[test]
fn it_is_ready_once_all_hsms_listen_and_says_that_it_stops() {
    let (cluster, manager) = (Cluster::new(2), Manager::new());
    let daemon = manager.start(&cluster, None);
    assert_eq!(manager.next(), "READY=1\nSTATUS=HSMs listening: 2\n");
    for node in 0..2 {
        TcpStream::connect((cluster.address(node), cluster.port)).unwrap();
    }
    daemon.signal("-TERM");
    assert_eq!(manager.next(), "STOPPING=1\nSTATUS=finishing open calls\n");
    daemon.end().with_code(0);
    assert!(manager.heard_all());
}

#[test]
fn the_watchdog_hears_of_hsms_that_answer_if_it_wants_to() {
    let (cluster, manager) = (Cluster::new(2), Manager::new());
    let daemon = manager.start(&cluster, Some("200000"));
    let (mut fed, mut ready) = (0, 0);
    while fed < 3 || ready < 1 {
        match manager.next().as_str() {
            "WATCHDOG=1\n" => fed += 1,
            "READY=1\nSTATUS=HSMs listening: 2\n" => ready += 1,
            other => panic!("{other}"),
        }
    }
    daemon.signal("-TERM");
    daemon.end().with_code(0);
}

#[test]
fn a_daemon_that_cannot_run_is_never_ready() {
    let (cluster, manager) = (Cluster::new(2), Manager::new());
    let _occupant = std::net::TcpListener::bind((cluster.address(1), cluster.port)).unwrap();
    run(&mut manager.daemon(&cluster), "").with_code(1);
    assert!(manager.heard_all());
}

#[test]
fn a_manager_that_is_gone_is_no_reason_to_stop() {
    let (cluster, manager) = (Cluster::new(1), Manager::new());
    std::fs::remove_file(manager.home.path().join("notify")).unwrap();
    let daemon = manager.start(&cluster, None);
    daemon.wait_for_log("ready");
    assert!(daemon.log().contains("cannot notify the service manager"), "{}", daemon.log());
    daemon.signal("-TERM");
    daemon.end().with_code(0);
}

impl Manager {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(home.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        Self { home, socket }
    }

    fn daemon(&self, cluster: &Cluster) -> std::process::Command {
        let mut daemon = hsmd(&["run", text(&cluster.path(""))]);
        daemon.env("NOTIFY_SOCKET", self.home.path().join("notify"));
        daemon
    }

    /// With so many microseconds for the watchdog.
    fn start(&self, cluster: &Cluster, watchdog: Option<&str>) -> Process {
        Process::start(self.daemon(cluster).envs(watchdog.map(|limit| ("WATCHDOG_USEC", limit))))
    }

    /// The next datagram.
    fn next(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    fn heard_all(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        self.socket.recv(&mut [0]).is_err()
    }
}
