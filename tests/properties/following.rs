//! HSMs of one cluster that follow each other's keys: random histories, cuts and kills.

use cloudhsm::hsm::{Event, Hsm, Identity, Offered, Order, SessionId, State, Verdict, Version};
use cloudhsm::hsmd::following::deletions::Deletions;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::key::{DeleteKey, GenerateKey, KeyHandle, ShareKey, Sharing, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Place};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::user::{UserId, UserRow, UserType};
use cloudhsm::protocol::{Operation, Refusal, Reply, Request};
use cloudhsm::wire::frame::encode;
use proptest::prelude::*;

use crate::lab::{AES, ALICE, OFFICER};
use crate::model::{self, World};

const NODES: u32 = 3;

/// What a console, or a member, does.
#[derive(Clone, Debug)]
enum Step {
    /// On one HSM, and then a copy on others.
    Make {
        on: usize,
        copies: [bool; NODES as usize],
    },
    /// On those HSMs that are not cut off, under one id.
    Change {
        on: [bool; NODES as usize],
        key: usize,
        what: What,
    },
    Exchange {
        to: usize,
        from: usize,
    },
    Kill(usize),
}

#[derive(Clone, Copy, Debug)]
enum What {
    Label(u8),
    Share,
    Unshare,
    Trust(u8),
    Delete,
}

fn step() -> impl Strategy<Value = Step> {
    let nodes = NODES as usize;
    let what = prop_oneof![
        (0..3u8).prop_map(What::Label),
        Just(What::Share),
        Just(What::Unshare),
        (0..2u8).prop_map(What::Trust),
        Just(What::Delete),
    ];
    prop_oneof![
        1 => (0..nodes, any::<[bool; NODES as usize]>()).prop_map(|(on, copies)| Step::Make { on, copies }),
        4 => (any::<[bool; NODES as usize]>(), 0..4usize, what)
            .prop_map(|(on, key, what)| Step::Change { on, key, what }),
        4 => (0..nodes, 1..nodes).prop_map(move |(to, other)| Step::Exchange { to, from: (to + other) % nodes }),
        1 => (0..nodes).prop_map(Step::Kill),
    ]
}

/// One HSM of a cluster. Its users have numbers of their own.
struct Member {
    world: World,
    deletions: Deletions,
}

struct Cluster {
    members: Vec<Member>,
    keys: Vec<KeyHandle>,
    /// The newest version of each key, where only those change it who have it.
    newest: Vec<Version>,
    operations: u128,
}

impl Member {
    fn new(node_id: u32) -> Self {
        let mut world = World::new();
        let (hsm_id, serial_number) = (format!("hsm-{node_id}"), node_id.to_string());
        let others = (0..node_id).map(|other| model::user(3 + other, UserType::Co, &format!("other{other}")));
        let users = [(UserType::Cu, "alice"), (UserType::Cu, "bob"), (UserType::Co, "officer")];
        let users =
            (3 + node_id..).zip(users).map(|(id, (user_type, name))| model::user(id, user_type, name));
        // A world names the values of keys after the length of its history: no two members may make the same value.
        (0..node_id * 1000).for_each(|_| world.apply(Vec::new()));
        world.apply(vec![Event::Made(Identity { hsm_id, serial_number, node_id })]);
        world.apply(others.chain(users).collect());
        let mut member = Self { world, deletions: deletions(node_id) };
        member.log_in();
        member
    }

    fn log_in(&mut self) {
        self.world.perform(&model::login(UserType::Cu, "alice", true), ALICE);
        self.world.perform(&model::login(UserType::Co, "officer", true), OFFICER);
    }

    fn ask<O: Operation>(&mut self, who: SessionId, id: u128, operation: O) -> Result<O::Reply, Refusal> {
        let verdict = self.world.perform_as(&operation.into_request(), who, OperationId(id)).verdict;
        match verdict {
            Verdict::Reply(reply) => Ok(O::reply(reply).unwrap()),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Needs(_) => panic!("all work was done"),
        }
    }

    fn user(&self, name: &str) -> UserId {
        self.world.users().into_iter().find(|row| row.name == name).unwrap().id
    }

    fn change(&mut self, id: u128, handle: KeyHandle, what: What) -> Result<(), Refusal> {
        let set = |attribute, value| SetAttribute { handle, attribute, value };
        match what {
            What::Label(label) => self.ask(ALICE, id, set(Attribute::Label, Value::Text(label.to_string()))),
            What::Trust(flag) => self.ask(OFFICER, id, set(Attribute::Trusted, Value::Byte(flag))),
            What::Delete => self.ask(ALICE, id, DeleteKey { handle }),
            What::Share | What::Unshare => {
                let sharing = if matches!(what, What::Share) { Sharing::Share } else { Sharing::Unshare };
                let users = vec![self.user("bob")];
                self.ask(ALICE, id, ShareKey { handle, users, sharing })
            }
        }
    }

    fn hsm(&self) -> &Hsm {
        &self.world.hsm
    }

    /// Is killed, and opens its store: a snapshot of any moment, and what came after it.
    fn kill(&mut self) -> Result<(), TestCaseError> {
        let bytes = encode(&self.hsm().with_pasts()).unwrap();
        let stored = Hsm::from_with_pasts(&bytes).unwrap();
        let mut replayed = Hsm::default();
        self.world.history.iter().flatten().for_each(|event| replayed.apply(event));
        prop_assert!(encode(&replayed.with_pasts()).unwrap() == bytes, "replay gives what a snapshot has");
        self.world.hsm = stored;
        self.world.apply(vec![Event::Started]);
        let node_id = self.hsm().identity().node_id;
        self.deletions = deletions(node_id);
        self.log_in();
        Ok(())
    }
}

fn deletions(node_id: u32) -> Deletions {
    Deletions::new(node_id, 0..NODES)
}

impl Cluster {
    fn new() -> Self {
        let members = (0..NODES).map(Member::new).collect();
        Self { members, keys: Vec::new(), newest: Vec::new(), operations: 1 << 64 }
    }

    fn happen(&mut self, step: &Step, only_newest: bool) -> Result<(), TestCaseError> {
        self.operations += 1;
        match step {
            Step::Make { on, copies } => self.make(*on, copies),
            Step::Change { on, key, what } => {
                if let Some(handle) = self.keys.get(*key).copied() {
                    self.change(on, *key, handle, *what, only_newest)?;
                }
            }
            Step::Exchange { to, from } => drop(self.exchange(*to, *from)?),
            Step::Kill(node) => self.members[*node].kill()?,
        }
        Ok(())
    }

    fn make(&mut self, on: usize, copies: &[bool]) {
        if self.keys.len() == 4 {
            return;
        }
        let id = self.operations << 8;
        let maker = &mut self.members[on];
        let made = maker.ask(ALICE, id, GenerateKey { spec: AES, template: Template::default() });
        let Ok([handle]) = made.as_deref() else { panic!("alice makes keys") };
        let object = maker.ask(ALICE, id + 1, ExtractKey { handle: *handle }).unwrap();
        self.newest.push(maker.hsm().version(*handle).unwrap());
        self.keys.push(*handle);
        for (member, _) in self.members.iter_mut().zip(copies).filter(|(_, is_copied)| **is_copied) {
            let (object, place, existing) = (object.clone(), Place::SameHandle, Existing::Compare);
            member.ask(ALICE, id + 2, InsertKey { object, place, existing }).unwrap();
        }
    }

    fn change(
        &mut self,
        on: &[bool],
        key: usize,
        handle: KeyHandle,
        what: What,
        only_newest: bool,
    ) -> Result<(), TestCaseError> {
        let (id, newest) = (self.operations << 8, self.newest[key]);
        let mut after = None;
        for (member, _) in self.members.iter_mut().zip(on).filter(|(_, is_on)| **is_on) {
            if only_newest && member.hsm().version(handle) != Some(newest) {
                continue;
            }
            if member.change(id, handle, what).is_ok() {
                let version = member.hsm().version(handle).unwrap();
                prop_assert!(!only_newest || after.is_none_or(|after| after == version), "equal changes");
                after = Some(version);
            }
        }
        self.newest[key] = after.unwrap_or(newest);
        Ok(())
    }

    /// What the daemons do; the number of keys taken.
    fn exchange(&mut self, to: usize, from: usize) -> Result<usize, TestCaseError> {
        let users = self.users();
        let [to, from] = self.members.get_disjoint_mut([to, from]).unwrap();
        let named = to.deletions.of(to.world.hsm.versions());
        let (own, other) = (to.hsm().identity().node_id, from.hsm().identity().node_id);
        from.deletions.learn(&named, own, |handle| from.world.hsm.version(handle));
        let mut told = from.deletions.of(from.world.hsm.versions());
        told.extend(from.deletions.settled(&named));
        to.deletions.learn(&told, other, |handle| to.world.hsm.version(handle));
        let wanted = from.hsm().versions().filter(|(handle, version)| {
            to.hsm().order(*handle, *version, None) != Order::Known
                && !to.deletions.is_forgotten(*handle, *version)
        });
        let wanted: Vec<_> = wanted.map(|(handle, _)| handle).collect();
        let followed = to.hsm().follow(from.hsm().offer(&wanted), 0);
        prop_assert!(followed.waiting.is_empty());
        to.world.apply(followed.events);
        let settled = to.deletions.to_forget();
        let forgotten = to.hsm().forgotten(&settled);
        to.world.apply(forgotten);
        to.deletions.forget(&settled);
        prop_assert_eq!(users, self.users(), "no user follows");
        Ok(followed.taken.len())
    }

    fn users(&self) -> Vec<Vec<UserRow>> {
        self.members.iter().map(|member| member.world.users()).collect()
    }

    /// Until nothing is new any more.
    fn exchange_all(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..8 {
            let mut taken = 0;
            for (to, from) in (0..3).flat_map(|to| [(to, (to + 1) % 3), (to, (to + 2) % 3)]) {
                taken += self.exchange(to, from)?;
            }
            if taken == 0 {
                return Ok(());
            }
        }
        prop_assert!(false, "it never ends");
        Ok(())
    }

    fn versions(&self, handle: KeyHandle) -> Vec<Option<Version>> {
        self.members.iter().map(|member| member.hsm().version(handle)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// No two of the changes are made on two sides of a cut: then the last one holds everywhere.
    #[test]
    fn the_newest_version_wins_and_no_deleted_key_comes_back(steps in prop::collection::vec(step(), 1..60)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, true)?;
        }
        cluster.exchange_all()?;
        for (handle, newest) in cluster.keys.iter().zip(&cluster.newest) {
            for version in cluster.versions(*handle) {
                // A deletion may be forgotten by now.
                let is_gone = newest.state == State::DELETED && version.is_none();
                prop_assert!(is_gone || version == Some(*newest), "{version:?}, not {newest:?}");
            }
        }
    }

    #[test]
    fn all_become_equal_but_for_what_has_no_order(steps in prop::collection::vec(step(), 1..60)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, false)?;
        }
        cluster.exchange_all()?;
        for handle in cluster.keys.clone() {
            for (one, other) in [(0, 1), (1, 2), (2, 0)] {
                let [one, other] = cluster.members.get_disjoint_mut([one, other]).unwrap();
                let states = [&one, &other].map(|member| member.hsm().version(handle).map(|version| version.state));
                let alive = states.map(|state| state.filter(|state| *state != State::DELETED));
                if alive[0] == alive[1] {
                    continue;
                }
                for (own, theirs) in [(&one, &other), (&other, &one)] {
                    let offered = theirs.hsm().offer(&[handle]);
                    let Some(Offered { version, past, .. }) = offered.first() else { continue };
                    prop_assert_eq!(own.hsm().order(handle, *version, Some(past)), Order::Unordered);
                }
            }
        }
    }

    #[test]
    fn every_deletion_is_forgotten_once_all_have_seen_it(steps in prop::collection::vec(step(), 1..40)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, true)?;
        }
        for _ in 0..4 {
            cluster.exchange_all()?;
        }
        for handle in &cluster.keys {
            for version in cluster.versions(*handle) {
                prop_assert!(version.is_none_or(|version| version.state != State::DELETED));
            }
        }
    }
}

/// A client that lost its connection asks again, and the HSM has the change from another one by now.
#[test]
fn an_operation_that_is_asked_again_after_the_key_has_followed_is_done_already() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false, true, true]);
    let handle = cluster.keys[0];
    cluster.members[0].change(7, handle, What::Share).unwrap();
    cluster.members[0].change(8, handle, What::Unshare).unwrap();
    cluster.exchange(1, 0).unwrap();
    assert_eq!(
        cluster.members[1].change(9, handle, What::Unshare),
        Err(Refusal::InvalidInput),
        "another one"
    );
    cluster.members[0].change(10, handle, What::Delete).unwrap();
    cluster.exchange(1, 0).unwrap();
    assert_eq!(
        cluster.members[1].change(11, handle, What::Delete),
        Err(Refusal::InvalidHandle),
        "another one"
    );
    assert_eq!(cluster.members[1].change(10, handle, What::Delete), Ok(()));
    assert_eq!(cluster.members[2].change(10, handle, What::Delete), Ok(()), "it deletes");
    assert_eq!(cluster.exchange(2, 0).unwrap(), 1, "the longer past");
    let versions = cluster.versions(handle);
    assert!(versions.iter().all(|version| *version == versions[0]));
}

#[test]
fn a_key_waits_for_its_owner_and_for_those_who_share_it() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false; 3]);
    let handle = cluster.keys[0];
    cluster.members[0].change(1, handle, What::Share).unwrap();
    for gone in ["alice", "bob"] {
        let mut other = Member::new(1);
        let gone_id = other.user(gone);
        other.world.apply(vec![Event::UserDeleted(gone_id)]);
        let offered = || cluster.members[0].hsm().offer(&[handle]);
        let followed = other.hsm().follow(offered(), 0);
        assert_eq!(followed.waiting, [(handle, Refusal::MaskedOwnerMissing)], "{gone}");
        assert!(followed.events.is_empty());
        other.world.apply(vec![model::user(9, UserType::Cu, gone)]);
        let followed = other.hsm().follow(offered(), 0);
        assert_eq!(followed.taken, [handle]);
        other.world.apply(followed.events);
        assert_eq!(other.hsm().version(handle), cluster.versions(handle)[0]);
    }
}

/// Who deletes a user on one HSM has deleted nobody on another, whatever follows.
#[test]
fn the_end_of_a_users_share_follows_and_the_users_deletion_does_not() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false, true, true]);
    let handle = cluster.keys[0];
    for member in &mut cluster.members {
        member.change(1, handle, What::Share).unwrap();
    }
    let delete = || {
        Request::DeleteUser(cloudhsm::protocol::user::DeleteUser {
            user_type: UserType::Cu,
            name: "bob".to_owned(),
        })
    };
    let ask = |member: &mut Member| member.world.perform_as(&delete(), OFFICER, OperationId(2)).verdict;
    assert!(matches!(ask(&mut cluster.members[0]), Verdict::Reply(Reply::DeleteUser(()))));
    assert_eq!(cluster.exchange(1, 0).unwrap(), 1);
    assert!(cluster.members[1].world.has_user((UserType::Cu, "bob")));
    assert!(matches!(ask(&mut cluster.members[1]), Verdict::Reply(Reply::DeleteUser(()))));
    assert!(!cluster.members[1].world.has_user((UserType::Cu, "bob")));
    assert_eq!(cluster.versions(handle)[0], cluster.versions(handle)[1]);
}

#[test]
fn what_follows_is_recorded_as_the_aus() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false; 3]);
    cluster.exchange(1, 0).unwrap();
    let events = cluster.members[1].world.history.iter().flatten();
    let records: Vec<_> = events
        .filter_map(|event| if let Event::Recorded(record) = event { Some(record.clone()) } else { None })
        .collect();
    assert_eq!(cloudhsm::hsm::audit::verify(&records), Ok(()));
    let [login, insert, logout] = &records[records.len() - 3..] else { panic!("{records:?}") };
    assert_eq!(login.user, Some((UserType::Au, "app_user".to_owned())));
    let names = [login, insert, logout].map(|record| record.opcode.name());
    assert_eq!(names, ["CN_LOGIN", "CN_INSERT_MASKED_OBJECT_USER", "CN_LOGOUT"]);
    assert_eq!(insert.key, Some(cluster.keys[0]));
}
