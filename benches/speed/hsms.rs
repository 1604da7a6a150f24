//! A cluster of HSMs in a real `hsmd` process, activated, with one crypto user.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use cloudhsm::cluster::{Cluster, Dial, Question};
use cloudhsm::config::Config;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::key::{GenerateKey, KeySpec, Template};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Operation, Secret};
use cloudhsm::wire::Limits;
use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use super::process::{Background, output, run, wait_for};

/// The officer's password.
pub(crate) const PASSWORD: &str = "officerpw1";

/// Those who make keys.
const CLIENTS: usize = 50;

const ACTIVATE: &str = "\
loginHSM PRECO admin password
changePswd PRECO admin officerpw1
y
createUser CU alice alicepw1
y
";

/// Runs until it is dropped.
pub(crate) struct Hsms {
    // Killed before the folder goes.
    pub(crate) daemon: Background,
    folder: TempDir,
}

impl Hsms {
    /// Starts all HSMs in one process, as `hsmd run` does; `net` is the second number of their addresses.
    pub(crate) fn start(nodes: u8, net: u8) -> Self {
        let folder = folder();
        let cluster = folder.path().join("cluster");
        let (nodes_word, net_word) = (nodes.to_string(), format!("127.{net}.0.0"));
        let init = ["cluster", "init", "--nodes", &nodes_word, "--net", &net_word, "--dir"];
        run(Command::new(env!("CARGO_BIN_EXE_hsmd")).args(init).arg(&cluster));
        // What a command copies must not come by itself.
        (0..nodes).for_each(|node| follow_nobody(&cluster.join(format!("hsm{node}/hsmd.json"))));
        let daemon = Background::start(Command::new(env!("CARGO_BIN_EXE_hsmd")).arg("run").arg(&cluster));
        (1..=nodes).for_each(|node| wait_for(SocketAddr::from((Ipv4Addr::new(127, net, 0, node), 2225))));
        let hsms = Self { daemon, folder };
        let script = hsms.path().join("activate.txt");
        fs::write(&script, ACTIVATE).unwrap();
        run(hsms.console().arg("-f").arg(script));
        hsms
    }

    /// A folder on the same disk.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The console with the cluster's configuration.
    pub(crate) fn console(&self) -> Command {
        let mut console = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"));
        console.arg(self.config());
        console
    }

    /// How to connect to the HSMs.
    pub(crate) fn dials(&self) -> Vec<Dial> {
        let config = Config::load(&self.config()).unwrap();
        config.servers().map(|server| Dial::new(server).unwrap()).collect()
    }

    /// A connection that is logged in as the crypto user.
    pub(crate) async fn alice(&self) -> Cluster {
        let mut cluster = Cluster::new(self.dials(), Limits::default(), Interrupt::default());
        cluster.open(&cluster.everywhere(), |_| (), |_, _| ()).await;
        let (name, password) = ("alice".to_owned(), Secret::new("alicepw1".to_owned()));
        ask(&mut cluster, Login { user_type: UserType::Cu, name, password, second_factor: None }).await;
        cluster
    }

    fn config(&self) -> PathBuf {
        self.path().join("cluster/cloudhsm_mgmt_util.cfg")
    }
}

fn follow_nobody(settings: &Path) {
    let mut json: Value = serde_json::from_slice(&fs::read(settings).unwrap()).unwrap();
    json["follow_keys_seconds"] = Value::Null;
    fs::write(settings, json.to_string()).unwrap();
}

/// Performs an operation on server 0. It has to succeed.
pub(crate) async fn ask<O: Operation>(cluster: &mut Cluster, operation: O) -> O::Reply {
    let question = Question::new(operation).unwrap();
    let Some(Ok(reply)) = cluster.perform(&[0], &question).await.pop() else { panic!("not done") };
    reply
}

/// Makes so many more keys of alice's on server 0.
pub(crate) async fn add_keys(hsms: &Hsms, count: usize, template: &Template) {
    let mut clients = join_all((0..CLIENTS).map(|_| hsms.alice())).await;
    let making = clients.iter_mut().enumerate().map(async |(client, cluster)| {
        for _ in (client..count).step_by(CLIENTS) {
            let spec = KeySpec::Aes { bytes: 32 };
            ask(cluster, GenerateKey { spec, template: template.clone() }).await;
        }
    });
    join_all(making).await;
}

/// A folder on a disk: the system's temporary folder may be in memory.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The console's output for these commands.
pub(crate) fn session(console: &mut Command, commands: &[&str]) -> String {
    output(console.args(commands.iter().flat_map(|command| ["-c", command])))
}
