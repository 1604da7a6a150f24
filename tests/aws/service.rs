//! `hsmd service` as a program.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Killed when dropped, as by `kill -9`.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
}

/// Below those that the system gives away by itself, and no other service's.
pub(crate) fn unused_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = 16 * process::id() + COUNT.fetch_add(1, Ordering::Relaxed);
    u16::try_from(10_000 + number % 20_000).unwrap()
}

impl Service {
    /// With HSMs on this port.
    pub(crate) fn start(account: &Path, port: &str) -> Self {
        Self::begin(account, port).ready()
    }

    /// Each state in progress takes a second.
    pub(crate) fn start_slow(account: &Path, port: &str) -> Self {
        Self::spawn(account, &["--port", port, "--pace", "1"]).ready()
    }

    /// Does not wait until it listens.
    pub(crate) fn begin(account: &Path, port: &str) -> Self {
        Self::spawn(account, &["--port", port])
    }

    fn spawn(account: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hsmd"));
        command.args(["service", "--listen", "127.0.0.1:0", "--log-format", "json", "--dir"]).arg(account);
        let child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, address: String::new() }
    }

    fn ready(mut self) -> Self {
        let mut log = BufReader::new(self.child.stderr.take().unwrap());
        let mut seen = String::new();
        self.address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended: {seen}");
            seen.push_str(&line);
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            // Its HSMs listen, too.
            if line["message"] == "listening" && line.get("hsm_id").is_none() {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        // Nobody may be kept from writing to its log.
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        self
    }

    /// As `kill -9` does, from another thread, too.
    pub(crate) fn kill(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    }

    /// Once it is gone, another one may take its place.
    pub(crate) fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}
