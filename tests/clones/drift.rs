//! Random histories apart; then compareHSM' plan or syncHSM: what was promised is equal, all else is untouched.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::rc::Rc;

use cloudhsm::cmu::{Caution, Session};
use cloudhsm::console::{EchoedBy, Script};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::compare::{KeyPrint, PrintKeys, PrintUsers, UserDetails};
use cloudhsm::protocol::key::{DeleteKey, FindKeys, KeyHandle};
use cloudhsm::protocol::masked::{
    Existing, ExtractKeys, InsertKeys, Inserted, KeyCopy, MAX_BATCH, MaskedObject,
};
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserId, UserType};
use cloudhsm::shell::{self, Unreachable};
use tokio::runtime::Runtime;
use tokio::task::block_in_place;

use crate::common::TestCluster;
use crate::region::{AES, Dice, Region, secret};

/// What a server holds, whatever the ids of its users.
#[derive(Clone, Debug, PartialEq)]
struct Contents {
    users: BTreeMap<String, Option<UserDetails>>,
    keys: BTreeMap<KeyHandle, (String, Vec<String>, KeyPrint)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happened_the_plan_and_the_command_do_what_they_promise() {
    let mut dice = Dice(7);
    for round in 0..6 {
        let mut cluster = TestCluster::start(2).await;
        let mut region = Region::activated(&cluster).await;
        drop(region);
        cluster.add_clone(0, 1).await;
        region = Region::reached(&cluster).await;
        region.as_officer().await;
        for step in 0..20 {
            if step % 9 == 8 {
                cluster.restart(dice.throw(3)).await;
                region = Region::reached(&cluster).await;
                region.as_officer().await;
            }
            happen(&mut region, &mut dice).await;
            region.as_officer().await;
        }
        let source = dice.throw(3);
        let before = contents(&mut region).await;
        region.log_out().await;
        let lines =
            if round % 2 == 0 { plan(&cluster, source) } else { format!("server {source}\nsyncHSM all\n") };
        let text = play(&cluster, &lines);
        region.as_officer().await;
        let after = contents(&mut region).await;
        for (server, (before_it, after_it)) in before.iter().zip(&after).enumerate() {
            let expected = alike(&before[source], before_it);
            assert!(
                expected == *after_it,
                "round {round}, server {server}: {text}\n{expected:#?}\n{after_it:#?}"
            );
        }
    }
}

/// The source's, and what is there besides; the CO by whom it was done keeps the password.
fn alike(source: &Contents, there: &Contents) -> Contents {
    let mut alike = there.clone();
    alike.users.extend(source.users.clone());
    alike.keys.extend(source.keys.clone());
    alike
}

async fn happen(region: &mut Region, dice: &mut Dice) {
    let (server, name) = (dice.throw(3), format!("user_{}", dice.throw(4)));
    let (user_type, password) = (UserType::Cu, secret("password1"));
    match dice.throw(8) {
        // Whatever is refused did not happen.
        0 | 1 => drop(region.try_create_user(server, &name).await),
        2 | 3 => region.make_key_if_user(server, &name).await,
        4 => region.share_some_key(server, dice).await,
        5 => drop(region.ask(server, DeleteUser { user_type, name }).await),
        6 => {
            // Hashed again, and the same; and for somebody who owns nothing, another one.
            let change = ChangePassword { user_type, name, password, second_factor: None };
            drop(region.ask(server, change).await);
            let (user_type, name, password) = (UserType::Co, "idle".to_owned(), secret("password1"));
            drop(region.ask(server, CreateUser { user_type, name, password, second_factor: None }).await);
            let (name, password) = ("idle".to_owned(), secret(&format!("rotated_{}", dice.throw(3))));
            drop(region.ask(server, ChangePassword { user_type, name, password, second_factor: None }).await);
        }
        _ => {
            if !region.names(server).await.contains(&name) {
                return;
            }
            region.as_cu_on(server, &name).await;
            let handles = region.ask(server, FindKeys::default()).await.unwrap();
            let Some(handle) = handles.get(dice.throw(3)).copied() else { return };
            let value = Value::Text(format!("label {}", dice.throw(3)));
            // The key may be another's, who shares it.
            drop(region.ask(server, SetAttribute { handle, attribute: Attribute::Label, value }).await);
            if dice.throw(3) == 0 {
                drop(region.ask(server, DeleteKey { handle }).await);
            }
        }
    }
}

async fn contents(region: &mut Region) -> Vec<Contents> {
    let mut all = Vec::new();
    for server in 0..3 {
        let users = region.ask(server, PrintUsers).await.unwrap().users;
        let name = |id: &UserId| users.iter().find(|user| user.id == *id).unwrap().name.clone();
        let page = region.ask(server, PrintKeys { after: None }).await.unwrap();
        assert!(page.is_last);
        let key = |key: &KeyPrint| {
            let mut sharers: Vec<_> = key.shared_with.iter().map(name).collect();
            sharers.sort();
            let print = KeyPrint { owner: UserId(0), shared_with: Vec::new(), size: 0, ..key.clone() };
            (key.handle, (name(&key.owner), sharers, print))
        };
        let keys = page.keys.iter().map(key).collect();
        let users =
            users.iter().map(|user| (format!("{}:{}", user.user_type, user.name), user.details.clone()));
        all.push(Contents { users: users.collect(), keys });
    }
    all
}

/// The lines that compareHSM prints for this source.
fn plan(cluster: &TestCluster, source: usize) -> String {
    let file = cluster.path().join("plan.txt");
    play(cluster, &format!("compareHSM {source} {}\n", file.display()));
    std::fs::read_to_string(file).unwrap()
}

/// What the console prints for these lines, with a CO logged in and `--yes`.
fn play(cluster: &TestCluster, lines: &str) -> String {
    let lines = format!("loginHSM CO admin password1\n{lines}");
    block_in_place(|| {
        let (mut text, interrupt) = (Vec::new(), Interrupt::default());
        let mut console = Script::new(Cursor::new(lines), &mut text, str::to_owned, EchoedBy::Console);
        let runtime = Rc::new(Runtime::new().unwrap());
        let mut session = Session::new(&mut console, cluster.console(&interrupt), interrupt, runtime);
        session.caution = Caution::Taken;
        assert!(shell::start_up(&mut session, false, Unreachable::GiveUp));
        shell::run(&mut session, shell::OnError::Continue);
        drop(session);
        drop(console);
        String::from_utf8(text).unwrap()
    })
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
