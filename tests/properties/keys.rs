//! Keys on the model HSM: whose they are, who may do what with them, and how long they live.

use cloudhsm::hsm::{Event, Hsm, Key, Material, Prints, SessionId, Verdict, Wrapped};
use cloudhsm::protocol::attribute::{Attribute, Attributes, ReadAttributes, SetAttribute, Value};
use cloudhsm::protocol::compare::{KeyPrints, PrintKeys};
use cloudhsm::protocol::flags::Flags;
use cloudhsm::protocol::key::{
    CreatePublicKey, DeleteKey, DescribeKey, GenerateKey, HANDLES_PER_NODE, KeyClass, KeyHandle, KeySpec,
    KeyType, Lifetime, ShareKey, Sharing, Template,
};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::{CreateUser, UserId, UserType};
use cloudhsm::protocol::wrap::{UnwrapKey, WrapKey};
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Refusal, Reply, Request, Secret};
use cloudhsm::wire::frame::{decode, encode};
use proptest::option;
use proptest::prelude::*;

use crate::book::{Book, OFFICER, OWNERS, listed};
use crate::lab::{ALICE, Lab};
use crate::model::{self, Asked, Step, World};
use crate::symbols::{Blob, Value as Symbol};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn only_owners_change_keys_and_only_officers_trust_them(steps in prop::collection::vec(step(), 1..80)) {
        let (mut world, mut book) = (World::with_users(), Book::default());
        for step in opening().iter().chain(&steps) {
            book.happen(&mut world, step)?;
        }
        book.compare(&mut world)?;
    }

    #[test]
    fn a_snapshot_and_what_came_after_it_give_the_state(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::with_users();
        let mut snapshots = Vec::new();
        for step in opening().iter().chain(&steps) {
            snapshots.push((encode(&world.hsm).unwrap(), world.history.len()));
            world.happen(step);
        }
        for (snapshot, length) in snapshots {
            let mut replayed: Hsm = decode(&snapshot).unwrap();
            world.history[length..].iter().flatten().for_each(|event| replayed.apply(event));
            prop_assert!(encode(&replayed).unwrap() == encode(&world.hsm).unwrap());
        }
    }

    /// An HSM keeps the prints that it has made; one that has just started has none.
    #[test]
    fn prints_are_those_of_what_the_keys_are_now(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::with_users();
        for step in opening().iter().chain(&steps) {
            world.happen(step);
            let prints = printed(&mut world);
            let mut started = World { hsm: decode(&encode(&world.hsm).unwrap()).unwrap(), ..World::new() };
            prop_assert_eq!(prints, printed(&mut started));
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
        approved: 0,
        prints: Prints::default(),
    };
    let hash = |names: [&str; 3], handle, key| {
        let mut world = World::new();
        let numbered = (3..).zip(names).map(|(id, name)| model::user(id, UserType::Cu, name));
        world.apply(numbered.chain([model::user(6, UserType::Co, OFFICER.1)]).collect());
        world.apply(vec![Event::KeyCreated { handle: KeyHandle(handle), key, session: None }]);
        listed(&mut world, None).1.unwrap()
    };
    let usual = ["alice", "bob", "carl"];
    let expected = hash(usual, 6, key(3, &[4, 5], 2, 1));
    assert_eq!(hash(["carl", "ALICE", "bob"], 6, key(4, &[3, 5], 2, 1)), expected);
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

#[test]
fn an_hsm_holds_16666_keys_and_1024_users() {
    let mut world = World::with_users();
    let owner = world.users().into_iter().find(|user| user.user_type == UserType::Cu).unwrap();
    let key = || Key {
        attributes: attributes(KeyClass::Secret),
        material: Material { wrapped: Wrapped(Vec::new()), fingerprint: [0; 32] },
        owner: owner.id,
        shared_with: [].into(),
        m_value: 0,
        approved: 0,
        prints: Prints::default(),
    };
    let handles = (6..).map(KeyHandle).take(16_666 - 1);
    world.apply(handles.map(|handle| Event::KeyCreated { handle, key: key(), session: None }).collect());
    let session = SessionId(1);
    world.perform(&model::login(UserType::Cu, &owner.name, true), session);
    let aes = Request::GenerateKey(template(KeySpec::Aes { bytes: 16 }, Lifetime::Token));
    let pair = Request::GenerateKey(template(KeySpec::Rsa { bits: 2048 }, Lifetime::Token));
    let refused = |verdict| matches!(verdict, Verdict::Refused(Refusal::TooManyKeys));
    assert!(refused(world.perform(&pair, session).verdict), "two are one too many");
    assert!(matches!(world.perform(&aes, session).verdict, Verdict::Reply(_)));
    assert!(refused(world.perform(&aes, session).verdict));

    let many = (1000..).map(|id| model::user(id, UserType::Cu, &format!("user_{id}")));
    let missing = 1024 - world.users().len();
    world.apply(many.take(missing).chain([model::user(9999, UserType::Co, "last")]).skip(1).collect());
    world.perform(&model::login(UserType::Co, "last", true), session);
    let (user_type, name) = (UserType::Cu, "one_more".to_owned());
    let create =
        CreateUser { user_type, name, password: Secret::new("password".to_owned()), second_factor: None };
    let refused = world.perform(&Request::CreateUser(create), session).verdict;
    assert!(matches!(refused, Verdict::Refused(Refusal::TooManyUsers)));
}

/// Beyond its last handle a node would take those of the next.
#[test]
fn a_node_that_gave_all_its_handles_gives_the_free_ones_again() {
    let mut world = World::with_users();
    world.perform(&model::login(UserType::Cu, "alice", true), SessionId(1));
    let pair = Request::GenerateKey(template(KeySpec::Rsa { bits: 2048 }, Lifetime::Token));
    world.perform(&pair, SessionId(1));
    let last = HANDLES_PER_NODE - 2;
    let Some(Event::KeyCreated { key, .. }) = world.history.last().unwrap().first().cloned() else {
        panic!("no key was made")
    };
    world.apply(vec![Event::KeyCreated { handle: KeyHandle(last), key, session: None }]);
    let Verdict::Reply(Reply::GenerateKey(handles)) = world.perform(&pair, SessionId(1)).verdict else {
        panic!("there are free handles")
    };
    // 6 and 7 are the first pair.
    assert_eq!(handles, [KeyHandle(last + 1), KeyHandle(8)]);
}

/// As far as a template says it; the original's `-m` and `-e` go so far.
#[test]
fn keys_of_other_sizes_and_exponents_are_against_the_policy() {
    let rsa = |bits, exponent| KeySpec::RsaWithExponent { bits, exponent };
    let (good, bad) = (
        [rsa(2048, 65537), rsa(2304, 65539), rsa(4096, 0x7fff_ffff), KeySpec::Dsa { bits: 2048 }],
        [
            rsa(2048, 65538),
            rsa(2048, 65535),
            rsa(2048, 3),
            rsa(2048, 0x8000_0001),
            rsa(2049, 65537),
            rsa(1792, 65537),
            rsa(4352, 65537),
            KeySpec::Rsa { bits: 2304 },
            KeySpec::Dsa { bits: 1024 },
            KeySpec::Dsa { bits: 3072 },
        ],
    );
    let mut lab = Lab::new();
    let mut ask = |spec| lab.ask(ALICE, template(spec, Lifetime::Token)).map(|handles| handles.len());
    assert!(good.into_iter().all(|spec| ask(spec) == Ok(2)));
    assert!(bad.into_iter().all(|spec| ask(spec) == Err(Refusal::PolicyViolation)));
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

/// As an officer sees them, on a session of its own.
fn printed(world: &mut World) -> KeyPrints {
    world.perform(&model::login(UserType::Co, OFFICER.1, true), SessionId(8));
    match world.perform(&Request::PrintKeys(PrintKeys { after: None }), SessionId(8)).verdict {
        Verdict::Reply(Reply::PrintKeys(prints)) => prints,
        _ => panic!("an officer may compare"),
    }
}

/// Users on all sessions, and keys of every kind, so that the steps that follow find some.
fn opening() -> Vec<Step> {
    let aes = KeySpec::Aes { bytes: 16 };
    let with_bob = Template { shared_with: vec![UserId(4)], ..Template::default() };
    let shared = GenerateKey { spec: aes, template: with_bob };
    let requests = [
        (model::login(UserType::Cu, "alice", true), 1),
        (model::login(UserType::Cu, "bob", true), 2),
        (model::login(UserType::Co, OFFICER.1, true), 3),
        (Request::GenerateKey(shared), 1),
        (Request::GenerateKey(template(aes, Lifetime::Session)), 2),
        (Request::GenerateKey(template(KeySpec::Rsa { bits: 2048 }, Lifetime::Token)), 1),
    ];
    let ask = |(request, session)| Step::Ask { request: Asked(request), session: SessionId(session) };
    requests.map(ask).into()
}

/// Few handles and users, so that they meet; some of them do not exist.
fn request() -> impl Strategy<Value = Asked> {
    let handle = || (6..11u32).prop_map(KeyHandle);
    let users = || {
        let some = |ids: std::ops::Range<u32>, count| prop::collection::vec(ids.prop_map(UserId), count);
        prop_oneof![4 => some(3..6, 1..2), 1 => some(3..8, 0..3)]
    };
    let lifetime = prop::sample::select(vec![Lifetime::Token, Lifetime::Session]);
    let aes = |bytes| KeySpec::Aes { bytes };
    let spec = prop::sample::select(vec![aes(16), aes(16), KeySpec::Rsa { bits: 2048 }, aes(5)]);
    let new = (spec, lifetime, prop_oneof![1 => Just(Vec::new()), 1 => users()], 0..3u8);
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
            let template = Template { lifetime, shared_with, m_value, ..Template::default() };
            Asked(Request::GenerateKey(GenerateKey { spec, template }))
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
        4 => in_and_out(),
        1 => handle().prop_map(|handle| Asked(Request::DescribeKey(DescribeKey { handle }))),
        1 => handle().prop_map(|handle| Asked(Request::ReadAttributes(ReadAttributes { handle }))),
    ]
}

fn flags() -> impl Strategy<Value = Flags> {
    any::<[bool; 5]>().prop_map(|[decrypt, wrap, unwrap, encrypt, wrap_with_trusted]| Flags {
        decrypt,
        wrap,
        unwrap,
        encrypt,
        wrap_with_trusted,
        destroyable: true,
        ..Flags::default()
    })
}

/// Names are small numbers, so that what is unwrapped was often wrapped by a key that is there.
fn in_and_out() -> impl Strategy<Value = Asked> {
    let handle = || (6..11u32).prop_map(KeyHandle);
    let blob = (5..9u32, 5..9u32).prop_map(|(under, name)| Blob::new(under, Symbol::secret(name)));
    prop_oneof![
        (handle(), handle()).prop_map(|(handle, wrapping)| {
            Asked(Request::WrapKey(WrapKey { handle, wrapping, mechanism: WrapMechanism::AesWrapPad }))
        }),
        (handle(), blob, any::<bool>(), option::of(flags())).prop_map(
            |(wrapping, blob, extractable, flags)| {
                let template = Template { extractable, ..Template::default() };
                let Symbol { class, key_type, .. } = blob.value;
                let (mechanism, wrapped) = (blob.mechanism.clone(), blob.wrapped());
                Asked(Request::UnwrapKey(UnwrapKey {
                    wrapping,
                    mechanism,
                    wrapped,
                    class,
                    key_type,
                    flags,
                    template,
                }))
            }
        ),
        (5..12u32).prop_map(|name| {
            let (label, id, lifetime) = (String::new(), String::new(), Lifetime::Token);
            let key = Symbol::public(name);
            Asked(Request::CreatePublicKey(CreatePublicKey { key, label, id, lifetime }))
        }),
    ]
}

/// A request as proptest may show it; nothing in it is secret.
pub(crate) fn shown(request: &Request) -> Option<String> {
    match request {
        Request::GenerateKey(op) => Some(format!("{op:?}")),
        Request::DeleteKey(op) => Some(format!("{op:?}")),
        Request::SetAttribute(op) => Some(format!("{op:?}")),
        Request::ShareKey(op) => Some(format!("{op:?}")),
        Request::WrapKey(op) => Some(format!("{op:?}")),
        Request::UnwrapKey(op) => Some(format!("{op:?}")),
        Request::CreatePublicKey(op) => Some(format!("{op:?}")),
        Request::DescribeKey(op) => Some(format!("{op:?}")),
        Request::ReadAttributes(op) => Some(format!("{op:?}")),
        _ => None,
    }
}

pub(crate) fn template(spec: KeySpec, lifetime: Lifetime) -> GenerateKey {
    GenerateKey { spec, template: Template { lifetime, ..Template::default() } }
}

pub(crate) fn attributes(class: KeyClass) -> Attributes {
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
        wrap: true,
        unwrap: true,
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
