//! An HSM without a daemon: passwords are their own hashes, and the clock is a counter.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use cloudhsm::hsm::{
    Certificates, Decision, Env, Event, Hsm, Identity, OwnerCertificates, PasswordHash, SessionId, User,
    UserName, Verdict, Work, Worked,
};
use cloudhsm::protocol::certificate::{Certificate, CertificateKind, GetCertificate};
use cloudhsm::protocol::message::{OperationId, Round};
use cloudhsm::protocol::session::{Login, Logout};
use cloudhsm::protocol::user::{
    ChangePassword, CreateUser, DeleteUser, ListUsers, UserId, UserRow, UserType,
};
use cloudhsm::protocol::{Reply, Request, Secret};
use proptest::prelude::*;

use crate::{keys, symbols};

const ADMIN: &str = "admin";
/// Where those are who ask.
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const RIGHT: &str = "password";

/// One work for each decision: nothing else happens meanwhile.
const MAX_WORK: usize = 2;

/// Something that happens to an HSM.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Ask { request: Asked, session: SessionId },
    Close(SessionId),
    Restart,
}

/// A request as proptest may show it: without its password.
#[derive(Clone)]
pub(crate) struct Asked(pub(crate) Request);

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match keys::shown(&self.0) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} {:?}", self.0.name(), self.0.subject()),
        }
    }
}

/// Few names, passwords and sessions, so that they meet.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let session = || (1..4u32).prop_map(SessionId);
    prop_oneof![
        20 => (request(), session()).prop_map(|(request, session)| Step::Ask { request, session }),
        1 => session().prop_map(Step::Close),
        1 => Just(Step::Restart),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = Asked> {
    let user_type =
        prop::sample::select(vec![UserType::Co, UserType::Cu, UserType::PreCo, UserType::Unknown]);
    let name = prop::sample::select(vec![ADMIN, "alice", "Alice", "bob", "a-b"]);
    let password = prop::sample::select(vec![RIGHT, "Password", "short"]);
    let kind = prop::sample::select(vec![0, 1, 1, 1, 2, 3, 3, 4, 5, 5, 6]);
    (kind, user_type, name, password).prop_map(|(kind, user_type, name, password)| {
        let (name, password) = (name.to_owned(), Secret::new(password.to_owned()));
        Asked(match kind {
            0 => Request::ListUsers(ListUsers),
            1 => Request::Login(Login { user_type, name, password, second_factor: None }),
            2 => Request::Logout(Logout),
            3 => Request::CreateUser(CreateUser { user_type, name, password, second_factor: None }),
            4 => Request::DeleteUser(DeleteUser { user_type, name }),
            6 => Request::GetCertificate(GetCertificate { kind: CertificateKind::CustomerRoot }),
            _ => Request::ChangePassword(ChangePassword { user_type, name, password, second_factor: None }),
        })
    })
}

pub(crate) fn login(user_type: UserType, name: &str, right: bool) -> Request {
    let password = Secret::new(if right { RIGHT } else { "wrong123" }.to_owned());
    Request::Login(Login { user_type, name: name.to_owned(), password, second_factor: None })
}

pub(crate) fn create_user(name: &str) -> Request {
    let (name, password) = (name.to_owned(), Secret::new(RIGHT.to_owned()));
    Request::CreateUser(CreateUser { user_type: UserType::Cu, name, password, second_factor: None })
}

/// What hashing or comparing a right password would bring.
pub(crate) fn right_password(request: &Request) -> Worked {
    let hash = PasswordHash(request.password().map_or(RIGHT, Secret::expose).to_owned());
    match request {
        Request::Login(_) => Worked::Checked { hash, right: true },
        _ => Worked::Hashed(hash),
    }
}

/// The history of an HSM that was just made.
pub(crate) fn new_hsm() -> Vec<Event> {
    let identity =
        Identity { hsm_id: "hsm-aaaaaaaaaaa".to_owned(), serial_number: "1".to_owned(), node_id: 0 };
    vec![
        Event::Made(identity),
        user(1, UserType::PreCo, ADMIN),
        user(2, UserType::Au, "app_user"),
        Event::Started,
    ]
}

pub(crate) fn user(id: u32, user_type: UserType, name: &str) -> Event {
    let name = UserName::parse(name).unwrap();
    Event::UserCreated { id: UserId(id), user: User::new(user_type, name, PasswordHash(RIGHT.to_owned())) }
}

/// Those of an HSM that has an owner; nothing reads them.
pub(crate) fn certificates() -> Certificates {
    let certificate = || Certificate(vec![0]);
    Certificates {
        manufacturer_root: certificate(),
        hardware: certificate(),
        cluster_by_hardware: certificate(),
        owner: Some(OwnerCertificates { root: certificate(), cluster: certificate() }),
    }
}

/// An HSM and how it came to be.
pub(crate) struct World {
    pub(crate) hsm: Hsm,
    /// The events of each decision.
    pub(crate) history: Vec<Vec<Event>>,
    pub(crate) now: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self { hsm: Hsm::default(), history: Vec::new(), now: 0 };
        world.apply(new_hsm());
        world
    }

    /// With three CUs, 3 to 5, and a CO.
    pub(crate) fn with_users() -> Self {
        let mut world = Self::new();
        let owners = (3..).zip(["alice", "bob", "carl"]).map(|(id, name)| user(id, UserType::Cu, name));
        world.apply(owners.chain([user(6, UserType::Co, "officer")]).collect());
        world
    }

    pub(crate) fn has_user(&self, (user_type, name): (UserType, &str)) -> bool {
        self.users().iter().any(|row| row.user_type == user_type && row.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn users(&self) -> Vec<UserRow> {
        let listed =
            self.decide(&Request::ListUsers(ListUsers), SessionId(0), Round::Perform(OperationId(0)));
        let Verdict::Reply(Reply::ListUsers(users)) = listed.verdict else { panic!("everybody may ask") };
        users
    }

    pub(crate) fn happen(&mut self, step: &Step) {
        match step {
            Step::Ask { request, session } => drop(self.perform(&request.0, *session)),
            Step::Close(session) => self.hsm.close(*session),
            Step::Restart => self.apply(vec![Event::Started]),
        }
    }

    pub(crate) fn rehearse(&self, request: &Request, session: SessionId) -> Decision {
        self.decide(request, session, Round::Rehearse)
    }

    /// Under an id of its own.
    pub(crate) fn perform(&mut self, request: &Request, session: SessionId) -> Decision {
        let id = OperationId(self.history.len() as u128);
        self.perform_as(request, session, id)
    }

    pub(crate) fn perform_as(&mut self, request: &Request, session: SessionId, id: OperationId) -> Decision {
        let decision = self.decide(request, session, Round::Perform(id));
        self.apply(decision.events.clone());
        decision
    }

    /// An officer creates users: a history of two decisions each, all of them successes.
    pub(crate) fn create_users(&mut self, count: usize) {
        self.apply(vec![user(3, UserType::Co, "officer")]);
        for number in 0..count {
            let login = self.perform(&login(UserType::Co, "officer", true), SessionId(1));
            let create = self.perform(&create_user(&format!("user_{number}")), SessionId(1));
            assert!(matches!((login.verdict, create.verdict), (Verdict::Reply(_), Verdict::Reply(_))));
        }
    }

    fn decide(&self, request: &Request, session: SessionId, round: Round) -> Decision {
        let mut worked = None;
        for _ in 0..MAX_WORK {
            let decision = self.decide_with(request, session, round, worked.as_ref());
            let Verdict::Needs(work) = &decision.verdict else { return decision };
            if round == Round::Rehearse {
                return decision;
            }
            worked = Some(done(work, request, self.history.len()));
        }
        panic!("the result of the work is not used");
    }

    /// With the result of some work, whoever needed it.
    pub(crate) fn decide_with(
        &self,
        request: &Request,
        session: SessionId,
        round: Round,
        worked: Option<&Worked>,
    ) -> Decision {
        let (now, certificates) = (self.now, &certificates());
        let env = Env { now, members: &[], max_connections: 900, certificates, worked };
        self.hsm.decide(request, round, session, &env)
    }

    /// So many minutes pass.
    pub(crate) fn wait(&mut self, minutes: u64) {
        self.now += minutes * 60 * 1_000_000;
    }

    pub(crate) fn apply(&mut self, events: Vec<Event>) {
        self.now += 1;
        events.iter().for_each(|event| self.hsm.apply(event));
        self.history.push(events);
    }
}

fn done(work: &Work, request: &Request, number: usize) -> Worked {
    let given = || request.password().unwrap().expose().to_owned();
    match work {
        Work::HashPassword => Worked::Hashed(PasswordHash(given())),
        Work::CheckPassword(hash) => Worked::Checked { hash: hash.clone(), right: hash.0 == given() },
        Work::Generate(spec) => Worked::Generated(symbols::generated(*spec, u32::try_from(number).unwrap())),
        // Not random, but never the same.
        Work::Random => {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            Worked::Random(bytes)
        }
        Work::Compute(_)
        | Work::Attest(_)
        | Work::Mask(_)
        | Work::Unmask(_)
        | Work::MaskAll(_)
        | Work::UnmaskAll(_)
        | Work::Print(_) => symbols::done(work).unwrap(),
    }
}

/// The same operation on another user.
pub(crate) fn about_another(request: &Request) -> Request {
    let mut request = request.clone();
    if let Request::CreateUser(CreateUser { name, .. })
    | Request::DeleteUser(DeleteUser { name, .. })
    | Request::ChangePassword(ChangePassword { name, .. }) = &mut request
    {
        name.push_str("_2");
    }
    request
}

/// The same with another password; `None` if it has none.
pub(crate) fn with_another_password(request: &Request) -> Option<Request> {
    let mut request = request.clone();
    let (Request::CreateUser(CreateUser { password, .. })
    | Request::ChangePassword(ChangePassword { password, .. })) = &mut request
    else {
        return None;
    };
    *password = Secret::new(format!("{}_2", password.expose()));
    Some(request)
}
