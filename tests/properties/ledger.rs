//! What an HSM should know of approvals, kept in another way.

use std::collections::BTreeMap;

use cloudhsm::hsm::{Event, SessionId, Verdict};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::quorum::{ApproveToken, ListTokens, RegisterQuorumKey, Service, Token};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Refusal, Reply, Request};
use proptest::prelude::*;

use crate::model::{self, World};
use crate::officers::{self, NAMES, REGISTERED};
use crate::quorum::{Act, What, get_token};

/// What the HSM should know, kept in another way.
pub(crate) struct Ledger {
    pub(crate) world: World,
    logged_in: Vec<(SessionId, usize)>,
    pub(crate) tokens: Vec<Entry>,
    /// Of services 3 and 4.
    m: [u8; 2],
    /// Those of the officers who are there, and the key that each has registered.
    present: BTreeMap<usize, Option<usize>>,
}

pub(crate) struct Entry {
    pub(crate) bytes: Vec<u8>,
    service: Service,
    session: SessionId,
    minutes_left: i64,
    /// By whom, with which key.
    pub(crate) approvals: BTreeMap<usize, usize>,
    is_gone: bool,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let mut world = officers::world();
        world.apply(vec![Event::MValueSet { service: Service::UserManagement, m: 2 }]);
        let present =
            (0..NAMES.len()).map(|officer| (officer, Some(officer).filter(|key| *key < REGISTERED)));
        let present = present.collect();
        Self { world, logged_in: Vec::new(), tokens: Vec::new(), m: [2, 0], present }
    }

    pub(crate) fn happen(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::LogIn { session, officer } => {
                let login = model::login(UserType::Co, NAMES[*officer], true);
                if let Verdict::Reply(_) = self.world.perform(&login, *session).verdict {
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
                self.world.apply(vec![Event::Started]);
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
        let listed = self.world.perform(&Request::ListTokens(ListTokens), *session).verdict;
        let Verdict::Reply(Reply::ListTokens(listed)) = listed else { panic!("who is logged in may list") };
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
        let verdict = self.world.perform(&get_token(service, officer), session).verdict;
        let Verdict::Reply(Reply::GetToken(token)) = verdict else {
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
        let verdict = self.world.perform(&Request::ApproveToken(op), session).verdict;
        let key = self.present.get(&approver).copied().flatten();
        let entry = &mut self.tokens[at];
        let is_live = entry.session == session && !entry.is_gone && entry.minutes_left > 0;
        let is_right = is_live && key == Some(signer) && over == at;
        let counts = is_right && entry.approvals.values().all(|earlier| *earlier != signer);
        if counts {
            entry.approvals.insert(approver, signer);
        }
        prop_assert_eq!(matches!(verdict, Verdict::Reply(_)), counts);
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
                    let refused = |verdict| matches!(verdict, Verdict::Refused(Refusal::MxnAuthFailed));
                    prop_assert!(refused(self.world.rehearse(&request, session).verdict));
                    prop_assert!(refused(self.world.perform(&request, session).verdict));
                    return Ok(());
                }
            },
        };
        // A rehearsal uses nothing up; a second performance under the same id neither does nor uses anything.
        self.world.rehearse(&request, session);
        let id = OperationId(self.world.history.len() as u128);
        let done = self.world.perform_as(&request, session, id).verdict;
        prop_assert!(!matches!(done, Verdict::Refused(Refusal::MxnAuthFailed)));
        if matches!(done, Verdict::Reply(_)) {
            prop_assert!(self.world.perform_as(&request, session, id).events.is_empty());
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
        let verdict = self.world.perform(&Request::RegisterQuorumKey(op), session).verdict;
        let is_free = self.present.iter().all(|(other, of)| *other == officer || *of != Some(key));
        prop_assert_eq!(matches!(verdict, Verdict::Reply(_)), is_free);
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
