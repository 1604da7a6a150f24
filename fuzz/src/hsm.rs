//! Requests to an HSM, one after another: whatever is asked in whatever order, its state stays sound.

use std::sync::OnceLock;

use cloudhsm::hsm::{
    Certificates, Decision, Env, Event, Hsm, Identity, MAX_USERS, OwnerCertificates, PasswordHash, SessionId,
    User, UserName, Verdict, Work, Worked,
};
use cloudhsm::hsmd::keeping::vault::Vault;
use cloudhsm::protocol::certificate::Certificate;
use cloudhsm::protocol::key::{Curve, KeySpec};
use cloudhsm::protocol::message::{OperationId, Round};
use cloudhsm::protocol::user::{ListUsers, UserId, UserType};
use cloudhsm::protocol::{Reply, Request};
use cloudhsm::wire::frame::{decode, encode};

/// A sequence of requests, each after the number of the session that makes it. In session 1 a CO is logged in, in 2 and 3
/// a CU, in 4 the AU.
pub fn run(bytes: &[u8]) {
    let mut world = World::new();
    let mut rest = bytes;
    // More takes longer and finds nothing else.
    for _ in 0..50 {
        let Some((session, request)) = rest.split_first() else { break };
        let Ok((request, after)) = postcard::take_from_bytes::<Request>(request) else { break };
        world.ask(&request, SessionId(u32::from(*session)));
        rest = after;
    }
    world.check();
}

struct World {
    hsm: Hsm,
    vault: Vault,
    history: Vec<Event>,
    asked: u8,
}

impl World {
    fn new() -> Self {
        let identity = Identity { hsm_id: "hsm-a".to_owned(), serial_number: "1".to_owned(), node_id: 0 };
        let mut world =
            Self { hsm: Hsm::default(), vault: super::masked::vault(), history: vec![], asked: 0 };
        world.apply(vec![Event::Made(identity), Event::Started]);
        let users = [
            ("officer", UserType::Co),
            ("alice", UserType::Cu),
            ("bob", UserType::Cu),
            ("audit", UserType::Au),
        ];
        for (number, (name, user_type)) in (1..).zip(users) {
            let (id, password) = (UserId(number), PasswordHash("password".to_owned()));
            let user = User::new(user_type, UserName::parse(name).unwrap(), password);
            let login = Event::LoggedIn { session: SessionId(number), user: id };
            world.apply(vec![Event::UserCreated { id, user }, login]);
        }
        world
    }

    /// A rehearsal changes nothing, a refusal only the count of failures, and an operation with the same id is done once.
    fn ask(&mut self, request: &Request, session: SessionId) {
        self.asked += 1;
        let rehearsed = self.decide(request, session, Round::Rehearse);
        assert!(rehearsed.events.iter().all(|event| matches!(event, Event::Recorded(_))));
        let round = Round::Perform(OperationId(u128::from(self.asked)));
        let performed = self.decide(request, session, round);
        let counts = |event: &Event| {
            matches!(event, Event::LoginFailed(_) | Event::Recorded(_) | Event::ChallengeUsed(_))
        };
        match &performed.verdict {
            Verdict::Refused(_) => assert!(performed.events.iter().all(counts)),
            Verdict::Reply(reply) => {
                assert!(!matches!(rehearsed.verdict, Verdict::Refused(_)), "{}", request.name());
                assert_eq!(reply.name(), request.name());
                assert!(decode::<Reply>(&encode(reply).unwrap()).is_ok_and(|read| read == *reply));
            }
            Verdict::Needs(_) => panic!("what was worked was not taken"),
        }
        let is_remembered = performed.events.iter().any(|event| matches!(event, Event::Performed(_)));
        self.apply(performed.events);
        if is_remembered {
            assert!(self.decide(request, session, round).events.is_empty());
        }
    }

    fn decide(&self, request: &Request, caller: SessionId, round: Round) -> Decision {
        let mut worked = None;
        for _ in 0..3 {
            let now = 1_000_000 * u64::from(self.asked);
            let env = env(now, worked.as_ref());
            let decision = self.hsm.decide(request, round, caller, &env);
            match &decision.verdict {
                Verdict::Needs(work) if round != Round::Rehearse => worked = Some(self.work(work, request)),
                Verdict::Needs(_) | Verdict::Reply(_) | Verdict::Refused(_) => return decision,
            }
        }
        self.hsm.decide(request, round, caller, &env(0, worked.as_ref()))
    }

    /// Passwords are their own hashes, and random numbers are predictable.
    fn work(&self, work: &Work, request: &Request) -> Worked {
        let given = || request.password().unwrap().expose().to_owned();
        match work {
            Work::HashPassword => Worked::Hashed(PasswordHash(given())),
            Work::CheckPassword(hash) => Worked::Checked { hash: hash.clone(), right: hash.0 == given() },
            // An RSA or a DSA pair takes too long.
            Work::Generate(KeySpec::Rsa { .. } | KeySpec::RsaWithExponent { .. } | KeySpec::Dsa { .. }) => {
                self.generated(KeySpec::Ec(Curve::P256))
            }
            Work::Generate(spec) => self.generated(*spec),
            Work::Random => Worked::Random([self.asked; 32]),
            Work::Compute(of) => Worked::Computed { of: of.clone(), result: self.vault.compute(of) },
            Work::Attest(statement) => {
                Worked::Attested { statement: statement.clone(), signature: Vec::new() }
            }
            Work::Mask(copied) => Worked::Masked(self.vault.mask((**copied).clone()).unwrap()),
            Work::Unmask(object) => Worked::Unmasked(self.vault.unmask(object).map(Box::new)),
            Work::MaskAll(keys) => Worked::MaskedAll(self.vault.mask_all(keys.clone())),
            Work::UnmaskAll(objects) => {
                Worked::UnmaskedAll(objects.iter().map(|object| self.vault.unmask(object)).collect())
            }
            Work::Print(of) => {
                let prints = of.iter().map(|hash| self.vault.prints(hash)).collect();
                Worked::Printed { of: of.clone(), family: self.vault.family(), prints }
            }
        }
    }

    fn generated(&self, spec: KeySpec) -> Worked {
        Worked::Generated(self.vault.generate(spec).unwrap())
    }

    fn apply(&mut self, events: Vec<Event>) {
        events.iter().for_each(|event| self.hsm.apply(event));
        self.history.extend(events);
    }

    /// The history and the snapshot give the same state, and every user could have been created by a command.
    fn check(&self) {
        let state = encode(&self.hsm).unwrap();
        let mut replayed = Hsm::default();
        self.history.iter().for_each(|event| replayed.apply(event));
        assert!(encode(&replayed).unwrap() == state, "the history gives another state");
        assert!(decode::<Hsm>(&state).is_ok_and(|read| encode(&read).unwrap() == state));
        let stored: Vec<Event> = decode(&encode(&self.history).unwrap()).unwrap();
        assert!(stored == self.history, "the store would give another history");
        let asked = self.decide(&Request::ListUsers(ListUsers), SessionId(0), Round::Rehearse);
        let Verdict::Reply(Reply::ListUsers(users)) = asked.verdict else { panic!("everybody may ask") };
        assert!(users.len() <= MAX_USERS);
        for user in &users {
            assert!(UserName::parse(&user.name).is_ok(), "{:?}", user.name);
            let again = |other: &&_| *other != user && same(user, other);
            assert!(users.iter().find(again).is_none(), "two are {:?}", user.name);
        }
    }
}

fn same(one: &cloudhsm::protocol::user::UserRow, other: &cloudhsm::protocol::user::UserRow) -> bool {
    one.user_type == other.user_type && one.name.eq_ignore_ascii_case(&other.name)
}

fn env(now: u64, worked: Option<&Worked>) -> Env<'_> {
    Env { now, members: &[], max_connections: 1, certificates: certificates(), worked }
}

/// The certificates of an HSM with an owner. Nothing reads them.
fn certificates() -> &'static Certificates {
    static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
    let certificate = || Certificate(vec![0]);
    CERTIFICATES.get_or_init(|| Certificates {
        manufacturer_root: certificate(),
        hardware: certificate(),
        cluster_by_hardware: certificate(),
        owner: Some(OwnerCertificates { root: certificate(), cluster: certificate() }),
    })
}
