//! A cluster's folder on addresses that no other test has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Ended, PROMPT, Process, console, hsmd, run, text};

/// The password of `admin` once a cluster is activated.
pub(crate) const CO_PASSWORD: &str = "officer123";

/// Made by `hsmd cluster init`, gone at the end of the story.
pub(crate) struct Cluster {
    home: TempDir,
    /// The first three numbers of the addresses.
    net: String,
    pub(crate) port: u16,
    nodes: u32,
}

impl Cluster {
    pub(crate) fn new(nodes: u32) -> Self {
        let (net, port) = unused_net();
        Self::at(net, port, nodes)
    }

    /// One on the port that the original's HSMs have.
    pub(crate) fn on_the_usual_port(nodes: u32) -> Self {
        Self::at(unused_net().0, 2225, nodes)
    }

    fn at(net: String, port: u16, nodes: u32) -> Self {
        let cluster = Self { home: tempfile::tempdir().unwrap(), net, port, nodes };
        let (net, port) = (format!("{}.0", cluster.net), port.to_string());
        let (nodes, dir) = (nodes.to_string(), cluster.path(""));
        let mut init = hsmd(&["cluster", "init", "--nodes", &nodes, "--net", &net, "--port", &port]);
        run(init.args(["--dir", text(&dir)]), "").with_code(0);
        // What these stories see of an HSM must not change by itself.
        cluster.follow_keys(None);
        cluster
    }

    /// A clone of the HSM in a backup, with addresses of its own.
    pub(crate) fn clone_of(backup: &Path, nodes: u32) -> Self {
        let (net, port) = unused_net();
        let cluster = Self { home: tempfile::tempdir().unwrap(), net, port, nodes };
        let (net, port) = (format!("{}.0", cluster.net), port.to_string());
        let (nodes, dir) = (nodes.to_string(), cluster.path(""));
        let mut init = hsmd(&["cluster", "init", "--nodes", &nodes, "--net", &net, "--port", &port]);
        run(init.args(["--dir", text(&dir), "--from-backup", text(backup)]), "").with_code(0);
        cluster
    }

    /// One whose `admin` is a CO.
    pub(crate) fn activated(nodes: u32) -> Self {
        let cluster = Self::new(nodes);
        let daemon = cluster.run();
        let activation = format!("loginHSM PRECO admin password\nchangePswd PRECO admin {CO_PASSWORD}\ny\n");
        cluster.play(&activation).with_code(0);
        daemon.signal("-TERM");
        daemon.end().with_code(0);
        cluster
    }

    /// Of a file in the cluster's folder; of the folder itself if the name is empty.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let folder = self.home.path().join("cluster");
        if name.is_empty() { folder } else { folder.join(name) }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("cloudhsm_mgmt_util.cfg")
    }

    /// Writes the original's client file, which names this HSM.
    pub(crate) fn write_client_config(&self, node: u32, minimum_nodes: u32) -> PathBuf {
        let ca = self.path("customerCA.crt");
        let client = json!({
            "client": { "create_object_minimum_nodes": minimum_nodes, "e2e_owner_crt_path": ca },
            "server": { "hostname": self.address(node), "port": self.port },
            "loadbalance": { "enable": "yes" },
        });
        let config = self.path("cloudhsm_client.cfg");
        fs::write(&config, client.to_string()).unwrap();
        config
    }

    pub(crate) fn address(&self, node: u32) -> String {
        format!("{}.{}", self.net, node + 1)
    }

    /// `hsmd run` of the whole cluster, ready.
    pub(crate) fn run(&self) -> Process {
        self.run_in("")
    }

    /// `hsmd run` of one HSM, ready.
    pub(crate) fn run_hsm(&self, node: u32) -> Process {
        self.run_in(&format!("hsm{node}"))
    }

    /// Plays commands from standard input to their end.
    pub(crate) fn play(&self, commands: &str) -> Ended {
        run(&mut console(&[text(&self.config())]), commands)
    }

    /// The console at its first prompt.
    pub(crate) fn at_prompt(&self) -> Process {
        let mut console = Process::start(&mut console(&[text(&self.config())]));
        console.wait_for(PROMPT);
        console
    }

    /// The console with `admin` logged in everywhere.
    pub(crate) fn logged_in(&self) -> Process {
        let mut console = self.at_prompt();
        let answer = console.command(&format!("loginHSM CO admin {CO_PASSWORD}"));
        assert_eq!(answer.matches("loginHSM success").count(), self.nodes as usize, "{answer}");
        console
    }

    /// Alters the configuration of every server.
    pub(crate) fn configure(&self, key: &str, value: &str) {
        let mut config: Value = serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap();
        for server in config["servers"].as_array_mut().unwrap() {
            server[key] = value.into();
        }
        fs::write(self.config(), config.to_string()).unwrap();
    }

    /// The servers of the configuration.
    pub(crate) fn servers(&self) -> Vec<Value> {
        let config: Value = serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap();
        config["servers"].as_array().unwrap().clone()
    }

    /// Has the configuration name only these.
    pub(crate) fn write_servers(&self, servers: &[Value]) {
        alter(self, |all| *all = servers.to_vec());
    }

    /// Alters an HSM's settings.
    pub(crate) fn set(&self, node: u32, change: impl FnOnce(&mut Value)) {
        let path = self.path(&format!("hsm{node}/hsmd.json"));
        let mut settings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut settings);
        fs::write(path, settings.to_string()).unwrap();
    }

    /// Sets how often the HSMs ask each other for keys.
    pub(crate) fn follow_keys(&self, seconds: Option<u32>) {
        let value = seconds.map_or("null".to_owned(), |seconds| seconds.to_string());
        for node in 0..self.nodes {
            let path = self.path(&format!("hsm{node}/hsmd.json"));
            let settings = fs::read_to_string(&path).unwrap();
            let (before, after) = settings.split_once("\"follow_keys_seconds\": ").unwrap();
            let (_, after) = after.split_once(',').unwrap();
            fs::write(path, format!("{before}\"follow_keys_seconds\": {value},{after}")).unwrap();
        }
    }

    /// What a program wrote, with the addresses and paths of the documentation.
    pub(crate) fn as_documented(&self, written: &str) -> String {
        let written = written.replace(text(&self.path("")), "/opt/cloudhsm/etc");
        let written = written.replace(&format!("port {}", self.port), "port 2225");
        written.replace(&format!("{}.", self.net), "10.0.0.")
    }

    fn run_in(&self, folder: &str) -> Process {
        let daemon = Process::start(&mut hsmd(&["run", text(&self.path(folder))]));
        daemon.wait_for_log("ready");
        daemon
    }
}

/// The users that each server listed, in the order of the listings, as `3 CU alice`.
pub(crate) fn listed(transcript: &str) -> Vec<Vec<String>> {
    transcript
        .split("Users on server ")
        .skip(1)
        .map(|listing| listing.lines().filter_map(user).collect())
        .collect()
}

/// Alters the servers of the configuration.
pub(crate) fn alter(cluster: &Cluster, change: impl FnOnce(&mut Vec<Value>)) {
    let mut config: Value = serde_json::from_slice(&fs::read(cluster.config()).unwrap()).unwrap();
    change(config["servers"].as_array_mut().unwrap());
    fs::write(cluster.config(), config.to_string()).unwrap();
}

/// Loopback addresses and a port: other tests run in this process and in others.
pub(crate) fn unused_net() -> (String, u16) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let process = process::id();
    let port = u16::try_from(10_000 + process / 200 % 20_000).unwrap();
    (format!("127.{}.{}", 16 + process % 200, COUNT.fetch_add(1, Ordering::Relaxed)), port)
}

fn user(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().take(3).collect();
    words.first()?.parse::<u32>().ok().map(|_| words.join(" "))
}
