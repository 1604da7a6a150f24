//! Nothing that needs approvals is done with fewer, and a token is used once: checked against a ledger that counts
//! approvals by itself, through logins, expiry, restarts and retries.

use std::collections::BTreeMap;

use cloudhsm::hsm::{Change, MAX_TOKENS, Outcome, SessionId};
use cloudhsm::protocol::key::KeyHandle;
use cloudhsm::protocol::masked::{Existing, InsertUser, MaskedObject};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::quorum::{
    ApproveToken, DeleteTokens, GetMValue, GetToken, ListTokens, RegisterQuorumKey, Service, SetMValue, Token,
};
use cloudhsm::protocol::second_factor::{GetDigest, Purpose};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserType};
use cloudhsm::protocol::{Refusal, Reply, Request, Secret};
use proptest::prelude::*;

use crate::model::{self, World};
use crate::officers::{self, KEYS_IN_ALL, NAMES, REGISTERED};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_done_with_fewer_approvals_and_no_token_is_used_twice(acts in prop::collection::vec(act(), 1..80)) {
        let mut ledger = Ledger::new();
        for act in opening().into_iter().chain(acts) {
            ledger.happen(&act)?;
        }
    }
}

/// A request of the permission table, if it is about approvals.
pub(crate) fn named(operation: &str, caller: Option<UserType>) -> Option<Request> {
    let (name, user_type) = ("caller".to_owned(), caller.unwrap_or(UserType::Co));
    let register = |user_type, name: &str| {
        let (token, signature, public_key) = (vec![1], vec![1], vec![1]);
        let name = name.to_owned();
        Request::RegisterQuorumKey(RegisterQuorumKey { user_type, name, token, signature, public_key })
    };
    let service = Service::UserManagement;
    Some(match operation {
        "RegisterQuorumKey" => register(UserType::Cu, "victim"),
        "RegisterQuorumKey of oneself" => register(user_type, "caller"),
        "SetMValue" => Request::SetMValue(SetMValue { service, m: 2 }),
        "GetMValue" => Request::GetMValue(GetMValue { service }),
        "GetToken" => Request::GetToken(GetToken { service, name, key: KeyHandle(0) }),
        "ApproveToken" => {
            let (tokens, signature) = (vec![1], vec![1]);
            Request::ApproveToken(ApproveToken { tokens, user_type, name, signature })
        }
        "ListTokens" => Request::ListTokens(ListTokens),
        "DeleteTokens" => Request::DeleteTokens(DeleteTokens::All),
        "GetDigest" => Request::GetDigest(GetDigest { purpose: Purpose::Login, user_type, name }),
        "InsertUser" => {
            let (object, existing) = (MaskedObject(vec![1]), Existing::Compare);
            Request::InsertUser(InsertUser { object, existing })
        }
        _ => return None,
    })
}

/// Two officers, one after the other, have the same key: its signature is one approval.
#[test]
fn a_key_approves_once_whoever_has_it() {
    let mut ledger = Ledger::new();
    let (asks, registers) = (SessionId(1), SessionId(2));
    let approve = |approver| Act::Approve { session: asks, token: 0, approver, signer: 1, over: 0 };
    for act in [
        Act::LogIn { session: asks, officer: 0 },
        Act::Get { session: asks, service: Service::UserManagement },
        approve(1),
        Act::LogIn { session: registers, officer: 1 },
        Act::Register { session: registers, key: 4 },
        Act::LogIn { session: registers, officer: 2 },
        Act::Register { session: registers, key: 1 },
        approve(2),
        Act::Do { session: asks, what: What::Create("eve") },
    ] {
        ledger.happen(&act).unwrap();
    }
    assert_eq!(ledger.tokens[0].approvals.len(), 1);
}

/// Else one signature would be an approval and prove that one has the key.
#[test]
fn a_token_is_no_registration_token() {
    let mut ledger = Ledger::new();
    let session = SessionId(1);
    ledger.happen(&Act::LogIn { session, officer: 0 }).unwrap();
    ledger.happen(&Act::Get { session, service: Service::UserManagement }).unwrap();
    let token = ledger.tokens[0].bytes.clone();
    let register = RegisterQuorumKey {
        user_type: UserType::Co,
        name: NAMES[0].to_owned(),
        signature: officers::sign(4, &token),
        token,
        public_key: officers::public_key(4),
    };
    let refused = ledger.world.perform(&Request::RegisterQuorumKey(register), session).outcome;
    assert!(matches!(refused, Outcome::Refused(Refusal::InvalidInput)));
}

/// The limit is of all sessions together; what has expired makes room.
#[test]
fn an_hsm_holds_1024_tokens_and_forgets_expired_ones_first() {
    let mut ledger = Ledger::new();
    let session = SessionId(1);
    ledger.happen(&Act::LogIn { session, officer: 0 }).unwrap();
    let get = get_token(Service::UserManagement, 0);
    for _ in 0..MAX_TOKENS {
        assert!(matches!(ledger.world.perform(&get, session).outcome, Outcome::Reply(_)));
    }
    let one_more = ledger.world.perform(&get, session).outcome;
    assert!(matches!(one_more, Outcome::Refused(Refusal::TooManyTokens)));
    ledger.world.wait(11);
    assert!(matches!(ledger.world.perform(&get, session).outcome, Outcome::Reply(_)));
}

/// Something that officers do, on few sessions, so that they meet.
#[derive(Clone, Debug)]
enum Act {
    LogIn {
        session: SessionId,
        officer: usize,
    },
    LogOut(SessionId),
    Close(SessionId),
    Restart,
    Wait {
        minutes: u64,
    },
    /// Whoever is logged in registers one of the keys.
    Register {
        session: SessionId,
        key: usize,
    },
    Get {
        session: SessionId,
        service: Service,
    },
    /// Of the token that was got so many before the last; signed by somebody, over this token or another.
    Approve {
        session: SessionId,
        token: usize,
        approver: usize,
        signer: usize,
        over: usize,
    },
    Do {
        session: SessionId,
        what: What,
    },
}

/// What needs approvals, or not.
#[derive(Clone, Debug)]
enum What {
    Create(&'static str),
    Delete(&'static str),
    /// Of an officer, perhaps the own one.
    ChangePassword(usize),
    SetM(Service, u8),
}

fn act() -> impl Strategy<Value = Act> {
    let session = || prop_oneof![4 => Just(SessionId(1)), 1 => Just(SessionId(2))];
    let officer = || 0..NAMES.len();
    // Mostly what is right, or nothing would ever be done.
    let token = || prop_oneof![5 => Just(0_usize), 1 => 1..4_usize];
    let service = || prop_oneof![4 => Just(Service::UserManagement), 1 => Just(Service::MiscCo)];
    let approve = (
        session(),
        token(),
        officer(),
        prop_oneof![9 => Just(None), 1 => (0..KEYS_IN_ALL).prop_map(Some)],
        token(),
    );
    prop_oneof![
        1 => (session(), officer()).prop_map(|(session, officer)| Act::LogIn { session, officer }),
        1 => session().prop_map(Act::LogOut),
        1 => session().prop_map(Act::Close),
        1 => Just(Act::Restart),
        3 => (session(), 0..KEYS_IN_ALL).prop_map(|(session, key)| Act::Register { session, key }),
        2 => (1..7_u64).prop_map(|minutes| Act::Wait { minutes }),
        8 => (session(), service()).prop_map(|(session, service)| Act::Get { session, service }),
        20 => approve.prop_map(|(session, token, approver, other, over)| {
            Act::Approve { session, token, approver, signer: other.unwrap_or(approver), over: token.max(over) }
        }),
        12 => (session(), what()).prop_map(|(session, what)| Act::Do { session, what }),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let name = || prop::sample::select(vec!["eve", "fay", "cleo", "dan"]);
    let service = prop::sample::select(vec![Service::UserManagement, Service::MiscCo]);
    prop_oneof![
        4 => name().prop_map(What::Create),
        2 => name().prop_map(What::Delete),
        2 => (0..NAMES.len()).prop_map(What::ChangePassword),
        2 => (service, 1..5_u8).prop_map(|(service, m)| What::SetM(service, m)),
    ]
}

fn opening() -> [Act; 2] {
    [Act::LogIn { session: SessionId(1), officer: 0 }, Act::LogIn { session: SessionId(2), officer: 1 }]
}

/// What the HSM should know, kept in another way.
struct Ledger {
    world: World,
    logged_in: Vec<(SessionId, usize)>,
    tokens: Vec<Entry>,
    /// Of services 3 and 4.
    m: [u8; 2],
    /// Those of the officers who are there, and the key that each has registered.
    present: BTreeMap<usize, Option<usize>>,
}

struct Entry {
    bytes: Vec<u8>,
    service: Service,
    session: SessionId,
    minutes_left: i64,
    /// By whom, with which key.
    approvals: BTreeMap<usize, usize>,
    is_gone: bool,
}

impl Ledger {
    fn new() -> Self {
        let mut world = officers::world();
        world.apply(vec![Change::MValueSet { service: Service::UserManagement, m: 2 }]);
        let present =
            (0..NAMES.len()).map(|officer| (officer, Some(officer).filter(|key| *key < REGISTERED)));
        let present = present.collect();
        Self { world, logged_in: Vec::new(), tokens: Vec::new(), m: [2, 0], present }
    }

    fn happen(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::LogIn { session, officer } => {
                let login = model::login(UserType::Co, NAMES[*officer], true);
                if let Outcome::Reply(_) = self.world.perform(&login, *session).outcome {
                    self.end(*session);
                    self.logged_in.push((*session, *officer));
                }
            }
            Act::LogOut(session) => {
                self.world.perform(&Request::Logout(Logout), *session);
                self.end(*session);
            }
            Act::Close(session) => {
                self.world.hsm.close(*session);
                self.end(*session);
            }
            Act::Restart => {
                self.world.apply(vec![Change::Started]);
                self.end(SessionId(1));
                self.end(SessionId(2));
            }
            Act::Wait { minutes } => {
                self.world.wait(*minutes);
                let minutes = i64::try_from(*minutes).unwrap();
                self.tokens.iter_mut().for_each(|token| token.minutes_left -= minutes);
            }
            Act::Register { session, key } => self.register(*session, *key)?,
            Act::Get { session, service } => self.get(*session, *service)?,
            Act::Approve { session, token, approver, signer, over } => {
                self.approve(*session, [*token, *over], *approver, *signer)?;
            }
            Act::Do { session, what } => self.attempt(*session, what)?,
        }
        self.compare()
    }

    /// The HSM holds the tokens that are not gone; M values are in order, and can be reached.
    fn compare(&mut self) -> Result<(), TestCaseError> {
        let [user_management, misc_co] = self.m;
        prop_assert!(misc_co == 0 || misc_co >= user_management);
        let registered = self.present.values().flatten().count();
        prop_assert!(usize::from(user_management.max(misc_co)) <= registered);
        let Some((session, _)) = self.logged_in.first() else { return Ok(()) };
        let listed = self.world.perform(&Request::ListTokens(ListTokens), *session).outcome;
        let Outcome::Reply(Reply::ListTokens(listed)) = listed else { panic!("who is logged in may list") };
        let held: Vec<_> = self.tokens.iter().filter(|token| !token.is_gone).collect();
        let expected: Vec<_> = held.iter().map(|token| (token.service, self.counted(token))).collect();
        let found: Vec<_> = listed.iter().map(|row| (row.about.service, row.approvers.len())).collect();
        prop_assert_eq!(found, expected);
        Ok(())
    }

    fn end(&mut self, session: SessionId) {
        self.logged_in.retain(|(of, _)| *of != session);
        self.tokens
            .iter_mut()
            .filter(|token| token.session == session)
            .for_each(|token| token.is_gone = true);
    }

    fn who(&self, session: SessionId) -> Option<usize> {
        self.logged_in.iter().find(|(of, _)| *of == session).map(|(_, officer)| *officer)
    }

    fn get(&mut self, session: SessionId, service: Service) -> Result<(), TestCaseError> {
        let Some(officer) = self.who(session) else { return Ok(()) };
        let outcome = self.world.perform(&get_token(service, officer), session).outcome;
        let Outcome::Reply(Reply::GetToken(token)) = outcome else {
            prop_assert!(self.m_of(service).is_none());
            return Ok(());
        };
        let (bytes, approvals) = (Token::to_bytes(&token), BTreeMap::new());
        prop_assert!(self.tokens.iter().all(|earlier| earlier.bytes != bytes), "no two are alike");
        self.tokens.push(Entry { bytes, service, session, minutes_left: 10, approvals, is_gone: false });
        Ok(())
    }

    fn approve(
        &mut self,
        session: SessionId,
        [token, over]: [usize; 2],
        approver: usize,
        signer: usize,
    ) -> Result<(), TestCaseError> {
        let back = |back: usize| self.tokens.len().checked_sub(back + 1);
        let (Some(at), Some(over)) = (back(token), back(over)) else { return Ok(()) };
        let op = ApproveToken {
            tokens: self.tokens[at].bytes.clone(),
            user_type: UserType::Co,
            name: NAMES[approver].to_owned(),
            signature: officers::sign(signer, &self.tokens[over].bytes),
        };
        let outcome = self.world.perform(&Request::ApproveToken(op), session).outcome;
        let key = self.present.get(&approver).copied().flatten();
        let entry = &mut self.tokens[at];
        let is_live = entry.session == session && !entry.is_gone && entry.minutes_left > 0;
        let is_right = is_live && key == Some(signer) && over == at;
        let counts = is_right && entry.approvals.values().all(|earlier| *earlier != signer);
        if counts {
            entry.approvals.insert(approver, signer);
        }
        prop_assert_eq!(matches!(outcome, Outcome::Reply(_)), counts);
        Ok(())
    }

    fn attempt(&mut self, session: SessionId, what: &What) -> Result<(), TestCaseError> {
        let Some(caller) = self.who(session) else { return Ok(()) };
        let request = what.request();
        let token = match self.m_of(what.service()).filter(|_| !what.is_own(caller)) {
            None => None,
            Some(m) => match self.approved(session, what.service(), m) {
                Some(token) => Some(token),
                None => {
                    let refused = |outcome| matches!(outcome, Outcome::Refused(Refusal::MxnAuthFailed));
                    prop_assert!(refused(self.world.rehearse(&request, session).outcome));
                    prop_assert!(refused(self.world.perform(&request, session).outcome));
                    return Ok(());
                }
            },
        };
        // A rehearsal uses nothing up; a second performance under the same id neither does nor uses anything.
        self.world.rehearse(&request, session);
        let id = OperationId(self.world.history.len() as u128);
        let done = self.world.perform_as(&request, session, id).outcome;
        prop_assert!(!matches!(done, Outcome::Refused(Refusal::MxnAuthFailed)));
        if matches!(done, Outcome::Reply(_)) {
            prop_assert!(self.world.perform_as(&request, session, id).changes.is_empty());
            token.into_iter().for_each(|token| self.tokens[token].is_gone = true);
            self.note(what);
        }
        Ok(())
    }

    /// The oldest token that is approved enough.
    fn approved(&self, session: SessionId, service: Service, m: u8) -> Option<usize> {
        self.tokens.iter().position(|token| {
            (token.session, token.service) == (session, service)
                && !token.is_gone
                && token.minutes_left > 0
                && self.counted(token) >= usize::from(m)
        })
    }

    /// Approvals of officers who are there and have the key still.
    fn counted(&self, token: &Entry) -> usize {
        let is_good = |(officer, key): &(&usize, &usize)| self.present.get(officer) == Some(&Some(**key));
        token.approvals.iter().filter(is_good).count()
    }

    /// A key is one officer's at a time, whoever has it.
    fn register(&mut self, session: SessionId, key: usize) -> Result<(), TestCaseError> {
        let Some(officer) = self.who(session) else { return Ok(()) };
        let token = vec![1, 2, 3];
        let op = RegisterQuorumKey {
            user_type: UserType::Co,
            name: NAMES[officer].to_owned(),
            signature: officers::sign(key, &token),
            token,
            public_key: officers::public_key(key),
        };
        let outcome = self.world.perform(&Request::RegisterQuorumKey(op), session).outcome;
        let is_free = self.present.iter().all(|(other, of)| *other == officer || *of != Some(key));
        prop_assert_eq!(matches!(outcome, Outcome::Reply(_)), is_free);
        if is_free {
            self.present.insert(officer, Some(key));
        }
        Ok(())
    }

    fn m_of(&self, service: Service) -> Option<u8> {
        let [user_management, misc_co] = self.m;
        let m = if service == Service::UserManagement { user_management } else { misc_co };
        Some(m).filter(|m| *m > 1)
    }

    fn note(&mut self, what: &What) {
        match what {
            // Only with those of service 4 can it be changed.
            What::SetM(Service::UserManagement, _) if self.m[1] == 0 => panic!("changed by one alone"),
            What::SetM(Service::UserManagement, m) => self.m[0] = *m,
            What::SetM(_, m) => self.m[1] = *m,
            What::Delete(name) => self.present.retain(|officer, _| NAMES[*officer] != *name),
            What::Create(_) | What::ChangePassword(_) => {}
        }
    }
}

impl What {
    fn request(&self) -> Request {
        let (user_type, password) = (UserType::Co, Secret::new("password".to_owned()));
        let second_factor = None;
        match self {
            Self::Create(name) => {
                let name = (*name).to_owned();
                Request::CreateUser(CreateUser { user_type, name, password, second_factor })
            }
            Self::Delete(name) => Request::DeleteUser(DeleteUser { user_type, name: (*name).to_owned() }),
            Self::ChangePassword(officer) => {
                let name = NAMES[*officer].to_owned();
                Request::ChangePassword(ChangePassword { user_type, name, password, second_factor })
            }
            Self::SetM(service, m) => Request::SetMValue(SetMValue { service: *service, m: *m }),
        }
    }

    fn service(&self) -> Service {
        if let Self::SetM(..) = self { Service::MiscCo } else { Service::UserManagement }
    }

    fn is_own(&self, caller: usize) -> bool {
        matches!(self, Self::ChangePassword(officer) if *officer == caller)
    }
}

fn get_token(service: Service, officer: usize) -> Request {
    Request::GetToken(GetToken { service, name: NAMES[officer].to_owned(), key: KeyHandle(0) })
}
