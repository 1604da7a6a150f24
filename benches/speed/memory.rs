//! The most memory that each program takes while syncHSM copies keys: all that an HSM holds, compared with few. An HSM
//! keeps its keys in memory, so that also of an HSM is said what it takes that has just started with them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cloudhsm::hsm::MAX_KEYS;
use cloudhsm::protocol::key::Template;
use tokio::runtime::Runtime;

use super::hsms::{Hsms, PASSWORD, add_keys};
use super::process::{Background, wait_for};
use super::rounds::{Comparison, Row};

const FEW: usize = 500;

/// The second number of the HSMs' addresses.
const NET: u8 = 97;

/// Of resident memory, in kilobytes.
struct Peaks {
    console: u64,
    source: u64,
    destination: u64,
    /// The destination after another start.
    started: u64,
}

pub(crate) fn compare() -> Vec<Row> {
    let [few, all] = [FEW, MAX_KEYS].map(measure);
    let row = |what, all, few| {
        let comparison = Comparison { what, peer: "500 keys copied", budget: None, rounds: 1 };
        comparison.sized(all, few)
    };
    vec![
        row("peak memory of the console, 16,666 keys copied by syncHSM", all.console, few.console),
        row("peak memory of the source", all.source, few.source),
        row("peak memory of the destination", all.destination, few.destination),
        row("peak memory of the destination when it starts again", all.started, few.started),
    ]
}

/// Two HSMs in processes of their own.
fn measure(keys: usize) -> Peaks {
    let mut hsms = Hsms::start(2, NET);
    Runtime::new().unwrap().block_on(add_keys(&hsms, keys, &Template::default()));
    // Without what it took to make the keys.
    hsms.daemon.stop();
    let source = start(&hsms, 0);
    let destination = start(&hsms, 1);
    let mut console = hsms.console();
    console.arg("--yes").args(["-c", &format!("loginHSM CO admin {PASSWORD}")]);
    console.args(["-c", "server 0", "-c", "syncHSM 1"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut console = console.spawn().unwrap();
    let mut most = 0;
    while console.try_wait().unwrap().is_none() {
        most = peak(console.id()).unwrap_or(most);
        thread::sleep(Duration::from_millis(1));
    }
    let copied = console.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&copied.stdout).contains("syncHSM success\n"), "{copied:?}");
    let [source, mut copy] = [source, destination].map(|hsm| (peak(hsm.0.id()).unwrap(), hsm));
    copy.1.stop();
    let started = peak(start(&hsms, 1).0.id()).unwrap();
    Peaks { console: most, source: source.0, destination: copy.0, started }
}

fn start(hsms: &Hsms, node: u8) -> Background {
    let mut hsmd = Command::new(env!("CARGO_BIN_EXE_hsmd"));
    let hsm = Background::start(hsmd.arg("run").arg(hsms.path().join(format!("cluster/hsm{node}"))));
    wait_for(SocketAddr::from((Ipv4Addr::new(127, NET, 0, node + 1), 2225)));
    hsm
}

/// `None` of a process that has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
