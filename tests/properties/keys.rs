//! Keys on the model HSM: whose they are, who may do what with them, and how long they live.

use std::collections::{BTreeMap, BTreeSet};

use cloudhsm::hsm::{Change, Hsm, Key, Material, NewKey, Outcome, SessionId, Wrapped};
use cloudhsm::protocol::attribute::{Attribute, Attributes, Value};
use cloudhsm::protocol::key::{
    DeleteKey, DescribeKey, FindKeys, GenerateKey, HANDLES_PER_NODE, Hold, KeyClass, KeyHandle, KeySpec,
    KeyType, Lifetime, ListKeys, ReadAttributes, SetAttribute, ShareKey, Sharing,
};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::{UserId, UserType};
use cloudhsm::protocol::{Reply, Request};
use cloudhsm::wire::frame::{decode, encode};
use proptest::prelude::*;

use crate::model::{self, Asked, Step, World};

/// Those of [`World::with_users`] who may own keys.
const OWNERS: [(u32, &str); 3] = [(3, "alice"), (4, "bob"), (5, "carl")];

/// The one who may not.
const OFFICER: (u32, &str) = (6, "officer");

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn only_owners_change_keys_and_only_officers_trust_them(steps in prop::collection::vec(step(), 1..80)) {
        let (mut world, mut book) = (World::with_users(), Book::default());
        for step in &steps {
            book.happen(&mut world, step)?;
        }
        book.compare(&mut world)?;
    }

    #[test]
    fn a_snapshot_and_what_came_after_it_give_the_state(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::with_users();
        let mut snapshots = Vec::new();
        for step in &steps {
            snapshots.push((encode(&world.hsm).unwrap(), world.history.len()));
            world.happen(step);
        }
        for (snapshot, length) in snapshots {
            let mut replayed: Hsm = decode(&snapshot).unwrap();
            world.history[length..].iter().flatten().for_each(|change| replayed.apply(change));
            prop_assert!(encode(&replayed).unwrap() == encode(&world.hsm).unwrap());
        }
    }
}

/// HSMs number their users differently; whoever compares hashes compares keys.
#[test]
fn the_key_hash_tells_handles_values_owners_sharers_and_quorums_apart() {
    let key = |owner, shared_with: &[u32], m_value, fingerprint| Key {
        attributes: attributes(KeyClass::Secret),
        material: Material { wrapped: Wrapped(vec![owner]), fingerprint: [fingerprint; 32] },
        owner: UserId(u32::from(owner)),
        shared_with: shared_with.iter().copied().map(UserId).collect(),
        m_value,
    };
    let hash = |names: [&str; 3], handle, key| {
        let mut world = World::new();
        let numbered = (3..).zip(names).map(|(id, name)| model::user(id, UserType::Cu, name));
        world.apply(numbered.chain([model::user(6, UserType::Co, OFFICER.1)]).collect());
        world.apply(vec![Change::KeyCreated { handle: KeyHandle(handle), key, session: None }]);
        listed(&mut world, None).1.unwrap()
    };
    let usual = ["alice", "bob", "carl"];
    let expected = hash(usual, 6, key(3, &[4, 5], 2, 1));
    assert_eq!(hash(["bob", "ALICE", "carl"], 6, key(4, &[3, 5], 2, 1)), expected);
    for (other, what) in [
        (hash(usual, 7, key(3, &[4, 5], 2, 1)), "handle"),
        (hash(usual, 6, key(3, &[4, 5], 2, 2)), "value"),
        (hash(usual, 6, key(4, &[3, 5], 2, 1)), "owner"),
        (hash(usual, 6, key(3, &[4], 2, 1)), "sharers"),
        (hash(usual, 6, key(3, &[4, 5], 0, 1)), "quorum"),
    ] {
        assert_ne!(other, expected, "{what}");
    }
}

/// Beyond its last handle a node would take those of the next.
#[test]
fn a_node_that_gave_all_its_handles_gives_the_free_ones_again() {
    let mut world = World::with_users();
    world.perform(&model::login(UserType::Cu, "alice", true), SessionId(1));
    let pair = Request::GenerateKey(template(KeySpec::Rsa { bits: 2048 }, Lifetime::Token));
    world.perform(&pair, SessionId(1));
    let last = HANDLES_PER_NODE - 2;
    let Some(Change::KeyCreated { key, .. }) = world.history.last().unwrap().first().cloned() else {
        panic!("no key was made")
    };
    world.apply(vec![Change::KeyCreated { handle: KeyHandle(last), key, session: None }]);
    let Outcome::Reply(Reply::GenerateKey(handles)) = world.perform(&pair, SessionId(1)).outcome else {
        panic!("there are free handles")
    };
    // 6 and 7 are the first pair.
    assert_eq!(handles, [KeyHandle(last + 1), KeyHandle(8)]);
}

/// What happens to the keys of a few users on a few sessions.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let session = || (1..4u32).prop_map(SessionId);
    let user = prop::sample::select(vec![(UserType::Cu, 0), (UserType::Cu, 1), (UserType::Co, 0)]);
    let login = user.prop_map(|(user_type, number)| {
        let name = if user_type == UserType::Co { OFFICER.1 } else { OWNERS[number].1 };
        Asked(model::login(user_type, name, true))
    });
    let ask = |request, session| Step::Ask { request, session };
    prop_oneof![
        12 => (request(), session()).prop_map(move |(request, session)| ask(request, session)),
        6 => (login, session()).prop_map(move |(request, session)| ask(request, session)),
        1 => session().prop_map(move |session| ask(Asked(Request::Logout(Logout)), session)),
        1 => session().prop_map(Step::Close),
        1 => Just(Step::Restart),
    ]
}

/// Few handles and users, so that they meet; some of them do not exist.
fn request() -> impl Strategy<Value = Asked> {
    let handle = || (6..11u32).prop_map(KeyHandle);
    let users = || prop::collection::vec((3..8u32).prop_map(UserId), 0..3);
    let lifetime = prop::sample::select(vec![Lifetime::Token, Lifetime::Session]);
    let aes = |bytes| KeySpec::Aes { bytes };
    let spec = prop::sample::select(vec![aes(16), aes(16), KeySpec::Rsa { bits: 2048 }, aes(5)]);
    let new = (spec, lifetime, prop_oneof![3 => Just(Vec::new()), 1 => users()], 0..3u8);
    let attribute = prop::sample::select(vec![
        Attribute::Label,
        Attribute::Encrypt,
        Attribute::Token,
        Attribute::Trusted,
        Attribute::Trusted,
        Attribute::Destroyable,
        Attribute::Class,
    ]);
    let value =
        prop::sample::select(vec![Value::Byte(0), Value::Byte(1), Value::Byte(1), Value::Text("x".into())]);
    let sharing = prop::sample::select(vec![Sharing::Share, Sharing::Unshare]);
    prop_oneof![
        4 => new.prop_map(|(spec, lifetime, shared_with, m_value)| {
            Asked(Request::GenerateKey(GenerateKey { shared_with, m_value, ..template(spec, lifetime) }))
        }),
        2 => handle().prop_map(|handle| {
            let (attribute, value) = (Attribute::Token, Value::Byte(1));
            Asked(Request::SetAttribute(SetAttribute { handle, attribute, value }))
        }),
        1 => handle().prop_map(|handle| Asked(Request::DeleteKey(DeleteKey { handle }))),
        4 => (handle(), attribute, value).prop_map(|(handle, attribute, value)| {
            Asked(Request::SetAttribute(SetAttribute { handle, attribute, value }))
        }),
        4 => (handle(), users(), sharing).prop_map(|(handle, users, sharing)| {
            Asked(Request::ShareKey(ShareKey { handle, users, sharing }))
        }),
        1 => handle().prop_map(|handle| Asked(Request::DescribeKey(DescribeKey { handle }))),
        1 => handle().prop_map(|handle| Asked(Request::ReadAttributes(ReadAttributes { handle }))),
    ]
}

/// A request as proptest may show it; nothing in it is secret.
pub(crate) fn shown(request: &Request) -> Option<String> {
    match request {
        Request::GenerateKey(op) => Some(format!("{op:?}")),
        Request::DeleteKey(op) => Some(format!("{op:?}")),
        Request::SetAttribute(op) => Some(format!("{op:?}")),
        Request::ShareKey(op) => Some(format!("{op:?}")),
        Request::DescribeKey(op) => Some(format!("{op:?}")),
        Request::ReadAttributes(op) => Some(format!("{op:?}")),
        _ => None,
    }
}

/// What making a key would bring: real ones take too long.
pub(crate) fn generated(spec: KeySpec) -> Vec<NewKey> {
    let classes = match spec {
        KeySpec::Rsa { .. } | KeySpec::Ec(_) => vec![KeyClass::Public, KeyClass::Private],
        KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => vec![KeyClass::Secret],
    };
    let material = Material { wrapped: Wrapped(vec![1, 2, 3]), fingerprint: [7; 32] };
    let new = |class| NewKey { attributes: attributes(class), material: material.clone() };
    classes.into_iter().map(new).collect()
}

/// A request of the permission table, if it is about keys; who may not ask does not learn that there is none.
pub(crate) fn named(operation: &str) -> Option<Request> {
    let handle = KeyHandle(6);
    let set = |attribute| Request::SetAttribute(SetAttribute { handle, attribute, value: Value::Byte(1) });
    Some(match operation {
        "GenerateKey" => Request::GenerateKey(template(KeySpec::Aes { bytes: 16 }, Lifetime::Token)),
        "DeleteKey" => Request::DeleteKey(DeleteKey { handle }),
        "FindKeys" => Request::FindKeys(FindKeys::default()),
        "DescribeKey" => Request::DescribeKey(DescribeKey { handle }),
        "ReadAttributes" => Request::ReadAttributes(ReadAttributes { handle }),
        "SetAttribute" => set(Attribute::Encrypt),
        "SetAttribute of TRUSTED" => set(Attribute::Trusted),
        "ShareKey" => Request::ShareKey(ShareKey { handle, users: vec![UserId(7)], sharing: Sharing::Share }),
        "ListKeys" => Request::ListKeys(ListKeys { user: None, hash: true }),
        _ => return None,
    })
}

/// Who is logged in and who holds which key, kept beside the HSM.
#[derive(Default)]
struct Book {
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
    fn happen(&mut self, world: &mut World, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Close(session) => self.end(*session),
            Step::Restart => {
                self.sessions.clear();
                self.keys.retain(|_, key| key.session.is_none());
            }
            Step::Ask { request: Asked(request), session } => {
                let Outcome::Reply(reply) = world.perform(request, *session).outcome else { return Ok(()) };
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
            Request::GenerateKey(op) => self.made(op, reply, caller.unwrap(), session),
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

    fn made(&mut self, op: &GenerateKey, reply: &Reply, owner: u32, session: SessionId) {
        let Reply::GenerateKey(handles) = reply else { panic!("another reply") };
        for (at, handle) in handles.iter().enumerate() {
            let is_public = handles.len() == 2 && at == 0;
            let sharers = op.shared_with.iter().filter(|_| !is_public).map(|user| user.0).collect();
            let session = (op.lifetime == Lifetime::Session).then_some(session);
            let before = self.keys.insert(*handle, Entry { owner, sharers, is_public, session });
            assert!(before.is_none(), "{handle} is taken");
        }
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
    fn compare(&self, world: &mut World) -> Result<(), TestCaseError> {
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

type Listed = (Vec<(KeyHandle, Option<Hold>)>, Option<[u8; 32]>);

/// As an officer sees it, on a session of its own.
fn listed(world: &mut World, user: Option<UserId>) -> Listed {
    world.perform(&model::login(UserType::Co, OFFICER.1, true), SessionId(8));
    let list = Request::ListKeys(ListKeys { user, hash: true });
    match world.perform(&list, SessionId(8)).outcome {
        Outcome::Reply(Reply::ListKeys(list)) => (list.keys, list.hash),
        _ => panic!("an officer may list"),
    }
}

fn found(world: &mut World, name: &str) -> Vec<KeyHandle> {
    world.perform(&model::login(UserType::Cu, name, true), SessionId(9));
    match world.perform(&Request::FindKeys(FindKeys::default()), SessionId(9)).outcome {
        Outcome::Reply(Reply::FindKeys(handles)) => handles,
        _ => panic!("a CU may search"),
    }
}

fn template(spec: KeySpec, lifetime: Lifetime) -> GenerateKey {
    let (label, id) = (String::new(), String::new());
    GenerateKey { spec, label, id, extractable: true, lifetime, shared_with: Vec::new(), m_value: 0 }
}

fn attributes(class: KeyClass) -> Attributes {
    Attributes {
        class,
        key_type: KeyType::Aes,
        token: true,
        label: String::new(),
        id: String::new(),
        trusted: false,
        sensitive: true,
        encrypt: true,
        decrypt: true,
        wrap: false,
        unwrap: false,
        sign: false,
        verify: false,
        derive: false,
        extractable: true,
        local: true,
        never_extractable: false,
        always_sensitive: true,
        destroyable: true,
        wrap_with_trusted: false,
        value_len: 16,
        kcv: None,
        modulus: None,
        modulus_bits: None,
        public_exponent: None,
    }
}
