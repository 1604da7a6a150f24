//! Comparing HSMs and making them alike, from the program's start to its end, with the logins.

use std::cell::Cell;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use cloudhsm::cluster::Cluster;
use cloudhsm::hsm::{MAX_KEYS, MAX_USERS};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::key::Template;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{CreateUser, UserId, UserType};
use cloudhsm::wire::Limits;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::hsms::{Hsms, PASSWORD, add_keys, ask, session};
use super::process::{Background, run, wait_for};
use super::rounds::{Comparison, Row};

/// The source, twelve that get all keys, one that gets some, and two to see how the time grows.
const NODES: u8 = 16;

/// How many keys there are when it is measured how the time grows.
const FEW: usize = 2_000;
const MANY: usize = 8_000;

/// How many users there are at first, beside the first three.
const FEW_USERS: usize = MAX_USERS / 4;

/// How many servers are compared at most.
const SERVERS: usize = 8;

/// How often servers are compared in one session, as once takes little longer than the logins.
const TIMES: u32 = 40;

/// Keys that a turn of the script copies, one line each.
const LINES: usize = 500;

pub(crate) fn compare() -> Vec<Row> {
    let hsms = Hsms::start(NODES, 95);
    let bench = Bench { hsms, login: format!("loginHSM CO admin {PASSWORD}") };
    let runtime = Runtime::new().unwrap();
    let mut rows = Vec::from(bench.growth_by_users(&runtime));
    let sizes = [(FEW, FEW, 14), (MANY, MANY - FEW, 15)].map(|(keys, more, server)| {
        runtime.block_on(add_keys(&bench.hsms, more, &Template::default()));
        (
            keys,
            bench.beyond_login(server, || bench.copy_keys(server, keys)),
            bench.one_comparison(&[0, server]),
        )
    });
    runtime.block_on(add_keys(&bench.hsms, MAX_KEYS - MANY, &Template::default()));
    rows.extend(bench.copying());
    rows.push(bench.comparing());
    rows.extend(exponents(["copying, by keys", "comparing, by keys"], sizes));
    let times =
        [2, SERVERS].map(|servers| (servers, bench.one_comparison(&(0..servers).collect::<Vec<_>>())));
    rows.push(exponent("comparing, by servers", times[0], times[1]));
    drop(bench);
    rows.push(copying_guarded(&runtime));
    rows
}

/// A CU copies keys with an M value: the HSM must look for approved changes, and for guarded keys of the same value.
fn copying_guarded(runtime: &Runtime) -> Row {
    let hsms = Hsms::start(3, 96);
    let officer = [format!("loginHSM CO admin {PASSWORD}"), "createUser CU bob bobpassword1".to_owned()];
    session(hsms.console().arg("--yes"), &officer.each_ref().map(String::as_str));
    let bench = Bench { hsms, login: "loginHSM CU alice alicepw1".to_owned() };
    // The officer, the appliance user and alice came first.
    let template = Template { m_value: 2, shared_with: vec![UserId(4)], ..Template::default() };
    let [few, many] = [(FEW, FEW, 1), (MANY, MANY - FEW, 2)].map(|(keys, more, server)| {
        runtime.block_on(add_keys(&bench.hsms, more, &template));
        (keys, bench.beyond_login(server, || bench.copy_keys(server, keys)))
    });
    exponent("copying a CU's keys with an M value, by keys", few, many)
}

struct Bench {
    hsms: Hsms,
    login: String,
}

impl Bench {
    fn growth_by_users(&self, runtime: &Runtime) -> [Row; 2] {
        let sizes = [(0, FEW_USERS, 14), (FEW_USERS, MAX_USERS - 3, 15)].map(|(before, users, server)| {
            runtime.block_on(self.add_users(&(before..users).collect::<Vec<_>>()));
            let copied = self.beyond_login(server, || self.copy_users(server, users));
            (users, copied, self.one_comparison(&[0, server]))
        });
        // Like the other one again.
        self.copy_users(14, MAX_USERS - 3 - FEW_USERS);
        exponents(["copying, by users", "comparing, by users"], sizes)
    }

    fn copying(&self) -> Vec<Row> {
        let (next, line) = (Cell::new(1), Cell::new(0));
        let copy = || {
            let server = next.replace(next.get() + 1);
            self.copy_keys(server, MAX_KEYS) / u32::try_from(MAX_KEYS).unwrap()
        };
        let lines = || {
            let from = line.replace(line.get() + LINES);
            self.copy_lines(from) / u32::try_from(LINES).unwrap()
        };
        let what = "a key of 16,666 copied by syncHSM to an empty HSM";
        let peer = "of 500, each by a piped `syncKey`";
        let piped = Comparison { what, peer, budget: Some(0.05), rounds: 3 }.run(copy, lines);
        let restore = Cell::new(0);
        let copy = || {
            let server = next.replace(next.get() + 1);
            self.copy_keys(server, MAX_KEYS)
        };
        let restored = || self.back_up_and_restore(restore.replace(restore.get() + 1));
        let what = "16,666 keys copied by syncHSM to an empty HSM";
        let peer = "`hsmd backup`, `cluster init --from-backup`, started";
        vec![piped, Comparison { what, peer, budget: Some(2.0), rounds: 7 }.run(copy, restored)]
    }

    fn comparing(&self) -> Row {
        for server in 1..SERVERS {
            self.copy_users(server, MAX_USERS - 3);
        }
        let what = "three HSMs with 1,024 users and 16,666 keys compared";
        let comparison = Comparison { what, peer: "`findAllKeys 0 0` on one", budget: Some(3.0), rounds: 15 };
        comparison.run(|| self.compare_time(&[0, 1, 2], 1), || self.list_time())
    }

    /// Copies the users that a server lacks, so many.
    fn copy_users(&self, server: usize, users: usize) -> Duration {
        self.copy(server, "users", &format!(": {users} users and 0 keys copied\n"))
    }

    /// Copies all keys, so many, to a server.
    fn copy_keys(&self, server: usize, keys: usize) -> Duration {
        self.copy(server, "keys", &format!(": 0 users and {keys} keys copied\n"))
    }

    fn copy(&self, server: usize, what: &str, account: &str) -> Duration {
        let start = Instant::now();
        let lines = [&self.login, "server 0", &format!("syncHSM 1 {what}")];
        let copied = session(self.console(&[0, server]).arg("--yes"), &lines);
        let time = start.elapsed();
        assert!(copied.contains(account) && copied.contains("syncHSM success\n"), "{copied}");
        time
    }

    /// What a session with a server takes more than one that only logs in.
    fn beyond_login(&self, server: usize, work: impl Fn() -> Duration) -> Duration {
        let mut logins: Vec<_> = (0..5).map(|_| self.compare_time(&[0, server], 0)).collect();
        logins.sort();
        work().saturating_sub(logins[2])
    }

    /// A comparison alone, without the logins.
    fn one_comparison(&self, servers: &[usize]) -> Duration {
        let mut times: Vec<_> = (0..5)
            .map(|_| {
                let one = self.compare_time(servers, 1);
                self.compare_time(servers, 1 + TIMES).saturating_sub(one) / TIMES
            })
            .collect();
        times.sort();
        times[2]
    }

    /// Copies some keys to server 13, a line each.
    fn copy_lines(&self, from: usize) -> Duration {
        let keys = (from..from + LINES).map(|index| format!("syncKey {} 1\n", index + 6));
        let script = format!("{}\nserver 0\n{}", self.login, keys.collect::<String>());
        let path = self.hsms.path().join("lines.txt");
        fs::write(&path, script).unwrap();
        let start = Instant::now();
        run(self.console(&[0, 13]).arg("-f").arg(path));
        start.elapsed()
    }

    fn back_up_and_restore(&self, turn: u8) -> Duration {
        let (backup, folder) =
            (self.hsms.path().join(format!("backup{turn}")), self.hsms.path().join(format!("clone{turn}")));
        let start = Instant::now();
        let hsmd = || Command::new(env!("CARGO_BIN_EXE_hsmd"));
        run(hsmd().arg("backup").arg(self.hsms.path().join("cluster/hsm0")).arg("--out").arg(&backup));
        let net = format!("127.{}.0.0", 100 + turn);
        let init = ["cluster", "init", "--nodes", "1", "--net", &net, "--from-backup"];
        run(hsmd().args(init).arg(&backup).arg("--dir").arg(&folder));
        let _daemon = Background::start(hsmd().arg("run").arg(&folder));
        wait_for(SocketAddr::from((Ipv4Addr::new(127, 100 + turn, 0, 1), 2225)));
        start.elapsed()
    }

    /// A session that compares servers so many times.
    fn compare_time(&self, servers: &[usize], times: u32) -> Duration {
        let mut console = self.console(servers);
        console.args(["-c", &self.login]);
        console.args(["-c", "compareHSM"].repeat(usize::try_from(times).unwrap()));
        let start = Instant::now();
        let output = console.output().unwrap();
        let time = start.elapsed();
        let compared = String::from_utf8_lossy(&output.stdout).matches("compareHSM: ").count();
        assert!(output.status.success() && compared == usize::try_from(times).unwrap());
        time
    }

    fn list_time(&self) -> Duration {
        let start = Instant::now();
        let listed = session(&mut self.console(&[0]), &[&self.login, "findAllKeys 0 0"]);
        assert!(listed.contains(&format!("Number of keys found {MAX_KEYS}\n")));
        start.elapsed()
    }

    /// The console with some of the servers.
    fn console(&self, servers: &[usize]) -> Command {
        let path: PathBuf = self.hsms.path().join("cluster/cloudhsm_mgmt_util.cfg");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let all = config["servers"].as_array().unwrap().clone();
        config["servers"] = servers.iter().map(|server| all[*server].clone()).collect();
        let some = path.with_file_name(format!("{servers:?}.cfg"));
        fs::write(&some, config.to_string()).unwrap();
        let mut console = Command::new(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"));
        console.arg(some);
        console
    }

    /// Makes more users on server 0.
    async fn add_users(&self, numbers: &[usize]) {
        let officers = join_all(numbers.chunks(numbers.len().div_ceil(4)).map(async |numbers| {
            let mut cluster = Cluster::new(self.hsms.dials(), Limits::default(), Interrupt::default());
            cluster.open(&[0], |_| (), |_, _| ()).await;
            let (name, password) = ("admin".to_owned(), Secret::new(PASSWORD.to_owned()));
            ask(&mut cluster, Login { user_type: UserType::Co, name, password, second_factor: None }).await;
            for number in numbers {
                let name = format!("user{number}");
                let password = Secret::new("a password".to_owned());
                let user_type = UserType::Cu;
                ask(&mut cluster, CreateUser { user_type, name, password, second_factor: None }).await;
            }
        }));
        officers.await;
    }
}

/// How the times to copy and to compare grow.
fn exponents(what: [&'static str; 2], sizes: [(usize, Duration, Duration); 2]) -> [Row; 2] {
    let [few, many] = sizes;
    let [copying, comparing] = what;
    [
        exponent(copying, (few.0, few.1), (many.0, many.1)),
        exponent(comparing, (few.0, few.2), (many.0, many.2)),
    ]
}

/// How the time grows: 1 is linear.
fn exponent(what: &'static str, (few, little): (usize, Duration), (many, much): (usize, Duration)) -> Row {
    let growth = (much.as_secs_f64() / little.as_secs_f64()).ln() / (many as f64 / few as f64).ln();
    let comparison =
        Comparison { what, peer: "the exponent of a linear growth", budget: Some(1.1), rounds: 1 };
    comparison.counted(growth)
}
