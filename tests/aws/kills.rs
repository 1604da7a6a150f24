//! Calls in any order, several at once, with `kill -9` in the middle of them and of starts: whatever happens, what is seen
//! afterwards is what the answered calls have made, and each call that was cut is done or as if it had never been made.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::{ask, look};
use crate::dice::Dice;
use crate::model::{Asked, Call, Id, Model, State, World};
use crate::moment::{Moment, Watch};
use crate::officer::{activate, log_in};
use crate::owner::Owner;
use crate::service::{Service, unused_port};

/// A service that is killed and started again, and what its account has to be.
struct Rehearsal {
    folder: tempfile::TempDir,
    owner: Owner,
    port: u16,
    service: Service,
    dice: Dice,
    model: Model,
    /// Every id that was ever seen.
    used: BTreeSet<Id>,
    /// Where each HSM is.
    addresses: BTreeMap<Id, String>,
    kills: usize,
    trace: Vec<String>,
}

/// As long as an HSM may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// `SEED=… SECONDS=… cargo test --test aws -- kills` repeats the calls; when a process dies is up to the machine.
#[test]
fn whatever_a_kill_cuts_is_done_or_undone_and_no_id_comes_twice() {
    let number = |name| env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("SEED").unwrap_or(u64::from(now.subsec_nanos()) ^ u64::from(process::id()));
    let end = Instant::now() + Duration::from_secs(number("SECONDS").unwrap_or(25));
    println!("SEED={seed}");
    let mut rehearsal = Rehearsal::start(seed);
    rehearsal.prepare();
    let mut steps = 0;
    while Instant::now() < end || rehearsal.kills < 10 {
        rehearsal.step();
        steps += 1;
    }
    println!("{steps} steps, {} kills, {} ids", rehearsal.kills, rehearsal.used.len());
}

impl Rehearsal {
    /// With an owner's CA.
    fn start(seed: u64) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), unused_port());
        let service = Service::start(&folder.path().join("account"), &port.to_string());
        Self {
            owner: Owner::new(folder.path()),
            folder,
            port,
            service,
            dice: Dice::new(seed),
            model: Model::default(),
            used: BTreeSet::new(),
            addresses: BTreeMap::new(),
            kills: 0,
            trace: Vec::new(),
        }
    }

    /// An active cluster with two HSMs and a backup: chance alone would take long to get there.
    fn prepare(&mut self) {
        self.one(Call::CreateCluster { region: 0, source: None });
        let cluster = self.model.world.clusters.keys().next().unwrap().clone();
        self.one(Call::CreateHsm { cluster: cluster.clone(), zone: 'a' });
        let hsm = self.model.world.clusters[&cluster].hsms.keys().next().unwrap().clone();
        let certificate = self.owner.certify(&self.service.address, 0, &cluster);
        self.one(Call::InitializeCluster { cluster: cluster.clone(), hsm, certificate });
        self.activate();
        self.one(Call::CreateHsm { cluster, zone: 'b' });
    }

    /// In the first region, without a kill.
    fn one(&mut self, call: Call) {
        let asked = self.ask(vec![(0, call)], None);
        self.trace.push(format!("{asked:?}"));
        self.check(&asked);
    }

    /// Some calls at once, of which all see the same account.
    fn step(&mut self) {
        let mut calls = Vec::new();
        for _ in 0..[1, 1, 2, 3][self.dice.throw(4)] {
            let (owner, address) = (&self.owner, &self.service.address);
            let certify = |region, cluster: &Id| owner.certify(address, region, cluster);
            calls.push(self.dice.call(&self.model.world, certify));
        }
        let moment = (self.dice.throw(2) == 0).then(|| Moment::of(&mut self.dice));
        let asked = self.ask(calls, moment);
        self.trace.push(format!("{moment:?}: {asked:?}"));
        if moment.is_some() {
            self.restart();
        }
        self.check(&asked);
        if self.dice.throw(2) == 0 {
            self.activate();
        }
    }

    /// Asks all at once; at the moment, if there is one, the service is killed.
    fn ask(&self, calls: Vec<(usize, Call)>, moment: Option<Moment>) -> Vec<Asked> {
        let anchor = self.owner.anchor_text();
        let (account, answered) = (self.account(), AtomicBool::new(false));
        let (service, address) = (&self.service, &self.service.address);
        let watch = Watch::on(&account);
        thread::scope(|scope| {
            let (anchor, watch, answered) = (&anchor, &watch, &answered);
            let one = move |(region, call): (usize, Call)| {
                let answer = ask(address, region, &call, anchor);
                (call, answer)
            };
            let asking: Vec<_> = calls.into_iter().map(|call| scope.spawn(move || one(call))).collect();
            if let Some(moment) = moment {
                scope.spawn(move || {
                    moment.wait(watch, answered);
                    service.kill();
                });
            }
            let asked = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
            answered.store(true, Ordering::Relaxed);
            asked
        })
    }

    /// Starts the service again. Some starts are cut, too.
    fn restart(&mut self) {
        self.service.end();
        self.kills += 1;
        while self.dice.throw(3) == 0 {
            let (moment, watch) = (Moment::of(&mut self.dice), Watch::on(&self.account()));
            let started = Service::begin(&self.account(), &self.port.to_string());
            moment.wait(&watch, &AtomicBool::new(false));
            drop(started);
            self.trace.push(format!("start cut at {moment:?}"));
            self.kills += 1;
        }
        self.service = Service::start(&self.account(), &self.port.to_string());
    }

    /// What is seen has an explanation, nothing is half there, and every HSM runs where it was.
    fn check(&mut self, asked: &[Asked]) {
        let seen = self.look();
        let Some(model) = self.model.explain(asked, &seen) else {
            panic!("unexplained: {seen:#?} after {:#?} and {:#?}", self.model.world, self.trace);
        };
        let (before, now) = (self.model.world.ids(), seen.ids());
        for new in now.difference(&before) {
            assert!(self.used.insert((*new).clone()), "{new} again: {:#?}", self.trace);
        }
        self.model = model;
        for (id, (_, address)) in seen.clusters.values().flat_map(|cluster| &cluster.hsms) {
            let before = self.addresses.entry(id.clone()).or_insert_with(|| address.clone());
            assert_eq!(before, address, "{id} has moved: {:#?}", self.trace);
        }
        let hsms = seen.clusters.values().flat_map(|cluster| cluster.hsms.keys());
        self.expect_files("clusters", &hsms.cloned().collect());
        self.expect_files("backups", &seen.backups.keys().cloned().collect());
    }

    fn look(&self) -> World {
        self.wait(|| look(&self.service.address))
    }

    fn wait<T>(&self, look: impl Fn() -> Result<T, String>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match look() {
                Ok(found) => return found,
                Err(odd) => assert!(Instant::now() < deadline, "{odd} {:#?}", self.trace),
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// What was cut is removed at once, what is deleted soon.
    fn expect_files(&self, folder: &str, expected: &BTreeSet<Id>) {
        let (kind, depth) = if folder == "clusters" { ("hsm-", 2) } else { ("backup-", 1) };
        let found = || {
            let mut paths = vec![self.account().join(folder)];
            for _ in 0..depth {
                let inside = paths.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
                paths = inside.map(|entry| entry.unwrap().path()).collect();
            }
            let names = paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
            names.filter(|name| name != "seed.backup" && name != "seed.backup.key").collect::<BTreeSet<_>>()
        };
        let files = |id: &Id| match kind {
            "hsm-" => vec![id.clone()],
            _ => vec![format!("{id}.backup"), format!("{id}.backup.key")],
        };
        let expected: BTreeSet<String> = expected.iter().flat_map(files).collect();
        self.wait(|| {
            let found = found();
            if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
        });
    }

    /// A cluster that has an owner is activated; in an active one, all HSMs know their officer.
    fn activate(&mut self) {
        let model = &mut self.model.world;
        let with_hsm = model.clusters.iter_mut().filter(|(_, cluster)| !cluster.hsms.is_empty());
        for (id, cluster) in with_hsm {
            let mut hsms = cluster.hsms.values().map(|(_, address)| address);
            let anchor = self.owner.anchor();
            let done = match cluster.state {
                State::Initialized if cluster.hsms.len() == 1 => {
                    cluster.state = State::Active;
                    hsms.take(1).try_for_each(|address| activate(address, self.port, &anchor))
                }
                State::Active => hsms.try_for_each(|address| log_in(address, self.port, &anchor)),
                State::Initialized | State::Uninitialized | State::Deleted => Ok(()),
            };
            assert!(done.is_ok(), "{id}: {done:?} {:#?}", self.trace);
        }
    }

    fn account(&self) -> PathBuf {
        self.folder.path().join("account")
    }
}
