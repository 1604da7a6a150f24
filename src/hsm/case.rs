//! One request before an HSM: from who may ask, through approvals and the rule, to the verdict.

use super::done::Performed;
use super::{Decision, Deed, Env, Event, Hsm, PasswordHash, SessionId, User, Verdict, Work, Worked};
use crate::protocol::key::KeyHandle;
use crate::protocol::message::OperationId;
use crate::protocol::user::UserId;
use crate::protocol::{Effect, Operation, Refusal, Reply, Request, Visit};

/// A rule: what an HSM says to one operation. Whether the caller may ask, and has the approvals, is settled before.
pub(super) trait Decide: Operation {
    fn decide(&self, case: &Case<'_>) -> Ruling<Self::Reply>;
}

/// Who asks, of which HSM, and in which world.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) hsm: &'a Hsm,
    pub(super) caller: SessionId,
    pub(super) env: &'a Env<'a>,
}

/// What a rule says.
pub(super) type Ruling<R> = Result<Decided<R>, No>;

/// A reply, and what makes it true.
pub(super) struct Decided<R> {
    pub(super) reply: R,
    /// To be stored, then applied, in this order.
    pub(super) events: Vec<Event>,
    /// For the audit record, if the request could not name it: the key that is made or inserted; of a pair, the
    /// public half.
    pub(super) key: Option<KeyHandle>,
    /// For a batch, what has a record of its own; `None` if the reply is that of a whole command.
    pub(super) batch: Option<Vec<Part>>,
}

/// A part of a batch: its key, if it has one, and why it was refused, if it was.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) key: Option<KeyHandle>,
    pub(super) refusal: Option<Refusal>,
}

/// Why a rule gives no reply.
pub(super) enum No {
    Refused(Refusal),
    /// Refused, and counted: this user's password or second factor was wrong.
    LoginFailed(UserId, Refusal),
    /// Not before this work is done.
    Needs(Work),
}

impl Case<'_> {
    /// Decides and changes nothing. A refusal is recorded even so: for the client it ends the command, and no other
    /// record of the attempt would follow.
    pub(super) fn rehearse(&self, request: &Request) -> Decision {
        match self.answer(request) {
            Ok(decided) => Decision::quiet(Verdict::Reply(decided.reply)),
            Err(No::Needs(work)) => Decision::quiet(Verdict::Needs(work)),
            Err(No::Refused(refusal) | No::LoginFailed(_, refusal)) => {
                let part = Part { key: None, refusal: Some(refusal) };
                self.recorded(Verdict::Refused(refusal), Vec::new(), self.deeds(request, &[part]))
            }
        }
    }

    /// Decides, with the events that do it.
    pub(super) fn perform(&self, id: OperationId, request: &Request) -> Decision {
        if let Some(earlier) = self.hsm.done.earlier(id, request) {
            return Decision::quiet(earlier.map_or_else(Verdict::Refused, |earlier| self.repeated(earlier)));
        }
        let refused = |refusal| vec![Part { key: None, refusal: Some(refusal) }];
        let (verdict, mut events, parts) = match self.answer(request) {
            Ok(Decided { reply, events, key, batch }) => {
                let parts = batch.unwrap_or_else(|| vec![Part { key, refusal: None }]);
                (Verdict::Reply(reply), events, parts)
            }
            Err(No::Refused(refusal)) => (Verdict::Refused(refusal), Vec::new(), refused(refusal)),
            Err(No::LoginFailed(user, refusal)) => {
                (Verdict::Refused(refusal), vec![Event::LoginFailed(user)], refused(refusal))
            }
            Err(No::Needs(work)) => return Decision::quiet(Verdict::Needs(work)),
        };
        // Whatever came of it, a digest is good once.
        events.extend(request.is_signed().then_some(Event::ChallengeUsed(self.caller)));
        let caller = self.user().ok().map(|(id, _)| id);
        events.extend(Performed::of(id, request, caller, &verdict, &events).map(Event::Performed));
        self.recorded(verdict, events, self.deeds(request, &parts))
    }

    /// With the audit records. A stranger who changes nothing can ask without end, and is counted instead.
    fn recorded(&self, verdict: Verdict, mut events: Vec<Event>, mut deeds: Vec<Deed>) -> Decision {
        if self.user().is_err() && !events.iter().any(Event::is_lasting) {
            return Decision { verdict, events, by_stranger: deeds.pop() };
        }
        let mut head = self.hsm.audit.clone();
        for deed in deeds {
            let record = head.next(deed, self.env.now, self.hsm.reboots);
            head = record.head();
            events.push(Event::Recorded(record));
        }
        Decision { verdict, events, by_stranger: None }
    }

    /// An answer is repeated for the same password only. It is compared with the one that the change gave, not with the
    /// one that the user has now: whoever gave it knows it, and learns no other.
    fn repeated(&self, earlier: &Performed) -> Verdict {
        match earlier.gave.as_ref().map_or(Ok(true), |gave| self.checked(&gave.password)) {
            Ok(true) => Verdict::Reply(earlier.reply.clone()),
            Ok(false) => Verdict::Refused(Refusal::OperationIdReused),
            Err(work) => Verdict::Needs(work),
        }
    }

    /// Whether the request's password is the one of this hash.
    pub(super) fn checked(&self, password: &PasswordHash) -> Result<bool, Work> {
        match self.env.worked {
            Some(Worked::Checked { hash, right }) if hash == password => Ok(*right),
            // Nothing was compared yet, or another hash: the password was changed meanwhile.
            _ => Err(Work::CheckPassword(password.clone())),
        }
    }

    /// The user who is logged in on the caller's session.
    pub(super) fn user(&self) -> Result<(UserId, &User), Refusal> {
        self.hsm.user_of(self.caller).ok_or(Refusal::NotLoggedIn)
    }

    /// The order matters. Before a cluster has an owner, clients cannot know whom they tell a secret.
    /// Those who may not ask learn nothing of approvals, and those without approvals nothing of what the rule would
    /// have said.
    fn answer(&self, request: &Request) -> Ruling<Reply> {
        self.must_have_owner(request)?;
        self.permit(request)?;
        let tokens = self.approvals(request)?;
        let mut decided = request.visit(self)?;
        // To insert a copy that equals what is there changes nothing, and costs no approvals.
        let is_used = request.effect() != Effect::Change || !decided.events.is_empty();
        decided.events.extend(tokens.into_iter().filter(|_| is_used).map(Event::TokenRemoved));
        Ok(decided)
    }
}

/// The dispatch to the rules: without a rule for each operation of the table, [`Request::visit`] does not compile.
impl<O: Decide> Visit<O> for Case<'_> {
    type Output = Ruling<Reply>;

    fn visit(&self, operation: &O) -> Self::Output {
        let Decided { reply, events, key, batch } = operation.decide(self)?;
        Ok(Decided { reply: O::wrap(reply), events, key, batch })
    }
}

impl Decision {
    /// One that leaves nothing behind.
    fn quiet(verdict: Verdict) -> Self {
        Self { verdict, events: Vec::new(), by_stranger: None }
    }
}

impl<R> Decided<R> {
    pub(super) fn new(reply: R, events: Vec<Event>) -> Self {
        Self { reply, events, key: None, batch: None }
    }

    /// The reply to a question that changes nothing.
    pub(super) fn read(reply: R) -> Self {
        Self::new(reply, Vec::new())
    }
}

impl Decided<()> {
    pub(super) fn done(event: Event) -> Self {
        Self::new((), vec![event])
    }
}

impl From<Work> for No {
    fn from(work: Work) -> Self {
        Self::Needs(work)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
