//! An owner's desk: the real programs, and openssl, in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Below those that the system gives away by itself, and no other desk's.
fn unused_port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let desk = 16 * process::id() + COUNT.fetch_add(1, Ordering::Relaxed);
    u16::try_from(10_000 + desk % 20_000).unwrap()
}

pub(crate) struct Desk {
    folder: TempDir,
    /// What the cluster's files for its owner begin with.
    pub(crate) id: String,
    pub(crate) port: u16,
}

impl Desk {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), id: String::new(), port: unused_port() }
    }

    /// With a cluster in `D` that waits for its owner.
    pub(crate) fn with_csr(nodes: u32) -> Self {
        let mut desk = Self::empty();
        let (nodes, port) = (nodes.to_string(), desk.port.to_string());
        let init = ["cluster", "init", "--csr", "--dir", "D", "--nodes", &nodes, "--port", &port];
        let made = succeeded(&desk.hsmd(&init));
        let csr = fs::read_dir(desk.path("D")).unwrap().find_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix("_ClusterCsr.csr").map(str::to_owned)
        });
        desk.id = csr.unwrap();
        assert!(made.contains(&format!("Sign D/{}_ClusterCsr.csr", desk.id)), "{made}");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of the cluster's files for its owner.
    pub(crate) fn owners(&self, name: &str) -> String {
        format!("D/{}_{name}", self.id)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs openssl on words divided by blanks.
    pub(crate) fn openssl(&self, words: &str) -> String {
        let mut command = Command::new("openssl");
        succeeded(&command.args(words.split_whitespace()).current_dir(self.folder.path()).output().unwrap())
    }

    pub(crate) fn hsmd(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hsmd"));
        command.args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// What `hsmd cluster initialize` says: nothing but success, or the reason.
    pub(crate) fn initialize(&self, signed: &str, anchor: &str) -> Result<(), String> {
        let arguments =
            ["cluster", "initialize", "--dir", "D", "--signed-cert", signed, "--trust-anchor", anchor];
        let output = self.hsmd(&arguments);
        if output.status.success() {
            return Ok(());
        }
        let reason = String::from_utf8(output.stderr).unwrap();
        Err(reason.trim_end().trim_start_matches("hsmd: ").to_owned())
    }

    /// Starts the cluster, and comes back when it is ready.
    pub(crate) fn run(&self, folder: &str) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hsmd"));
        command.args(["run", folder]).current_dir(self.folder.path()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let mut seen = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "no daemon: {seen}");
            seen.push_str(&line);
        }
        // Nobody may be kept from writing to its log.
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        Daemon(child)
    }

    /// The console's output behind its first prompt, and before.
    pub(crate) fn console(&self, config: &str, lines: &str) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"));
        command.arg(config).current_dir(self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let (banner, session) = output.split_once("aws-cloudhsm>").unwrap();
        (session.to_owned(), banner.to_owned())
    }

    /// Every file below `D` but the stores, which change when they are opened.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut contents = BTreeMap::new();
        collect(&self.path("D"), &mut contents);
        contents
    }
}

fn collect(folder: &Path, contents: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, contents);
        } else if path.extension().is_none_or(|extension| extension != "redb") {
            contents.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}

fn succeeded(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

/// A running `hsmd`; it stops when it is dropped.
pub(crate) struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.0.wait().unwrap();
    }
}
