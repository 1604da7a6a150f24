//! A cluster of real daemons, one process for each HSM.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::session::wait_for_text;

pub(crate) struct Cluster {
    folder: TempDir,
    daemons: Vec<Child>,
    net: String,
}

/// Of this cluster alone.
fn net() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let cluster = COUNT.fetch_add(1, Ordering::SeqCst);
    format!("127.{}.{}.0", 77 + cluster, std::process::id() % 250)
}

impl Cluster {
    pub(crate) fn run(nodes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("cluster");
        let net = net();
        let init = Command::new(env!("CARGO_BIN_EXE_hsmd"))
            .args(["cluster", "init", "--nodes", &nodes.to_string(), "--net", &net, "--dir"])
            .arg(&dir)
            .output()
            .unwrap();
        assert!(init.status.success(), "{init:?}");
        let mut cluster = Self { folder, daemons: Vec::new(), net };
        for node in 0..nodes {
            let log = cluster.log_file(node);
            let daemon = Command::new(env!("CARGO_BIN_EXE_hsmd"))
                .arg("run")
                .arg(dir.join(format!("hsm{node}")))
                .env("RUST_LOG", "debug")
                .stdout(Stdio::null())
                .stderr(fs::File::create(&log).unwrap())
                .spawn()
                .unwrap();
            cluster.daemons.push(daemon);
            wait_for_text(&log, "ready");
        }
        cluster
    }

    /// What the console calls the HSMs.
    pub(crate) fn names<const N: usize>(&self) -> [String; N] {
        let prefix = self.net.trim_end_matches('0');
        std::array::from_fn(|node| format!("{prefix}{}", node + 1))
    }

    pub(crate) fn console(&self) -> Vec<String> {
        let config = self.folder.path().join("cluster/cloudhsm_mgmt_util.cfg");
        [env!("CARGO_BIN_EXE_cloudhsm_mgmt_util").to_owned(), config.display().to_string()].to_vec()
    }

    pub(crate) fn log(&self, node: usize) -> String {
        fs::read_to_string(self.log_file(node)).unwrap()
    }

    pub(crate) fn log_file(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("log{node}"))
    }

    pub(crate) fn signal(&self, node: usize, name: &str) {
        let process = self.daemons[node].id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
        // On a busy machine it would go on for a moment.
        while name == "-STOP"
            && !fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") T ")
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            // It may have ended already.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}
