//! What an HSM should have, kept beside it: who is logged in where, and whose the keys are.

use std::collections::{BTreeMap, BTreeSet};

use cloudhsm::hsm::{SessionId, Verdict};
use cloudhsm::protocol::attribute::{Attribute, ReadAttributes};
use cloudhsm::protocol::key::{
    DescribeKey, FindKeys, Hold, KeyHandle, Lifetime, ListKeys, ShareKey, Sharing, Template,
};
use cloudhsm::protocol::user::{UserId, UserType};
use cloudhsm::protocol::{Reply, Request};
use proptest::prelude::*;

use crate::model::{self, Asked, Step, World};

/// Those of [`World::with_users`] who may own keys.
pub(crate) const OWNERS: [(u32, &str); 3] = [(3, "alice"), (4, "bob"), (5, "carl")];

/// The one who may not.
pub(crate) const OFFICER: (u32, &str) = (6, "officer");

/// Who is logged in and who holds which key, kept beside the HSM.
#[derive(Default)]
pub(crate) struct Book {
    sessions: BTreeMap<SessionId, u32>,
    keys: BTreeMap<KeyHandle, Entry>,
}

struct Entry {
    owner: u32,
    sharers: BTreeSet<u32>,
    is_public: bool,
    /// The session that it ends with.
    session: Option<SessionId>,
}

impl Book {
    pub(crate) fn happen(&mut self, world: &mut World, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Close(session) => self.end(*session),
            Step::Restart => {
                self.sessions.clear();
                self.keys.retain(|_, key| key.session.is_none());
            }
            Step::Ask { request: Asked(request), session } => {
                let Verdict::Reply(reply) = world.perform(request, *session).verdict else { return Ok(()) };
                return self.granted(request, &reply, *session);
            }
        }
        world.happen(step);
        Ok(())
    }

    /// What was granted was the caller's to ask.
    fn granted(&mut self, request: &Request, reply: &Reply, session: SessionId) -> Result<(), TestCaseError> {
        let caller = self.sessions.get(&session).copied();
        let is_owner = |handle| self.keys.get(handle).is_some_and(|key| Some(key.owner) == caller);
        match request {
            Request::Login(login) => {
                let user = OWNERS.into_iter().chain([OFFICER]).find(|(_, name)| *name == login.name);
                self.sessions.insert(session, user.unwrap().0);
            }
            Request::Logout(_) => self.end(session),
            Request::GenerateKey(op) => {
                let Reply::GenerateKey(handles) = reply else { panic!("another reply") };
                let is_public = |at| handles.len() == 2 && at == 0;
                for (at, handle) in handles.iter().enumerate() {
                    self.made(&op.template, is_public(at), *handle, caller.unwrap(), session);
                }
            }
            Request::UnwrapKey(op) => {
                let Reply::UnwrapKey(handle) = reply else { panic!("another reply") };
                prop_assert!(
                    self.keys.get(&op.wrapping).is_some_and(|key| key.is_usable_by(caller.unwrap()))
                );
                self.made(&op.template, false, *handle, caller.unwrap(), session);
            }
            Request::CreatePublicKey(_) => {
                let Reply::CreatePublicKey(handle) = reply else { panic!("another reply") };
                self.made(&Template::default(), true, *handle, caller.unwrap(), session);
            }
            Request::WrapKey(op) => prop_assert!(is_owner(&op.handle)),
            Request::DeleteKey(op) => {
                prop_assert!(is_owner(&op.handle));
                self.keys.remove(&op.handle);
            }
            Request::SetAttribute(op) if op.attribute == Attribute::Trusted => {
                prop_assert!(caller == Some(OFFICER.0) && self.keys.contains_key(&op.handle));
            }
            Request::SetAttribute(op) => {
                prop_assert!(is_owner(&op.handle));
                if op.attribute == Attribute::Token {
                    self.keys.get_mut(&op.handle).unwrap().session = None;
                }
            }
            Request::ShareKey(op) => {
                prop_assert!(is_owner(&op.handle));
                self.shared(op);
            }
            Request::DescribeKey(DescribeKey { handle })
            | Request::ReadAttributes(ReadAttributes { handle }) => {
                prop_assert!(self.keys.get(handle).is_some_and(|key| key.is_usable_by(caller.unwrap())));
            }
            _ => {}
        }
        Ok(())
    }

    fn made(
        &mut self,
        template: &Template,
        is_public: bool,
        handle: KeyHandle,
        owner: u32,
        session: SessionId,
    ) {
        let sharers = template.shared_with.iter().filter(|_| !is_public).map(|user| user.0).collect();
        let session = (template.lifetime == Lifetime::Session).then_some(session);
        let before = self.keys.insert(handle, Entry { owner, sharers, is_public, session });
        assert!(before.is_none(), "{handle} is taken");
    }

    fn shared(&mut self, op: &ShareKey) {
        let key = self.keys.get_mut(&op.handle).unwrap();
        assert!(!key.is_public && key.session.is_none());
        for user in &op.users {
            match op.sharing {
                Sharing::Share => key.sharers.insert(user.0),
                Sharing::Unshare => key.sharers.remove(&user.0),
            };
        }
    }

    fn end(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        self.keys.retain(|_, key| key.session != Some(session));
    }

    /// The HSM has what the book has.
    pub(crate) fn compare(&self, world: &mut World) -> Result<(), TestCaseError> {
        let token = self.keys.iter().filter(|(_, key)| key.session.is_none());
        let expected: Vec<_> = token.clone().map(|(handle, _)| (*handle, None)).collect();
        prop_assert_eq!(listed(world, None).0, expected);
        for (id, name) in OWNERS {
            let hold = |key: &Entry| match key {
                key if key.owner == id => Some(Some(Hold::Owned)),
                key if key.sharers.contains(&id) => Some(Some(Hold::Shared)),
                _ => None,
            };
            let held = token.clone().filter_map(|(handle, key)| Some((*handle, hold(key)?)));
            prop_assert_eq!(listed(world, Some(UserId(id))).0, held.collect::<Vec<_>>());
            let usable = self.keys.iter().filter(|(_, key)| key.is_usable_by(id));
            let mut usable: Vec<_> = usable.map(|(handle, _)| *handle).collect();
            let mut found = found(world, name);
            usable.sort();
            found.sort();
            prop_assert_eq!(found, usable);
        }
        Ok(())
    }
}

impl Entry {
    fn is_usable_by(&self, user: u32) -> bool {
        self.is_public || self.owner == user || self.sharers.contains(&user)
    }
}

pub(crate) type Listed = (Vec<(KeyHandle, Option<Hold>)>, Option<[u8; 32]>);

/// As an officer sees it, on a session of its own.
pub(crate) fn listed(world: &mut World, user: Option<UserId>) -> Listed {
    world.perform(&model::login(UserType::Co, OFFICER.1, true), SessionId(8));
    let list = Request::ListKeys(ListKeys { user, hash: true });
    match world.perform(&list, SessionId(8)).verdict {
        Verdict::Reply(Reply::ListKeys(list)) => (list.keys, list.hash),
        _ => panic!("an officer may list"),
    }
}

fn found(world: &mut World, name: &str) -> Vec<KeyHandle> {
    world.perform(&model::login(UserType::Cu, name, true), SessionId(9));
    match world.perform(&Request::FindKeys(FindKeys::default()), SessionId(9)).verdict {
        Verdict::Reply(Reply::FindKeys(handles)) => handles,
        _ => panic!("a CU may search"),
    }
}
