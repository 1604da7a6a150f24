//! The HSMs as processes.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::cluster::Cluster;
use crate::process::{Process, text};

/// One HSM and what is done to its process.
pub(crate) struct Node {
    number: u32,
    cluster: Arc<Cluster>,
    process: Mutex<Option<Process>>,
    /// Counts the beginnings and the ends of what is done to it: odd while it need not answer.
    disturbed: AtomicU32,
    /// Of its folder, if that is a small file system of its own.
    small_disk: Option<PathBuf>,
    log: Mutex<String>,
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) resident_kb: u64,
    pub(crate) files: u64,
}

impl Node {
    pub(crate) fn start(cluster: &Arc<Cluster>, number: u32, small_disk: Option<PathBuf>) -> Self {
        let process = Mutex::new(Some(cluster.run_hsm(number)));
        let (disturbed, log) = (AtomicU32::new(0), Mutex::default());
        Self { number, cluster: Arc::clone(cluster), process, disturbed, small_disk, log }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.cluster.path(&format!("hsm{}", self.number))
    }

    pub(crate) fn has_small_disk(&self) -> bool {
        self.small_disk.is_some()
    }

    /// While this runs, the HSM need not answer.
    pub(crate) fn disturbed<T>(&self, disturb: impl FnOnce() -> T) -> T {
        self.disturbed.fetch_add(1, Ordering::SeqCst);
        let done = disturb();
        self.disturbed.fetch_add(1, Ordering::SeqCst);
        done
    }

    /// A number that changes with each disturbance; `None` during one.
    pub(crate) fn calm(&self) -> Option<u32> {
        Some(self.disturbed.load(Ordering::SeqCst)).filter(|count| count % 2 == 0)
    }

    pub(crate) fn signal(&self, name: &str) {
        self.process.lock().unwrap().as_ref().unwrap().signal(name);
    }

    /// Ends it with this signal.
    pub(crate) fn end(&self, signal: &str) {
        let mut process = self.process.lock().unwrap().take().unwrap();
        process.signal(signal);
        let ended = process.wait();
        assert!(signal == "-KILL" || ended.code == Some(0), "{:?}: {}", ended.code, ended.stderr);
        self.log.lock().unwrap().push_str(&ended.stderr);
    }

    pub(crate) fn start_again(&self) {
        *self.process.lock().unwrap() = Some(self.cluster.run_hsm(self.number));
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        let process = self.process.lock().unwrap();
        self.log.lock().unwrap().clone() + &process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// `None` if it does not run.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let process = self.process.lock().unwrap();
        let proc = PathBuf::from(format!("/proc/{}", process.as_ref()?.id()));
        let status = fs::read_to_string(proc.join("status")).ok()?;
        // Without what is mapped from the program's file.
        let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
        let resident_kb = line.split_whitespace().nth(1)?.parse().ok()?;
        let files = u64::try_from(fs::read_dir(proc.join("fd")).ok()?.count()).unwrap();
        Some(Usage { resident_kb, files })
    }

    /// Bytes of its store.
    pub(crate) fn store(&self) -> u64 {
        fs::metadata(self.folder().join("hsm.redb")).map(|metadata| metadata.len()).unwrap_or_default()
    }

    /// Leaves no space on its disk while this runs.
    pub(crate) fn without_space(&self, meanwhile: impl FnOnce()) {
        let filler = self.small_disk.as_ref().unwrap().join("filler");
        fill(&filler);
        meanwhile();
        fs::remove_file(&filler).unwrap();
    }
}

/// Writes until nothing goes on the disk any more.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1024 * 1024, 4096] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

/// Puts an HSM's folder on a file system of its own. `None` if this process may not mount one.
pub(crate) fn on_small_disk(folder: &Path, mebibytes: usize) -> Option<PathBuf> {
    let kept = folder.with_extension("kept");
    fs::rename(folder, &kept).unwrap();
    fs::create_dir(folder).unwrap();
    let options = format!("size={mebibytes}m,mode=700");
    let mounted = run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs", text(folder)]));
    if mounted {
        assert!(run(Command::new("cp").args(["-a", text(&kept.join(".")), text(folder)])));
        return Some(folder.to_owned());
    }
    fs::remove_dir(folder).unwrap();
    fs::rename(&kept, folder).unwrap();
    None
}

pub(crate) fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
