//! Random histories apart, with cuts and kills; then compareHSM' plan or syncHSM, which is cut and killed, too: what was
//! promised is equal, all else is untouched.

use std::io::Cursor;
use std::rc::Rc;
use std::time::Duration;

use cloudhsm::cluster::{Cluster, Failure};
use cloudhsm::cmu::{Caution, Session};
use cloudhsm::console::{EchoedBy, Script};
use cloudhsm::hsmd::faults::{Door, Fault};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::compare::{PrintKeys, PrintUsers};
use cloudhsm::protocol::key::KeyHandle;
use cloudhsm::protocol::masked::{
    Existing, ExtractKeys, InsertKeys, Inserted, KeyCopy, MAX_BATCH, MaskedObject,
};
use cloudhsm::shell::{self, Unreachable};
use tokio::join;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::common::TestCluster;
use crate::deeds::{Contents, Deed};
use crate::region::{AES, Dice, Region};

const SERVERS: usize = 3;

/// A call in whose middle one of these happens may have been done or not.
const CUTS: [Fault; 7] = [
    Fault::ClosesWithin,
    Fault::ClosesAfter,
    Fault::Dies,
    Fault::HalfFrame,
    Fault::Garbage,
    Fault::Oversized,
    Fault::WrongReply,
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happened_the_plan_and_the_command_do_what_they_promise() {
    let mut dice = Dice(7);
    for round in 0..5 {
        let mut family = Family::made().await;
        for _ in 0..20 {
            family.change(&mut dice).await;
        }
        let Family { mut cluster, holds: before, .. } = family;
        let source = dice.throw(SERVERS);
        let expected: Vec<Contents> = before.iter().map(|there| there.made_like(&before[source])).collect();
        let lines = if round % 2 == 0 {
            plan(&cluster, source).await
        } else {
            format!("server {source}\nsyncHSM all\n")
        };
        let mut told = Vec::new();
        for _ in 0..2 {
            told.push(disturbed(&mut cluster, &mut dice, &lines).await);
            for (server, now) in contents(&cluster).await.iter().enumerate() {
                let is_between = now.is_between(&before[server], &expected[server]);
                assert!(is_between, "round {round}, server {server}: {told:?}\n{now:#?}");
            }
        }
        told.push(play(&cluster, &lines).await.unwrap());
        let after = contents(&cluster).await;
        for (server, (expected, after)) in expected.iter().zip(&after).enumerate() {
            assert!(expected == after, "round {round}, server {server}: {told:?}\n{expected:#?}\n{after:#?}");
        }
        let again = play(&cluster, &format!("server {source}\nsyncHSM all\n")).await.unwrap();
        assert_eq!(again.matches(": nothing to copy\n").count(), SERVERS - 1, "{again}");
        assert_eq!(contents(&cluster).await, after);
    }
}

/// Two HSMs and a clone of one of them.
struct Family {
    cluster: TestCluster,
    /// Reaches all of them.
    region: Region,
    /// What each holds.
    holds: Vec<Contents>,
}

impl Family {
    async fn made() -> Self {
        let mut cluster = TestCluster::start(2).await;
        let mut region = Region::activated(&cluster).await;
        region.create_user("user_0").await;
        region.as_cu("user_0").await;
        region.generate(0, AES).await;
        cluster.add_clone(0, 1).await;
        let mut region = Region::reached(&cluster).await;
        region.as_officer().await;
        let holds = Contents::of_all(&mut region).await;
        Self { cluster, region, holds }
    }

    /// One change to one server, which may be cut off or killed meanwhile. What was acknowledged holds, what was refused
    /// did not happen, and all else is as before.
    async fn change(&mut self, dice: &mut Dice) {
        let server = dice.throw(SERVERS);
        self.region.as_officer().await;
        let Some(deed) = Deed::on(&mut self.region, server, dice).await else { return };
        let done = self.perform(&deed, server, dice).await;
        if !matches!(done, Ok(()) | Err(Failure::Refused(_))) {
            self.cluster.relays[server].set_door(Door::Open).await.unwrap();
            self.region = Region::reached(&self.cluster).await;
        }
        self.region.as_officer().await;
        let now = Contents::of_all(&mut self.region).await;
        for (other, (before, after)) in self.holds.iter().zip(&now).enumerate() {
            let is_right = match &done {
                Ok(()) if other == server => deed.explains(before, after) && deed.shows(before, after),
                Err(Failure::Refused(_)) => before == after,
                Err(_) if other == server => deed.explains(before, after),
                Ok(()) | Err(_) => before == after,
            };
            assert!(is_right, "{deed:?} on {server}: {done:?}; {other}: {before:#?}\n{after:#?}");
        }
        self.holds = now;
    }

    async fn perform(&mut self, deed: &Deed, server: usize, dice: &mut Dice) -> Result<(), Failure> {
        match dice.throw(4) {
            0 => {
                self.cluster.relays[server].fail_after(0, CUTS[dice.throw(CUTS.len())]);
                deed.perform(&mut self.region, server).await
            }
            1 => {
                let delay = Duration::from_micros(dice.throw(4000) as u64);
                let kill = async {
                    sleep(delay).await;
                    self.cluster.kill(server).await;
                };
                let (done, ()) = join!(deed.perform(&mut self.region, server), kill);
                self.region = Region::reached(&self.cluster).await;
                done
            }
            _ => deed.perform(&mut self.region, server).await,
        }
    }
}

/// As a console without a past sees it.
pub(crate) async fn contents(cluster: &TestCluster) -> Vec<Contents> {
    let mut region = Region::reached(cluster).await;
    region.as_officer().await;
    Contents::of_all(&mut region).await
}

/// Plays the lines while one server, or the way to it, fails.
async fn disturbed(cluster: &mut TestCluster, dice: &mut Dice, lines: &str) -> String {
    let server = dice.throw(SERVERS);
    let (calls, fault) = (dice.throw(10), CUTS[dice.throw(CUTS.len())]);
    let delay = Duration::from_millis(dice.throw(300) as u64);
    let kills = dice.throw(2) == 0;
    if !kills {
        cluster.relays[server].fail_after(calls, fault);
    }
    let playing = play(cluster, lines);
    if kills {
        sleep(delay).await;
        cluster.kill(server).await;
    }
    let told = playing.await.unwrap();
    cluster.relays[server].set_door(Door::Open).await.unwrap();
    // If it did not come to that.
    cluster.relays[server].fail_after(usize::MAX, fault);
    format!("{server} {kills} {calls} {fault:?} {delay:?}: {told}")
}

/// The lines that compareHSM prints for this source.
async fn plan(cluster: &TestCluster, source: usize) -> String {
    let file = cluster.path().join("plan.txt");
    play(cluster, &format!("compareHSM {source} {}\n", file.display())).await.unwrap();
    std::fs::read_to_string(file).unwrap()
}

/// What the console prints for these lines, with a CO logged in and `--yes`.
pub(crate) fn play(cluster: &TestCluster, lines: &str) -> JoinHandle<String> {
    let interrupt = Interrupt::default();
    let (hsms, lines) = (cluster.console(&interrupt), format!("loginHSM CO admin password1\n{lines}"));
    spawn_blocking(move || played(hsms, interrupt, lines))
}

fn played(hsms: Cluster, interrupt: Interrupt, lines: String) -> String {
    let mut text = Vec::new();
    let mut console = Script::new(Cursor::new(lines), &mut text, str::to_owned, EchoedBy::Console);
    let runtime = Rc::new(Runtime::new().unwrap());
    let mut session = Session::new(&mut console, hsms, interrupt, runtime);
    session.caution = Caution::Taken;
    // One that is not reached is reported.
    if shell::start_up(&mut session, false, Unreachable::GiveUp) {
        shell::run(&mut session, shell::OnError::Continue);
    }
    drop(session);
    drop(console);
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_one_object_of_a_batch_stops_no_other() {
    let (cluster, stranger) = (TestCluster::start(2).await, TestCluster::start(1).await);
    let (mut region, mut foreign) = (Region::activated(&cluster).await, Region::activated(&stranger).await);
    let mut objects = Vec::new();
    for region in [&mut region, &mut foreign] {
        region.create_user("alice").await;
        region.as_cu("alice").await;
        let handles = [region.generate(0, AES).await, region.generate(0, AES).await].concat();
        let rows = region.ask(0, ExtractKeys { handles }).await.unwrap();
        objects.extend(rows.into_iter().map(|row| row.unwrap().0));
        region.as_officer().await;
    }
    let user = region.extract_user("alice", 0).await.0;
    let mut altered = objects[1].clone();
    altered[60] ^= 1;
    let cut = objects[1][..objects[1].len() - 1].to_vec();
    let batch = [altered, cut, objects[2].clone(), user, Vec::new(), objects[0].clone(), objects[0].clone()];
    let copy =
        |object: &Vec<u8>| KeyCopy { object: MaskedObject(object.clone()), existing: Existing::Replace };
    let insert = || InsertKeys { copies: batch.iter().map(copy).collect() };
    let rows = region.ask(1, insert()).await.unwrap();
    let invalid = Err(Refusal::MaskedObjectInvalid);
    let (created, equal) = (Ok(Inserted::Created(KeyHandle(6))), Ok(Inserted::Equal(KeyHandle(6))));
    let foreign = Err(Refusal::MaskedObjectForeign);
    let expected =
        [invalid.clone(), invalid.clone(), foreign, invalid.clone(), invalid, created, equal.clone()];
    assert_eq!(rows, expected);
    assert_eq!(region.ask(1, insert()).await.unwrap()[5], equal);

    let handles = vec![KeyHandle(6), KeyHandle(99), KeyHandle(7)];
    let rows = region.ask(0, ExtractKeys { handles }).await.unwrap();
    assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let handles = vec![KeyHandle(6); MAX_BATCH + 1];
    assert!(region.ask(0, ExtractKeys { handles }).await.is_err());
    region.create_user("bob").await;
    region.as_cu_on(0, "bob").await;
    let rows = region.ask(0, ExtractKeys { handles: vec![KeyHandle(6)] }).await.unwrap();
    assert_eq!(rows, [Err(Refusal::KeyAccessDenied)]);
    assert_eq!(region.ask(0, PrintKeys { after: None }).await.unwrap().keys, []);
    let users = region.ask(0, PrintUsers).await.unwrap().users;
    assert!(users.iter().all(|user| user.details.is_none()), "not for a CU");
}
