//! Changes that survive a power cut, compared with appending to a file and syncing it each time.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cloudhsm::cluster::Cluster;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::key::{GenerateKey, KeyHandle, KeySpec, Template};
use futures_util::future::join_all;
use tokio::runtime::Runtime;

use super::hsms::{Hsms, ask};
use super::process::{Background, is_installed, run};
use super::rounds::{Comparison, Row, time_each};

const CLIENTS: usize = 50;

/// The changes of one turn, by all clients together.
const CHANGES: u32 = 1000;

const PEER: &str = "append and fdatasync";

pub(crate) fn compare() -> Vec<Row> {
    let hsms = Hsms::start(1, 95);
    let runtime = Runtime::new().unwrap();
    let (mut clients, key) = runtime.block_on(connect(&hsms));
    let one = |clients: &mut [Cluster]| runtime.block_on(change(clients, key));
    let mut file = File::create(hsms.path().join("raw")).unwrap();
    let mut raw = || time_each(CHANGES, || append(&mut file));
    let timed = |what| Comparison { what, peer: PEER, budget: None, rounds: 15 };
    let mut rows = vec![
        timed("a durable change, one client").run(|| one(&mut clients[..1]), &mut raw),
        timed("a durable change, 50 clients").run(|| one(&mut clients), &mut raw),
    ];
    for (what, count) in [("syncs for a change, one client", 1), ("syncs for a change, 50 clients", CLIENTS)]
    {
        rows.push(count_syncs(what, &hsms, || one(&mut clients[..count])));
    }
    rows
}

/// The clients, all logged in as the crypto user who owns the key.
async fn connect(hsms: &Hsms) -> (Vec<Cluster>, KeyHandle) {
    let mut clients = join_all((0..CLIENTS).map(|_| hsms.alice())).await;
    let spec = KeySpec::Aes { bytes: 32 };
    let new = GenerateKey { spec, template: Template::default() };
    let handles = ask(&mut clients[0], new).await;
    (clients, handles[0])
}

/// The time of one change, while each of these clients makes one after another.
async fn change(clients: &mut [Cluster], key: KeyHandle) -> Duration {
    let each = CHANGES / u32::try_from(clients.len()).unwrap();
    let start = Instant::now();
    let changing = clients.iter_mut().enumerate().map(async |(client, cluster)| {
        for number in 0..each {
            let value = Value::Text(format!("label {number} of client {client}"));
            ask(cluster, SetAttribute { handle: key, attribute: Attribute::Label, value }).await;
        }
    });
    join_all(changing).await;
    start.elapsed() / CHANGES
}

/// Appends about as many bytes as a change and its audit record have.
fn append(file: &mut File) {
    file.write_all(&[7; 360]).unwrap();
    file.sync_data().unwrap();
}

/// The HSM's syncs per change, counted by strace. The snapshot after every 4096 changes needs one more.
fn count_syncs(what: &'static str, hsms: &Hsms, mut changes: impl FnMut() -> Duration) -> Row {
    if !is_installed("strace") {
        return Row::Skipped { what, missing: "strace" };
    }
    let trace = hsms.path().join("trace");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-e", "trace=fsync,fdatasync", "-p", &hsms.daemon.0.id().to_string(), "-o"])
        .arg(&trace);
    let strace = Background(strace.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    // Until strace is attached to the HSM.
    thread::sleep(Duration::from_millis(500));
    changes();
    run(Command::new("kill").args(["-INT", &strace.0.id().to_string()]));
    drop_after_end(strace);
    let comparison = Comparison { what, peer: "one each", budget: Some(1.0), rounds: 1 };
    comparison.counted(f64::from(syncs(&trace)) / f64::from(CHANGES))
}

fn drop_after_end(mut strace: Background) {
    // Its exit code is not 0, as it was interrupted.
    let _ = strace.0.wait().unwrap();
}

fn syncs(trace: &Path) -> u32 {
    let text = fs::read_to_string(trace).unwrap();
    let begun = text.lines().filter(|line| line.contains("sync(")).count();
    u32::try_from(begun).unwrap()
}
