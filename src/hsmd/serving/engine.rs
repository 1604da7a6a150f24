//! The task that owns an HSM: decide, commit, apply, answer, always in that order.
//!
//! It is a task and not a thread, so that a request can be decided on the thread that has just read it. Commits, which
//! wait for the disk, are made on a thread of their own.
//!
//! Requests that arrive during a commit are decided together, on a copy of the HSM, and share the next commit: one
//! fsync serves all of them. If the store fails, the copy is dropped. The HSM in memory is then as it was, every change
//! of the batch is refused, and so is every later one until the HSM is restarted; reads continue.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, JoinHandle};

use super::clock::Clock;
use super::status::{Changes, Counters, Status};
use super::writer::Writer;
use crate::hsm::{Certificates, Decision, Env, Event, Hsm, SessionId, Verdict, Worked};
use crate::hsmd::keeping::store::{Store, StoreError};
use crate::protocol::device::Member;
use crate::protocol::message::Round;
use crate::protocol::{Refusal, Request};

/// A handle to the task; clones lead to the same one. The HSM stops when all are dropped.
#[derive(Clone)]
pub struct Engine(mpsc::Sender<Job>);

/// A message to the task.
enum Job {
    Open(oneshot::Sender<SessionId>),
    Close(SessionId),
    Snapshot(oneshot::Sender<Hsm>),
    Status(oneshot::Sender<Status>),
    Decide(Box<Attempt>, oneshot::Sender<Verdict>),
}

/// A request, and all that its decision depends on, except for the time.
#[expect(missing_docs, reason = "the types say it")]
pub struct Attempt {
    pub request: Arc<Request>,
    pub round: Round,
    pub caller: SessionId,
    /// The result of the work that an earlier attempt at the same request needed.
    pub worked: Option<Worked>,
}

/// Attempts that may be queued before connections have to wait to queue theirs.
const QUEUE: usize = 1024;

/// Attempts that share one commit at most: the first of them waits until the last is decided.
const BATCH: usize = 256;

impl Engine {
    /// Starts an HSM: its sessions are gone, and its reboot counter is one higher.
    ///
    /// # Errors
    ///
    /// If the start cannot be stored.
    pub fn start(
        mut store: Store,
        mut hsm: Hsm,
        members: Vec<Member>,
        max_connections: u32,
        certificates: Certificates,
        clock: Clock,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        store.commit(&[&[Event::Started]])?;
        hsm.apply(&Event::Started);
        let failed = |error| StoreError::Failed(Box::new(redb::Error::Io(error)));
        let writer = Writer::start(store).map_err(failed)?;
        let (sender, jobs) = mpsc::channel(QUEUE);
        let engine = Loop {
            hsm,
            writer: Some(writer),
            members,
            max_connections,
            certificates,
            clock,
            next_session: 1,
            open: BTreeSet::new(),
            counters: Counters::default(),
        };
        Ok((Self(sender), task::spawn(engine.run(jobs))))
    }

    /// Opens a session; `None` if the HSM is stopping.
    pub async fn open(&self) -> Option<SessionId> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Job::Open(sender)).await.ok()?;
        receiver.await.ok()
    }

    /// Closes a session, which logs it out.
    pub async fn close(&self, session: SessionId) {
        // A stopped engine has no sessions.
        let _ = self.0.send(Job::Close(session)).await;
    }

    /// The HSM's durable state, as of the last acknowledged change; `None` if the HSM is stopping.
    pub async fn snapshot(&self) -> Option<Hsm> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Job::Snapshot(sender)).await.ok()?;
        receiver.await.ok()
    }

    /// The HSM's status; `None` if it is stopping.
    pub async fn status(&self) -> Option<Status> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Job::Status(sender)).await.ok()?;
        receiver.await.ok()
    }

    /// Decides. Changes are durable before this returns.
    pub async fn decide(&self, attempt: Attempt) -> Verdict {
        let (sender, receiver) = oneshot::channel();
        let sent = self.0.send(Job::Decide(Box::new(attempt), sender)).await;
        match sent {
            Ok(()) => receiver.await.unwrap_or(Verdict::Refused(Refusal::ShuttingDown)),
            Err(_) => Verdict::Refused(Refusal::ShuttingDown),
        }
    }
}

struct Loop {
    hsm: Hsm,
    /// Gone after the store's first failure.
    writer: Option<Writer>,
    members: Vec<Member>,
    max_connections: u32,
    certificates: Certificates,
    clock: Clock,
    next_session: u32,
    open: BTreeSet<SessionId>,
    counters: Counters,
}

/// A decision, and where to send its outcome.
type Decided = (Decision, oneshot::Sender<Verdict>);

/// The decisions of one batch, in order.
#[derive(Default)]
struct Batch {
    decided: Vec<Decided>,
    /// A copy of the HSM with the decisions applied; `None` as long as they change nothing.
    next: Option<Hsm>,
}

impl Loop {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut batch = Batch::default();
            self.take(first, &mut batch);
            while batch.decided.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                self.take(job, &mut batch);
            }
            self.finish(batch).await;
        }
        if let Some(writer) = self.writer {
            writer.close().await;
        }
    }

    fn take(&mut self, job: Job, batch: &mut Batch) {
        match job {
            Job::Open(sender) => {
                let session = self.new_session();
                // If the connection is gone already, its session stays open, without a login.
                let _ = sender.send(session);
            }
            Job::Close(session) => {
                self.open.remove(&session);
                self.hsm.close(session);
                if let Some(next) = &mut batch.next {
                    next.close(session);
                }
            }
            Job::Snapshot(sender) => {
                // Without this batch, whose changes are not durable yet.
                let _ = sender.send(self.hsm.clone());
            }
            Job::Status(sender) => {
                // The asker may have stopped waiting.
                let _ = sender.send(self.status());
            }
            Job::Decide(attempt, sender) => {
                let decision = self.decide(&attempt, batch);
                batch.decided.push((decision, sender));
            }
        }
    }

    fn decide(&self, attempt: &Attempt, batch: &mut Batch) -> Decision {
        let env = Env {
            now: self.clock.now(),
            members: &self.members,
            max_connections: self.max_connections,
            certificates: &self.certificates,
            worked: attempt.worked.as_ref(),
        };
        let hsm = batch.next.as_ref().unwrap_or(&self.hsm);
        let decision = hsm.decide(&attempt.request, attempt.round, attempt.caller, &env);
        if !decision.events.is_empty() {
            let next = batch.next.get_or_insert_with(|| self.hsm.clone());
            decision.events.iter().for_each(|event| next.apply(event));
        }
        decision
    }

    async fn finish(&mut self, batch: Batch) {
        let (decided, durable) = match batch.next {
            Some(next) => self.commit(batch.decided, next).await,
            None => (batch.decided, true),
        };
        // What was decided after a change that did not become durable was decided on a state that never existed, so it
        // is refused, even if it only reads.
        let mut sound = true;
        for (decision, sender) in decided {
            sound &= durable || decision.events.is_empty();
            let verdict = if sound { decision.verdict } else { Verdict::Refused(Refusal::StoreFailure) };
            // If the client has disconnected, it learns the outcome by asking again with the same operation id.
            let _ = sender.send(verdict);
        }
    }

    /// Makes the changes durable, and only then `next` the HSM, so that no client sees what a crash could undo. Returns
    /// whether that succeeded.
    async fn commit(&mut self, decided: Vec<Decided>, next: Hsm) -> (Vec<Decided>, bool) {
        // Logins and the like end with their session: there is nothing to write.
        if lasting(&decided).is_empty() {
            self.hsm = next;
            return (decided, true);
        }
        let Some(writer) = &self.writer else { return (decided, false) };
        let written = writer.with(|store| write(store, decided, next)).await;
        // If it panicked, the decisions are lost: their senders are dropped, and the clients get "shutting down".
        let Some(Written { decided, next, durable, failure }) = written else {
            self.give_up(&"it panicked").await;
            return (Vec::new(), false);
        };
        if durable {
            self.hsm = next;
            self.counters.count(&lasting(&decided));
        }
        if let Some(error) = failure {
            self.give_up(&error).await;
        }
        (decided, durable)
    }

    async fn give_up(&mut self, error: &(dyn Display + Sync)) {
        let hsm_id = &self.hsm.identity().hsm_id;
        tracing::error!(%hsm_id, %error, "no more changes until this HSM is restarted");
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
        self.counters.store_failures = self.counters.store_failures.saturating_add(1);
    }

    fn status(&self) -> Status {
        let changes = match (&self.writer, &self.certificates.owner) {
            (None, _) => Changes::StoreFailed,
            (Some(_), None) => Changes::NotInitialized,
            (Some(_), Some(_)) => Changes::Taken,
        };
        Status { changes, census: self.hsm.census(), counters: self.counters }
    }

    fn new_session(&mut self) -> SessionId {
        // The number wraps after four billion sessions, and old ones may still be open.
        loop {
            let session = SessionId(self.next_session);
            self.next_session = self.next_session.wrapping_add(1);
            if self.open.insert(session) {
                return session;
            }
        }
    }
}

/// A batch after the attempt to write it.
struct Written {
    decided: Vec<Decided>,
    next: Hsm,
    durable: bool,
    /// Why the store must not be written again.
    failure: Option<StoreError>,
}

fn write(store: &mut Store, decided: Vec<Decided>, next: Hsm) -> Written {
    let committed = store.commit(&lasting(&decided));
    let durable = committed.is_ok();
    let failure = committed.and_then(|()| store.compact(&next)).err();
    Written { decided, next, durable, failure }
}

/// The changes of each decision that has any that outlive its session.
fn lasting(decided: &[Decided]) -> Vec<&[Event]> {
    let events = decided.iter().map(|(decision, _)| decision.events.as_slice());
    events.filter(|events| events.iter().any(Event::is_lasting)).collect()
}
