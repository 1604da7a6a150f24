//! Nothing that needs approvals is done with fewer, and a token is used once: checked against a ledger that counts
//! approvals by itself, through logins, expiry, restarts and retries.

use cloudhsm::hsm::{MAX_TOKENS, SessionId, Verdict};
use cloudhsm::protocol::key::KeyHandle;
use cloudhsm::protocol::quorum::{GetToken, RegisterQuorumKey, Service, SetMValue};
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserType};
use cloudhsm::protocol::{Refusal, Request, Secret};
use proptest::prelude::*;

use crate::ledger::Ledger;
use crate::officers::{self, KEYS_IN_ALL, NAMES};

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
    let refused = ledger.world.perform(&Request::RegisterQuorumKey(register), session).verdict;
    assert!(matches!(refused, Verdict::Refused(Refusal::InvalidInput)));
}

/// The limit is of all sessions together; what has expired makes room.
#[test]
fn an_hsm_holds_1024_tokens_and_forgets_expired_ones_first() {
    let mut ledger = Ledger::new();
    let session = SessionId(1);
    ledger.happen(&Act::LogIn { session, officer: 0 }).unwrap();
    let get = get_token(Service::UserManagement, 0);
    for _ in 0..MAX_TOKENS {
        assert!(matches!(ledger.world.perform(&get, session).verdict, Verdict::Reply(_)));
    }
    let one_more = ledger.world.perform(&get, session).verdict;
    assert!(matches!(one_more, Verdict::Refused(Refusal::TooManyTokens)));
    ledger.world.wait(11);
    assert!(matches!(ledger.world.perform(&get, session).verdict, Verdict::Reply(_)));
}

/// Something that officers do, on few sessions, so that they meet.
#[derive(Clone, Debug)]
pub(crate) enum Act {
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
pub(crate) enum What {
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

impl What {
    pub(crate) fn request(&self) -> Request {
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

    pub(crate) fn service(&self) -> Service {
        if let Self::SetM(..) = self { Service::MiscCo } else { Service::UserManagement }
    }

    pub(crate) fn is_own(&self, caller: usize) -> bool {
        matches!(self, Self::ChangePassword(officer) if *officer == caller)
    }
}

pub(crate) fn get_token(service: Service, officer: usize) -> Request {
    Request::GetToken(GetToken { service, name: NAMES[officer].to_owned(), key: KeyHandle(0) })
}
