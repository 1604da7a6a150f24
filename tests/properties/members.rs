//! HSMs of one cluster as values, and what happens to them: changes, exchanges, cuts and kills.

use cloudhsm::hsm::{Event, Hsm, Identity, Order, SessionId, Verdict, Version};
use cloudhsm::hsmd::following::deletions::Deletions;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::key::{DeleteKey, GenerateKey, KeyHandle, ShareKey, Sharing, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Place};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::user::{UserId, UserRow, UserType};
use cloudhsm::protocol::{Operation, Refusal};
use cloudhsm::wire::frame::encode;
use proptest::prelude::*;

use crate::lab::{AES, ALICE, OFFICER};
use crate::model::{self, World};

pub(crate) const NODES: u32 = 3;

/// What a console, or a member, does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
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
pub(crate) enum What {
    Label(u8),
    Share,
    Unshare,
    Trust(u8),
    Delete,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
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
pub(crate) struct Member {
    pub(crate) world: World,
    pub(crate) deletions: Deletions,
}

pub(crate) struct Cluster {
    pub(crate) members: Vec<Member>,
    pub(crate) keys: Vec<KeyHandle>,
    /// The newest version of each key, where only those change it who have it.
    pub(crate) newest: Vec<Version>,
    pub(crate) operations: u128,
}

impl Member {
    pub(crate) fn new(node_id: u32) -> Self {
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

    pub(crate) fn log_in(&mut self) {
        self.world.perform(&model::login(UserType::Cu, "alice", true), ALICE);
        self.world.perform(&model::login(UserType::Co, "officer", true), OFFICER);
    }

    pub(crate) fn ask<O: Operation>(
        &mut self,
        who: SessionId,
        id: u128,
        operation: O,
    ) -> Result<O::Reply, Refusal> {
        let verdict = self.world.perform_as(&operation.into_request(), who, OperationId(id)).verdict;
        match verdict {
            Verdict::Reply(reply) => Ok(O::reply(reply).unwrap()),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Needs(_) => panic!("all work was done"),
        }
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        self.world.users().into_iter().find(|row| row.name == name).unwrap().id
    }

    pub(crate) fn change(&mut self, id: u128, handle: KeyHandle, what: What) -> Result<(), Refusal> {
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

    pub(crate) fn hsm(&self) -> &Hsm {
        &self.world.hsm
    }

    /// Is killed, and opens its store: a snapshot of any moment, and what came after it.
    pub(crate) fn kill(&mut self) -> Result<(), TestCaseError> {
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

pub(crate) fn deletions(node_id: u32) -> Deletions {
    Deletions::new(node_id, 0..NODES)
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let members = (0..NODES).map(Member::new).collect();
        Self { members, keys: Vec::new(), newest: Vec::new(), operations: 1 << 64 }
    }

    pub(crate) fn happen(&mut self, step: &Step, only_newest: bool) -> Result<(), TestCaseError> {
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

    pub(crate) fn make(&mut self, on: usize, copies: &[bool]) {
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

    pub(crate) fn change(
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
    pub(crate) fn exchange(&mut self, to: usize, from: usize) -> Result<usize, TestCaseError> {
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
        let handles: Vec<_> = settled.iter().map(|(handle, _)| *handle).collect();
        let (known, forgotten) = (to.hsm().offer(&handles), to.hsm().forgotten(&settled));
        to.world.apply(forgotten);
        to.deletions.forget(known);
        prop_assert_eq!(users, self.users(), "no user follows");
        Ok(followed.taken.len())
    }

    pub(crate) fn users(&self) -> Vec<Vec<UserRow>> {
        self.members.iter().map(|member| member.world.users()).collect()
    }

    /// Until nothing is new any more.
    pub(crate) fn exchange_all(&mut self) -> Result<(), TestCaseError> {
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

    pub(crate) fn versions(&self, handle: KeyHandle) -> Vec<Option<Version>> {
        self.members.iter().map(|member| member.hsm().version(handle)).collect()
    }
}
