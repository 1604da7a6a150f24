//! The task that owns an HSM: decide, commit, apply, answer, always in that order.
//!
//! It is a task and not a thread, so that a request can be decided on the thread that has just read it. Commits, which
//! wait for the disk, are made on a thread of their own.
//!
//! Requests that arrive during a commit are decided together, on a copy of the HSM, and share the next commit: one
//! fsync serves all of them. If the store fails, the copy is dropped. The HSM in memory is then as it was, and every
//! change of the batch is refused; reads continue. Later changes wait until the store was tried again (`trouble`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, JoinHandle};
use tokio::time::sleep;

use super::batch::{Answer, Batch, Decided, Written, lasting, write};
use super::clock::Clock;
use super::status::{Changes, Counters, Status};
use super::trouble::{Disk, File, Tried, Trouble};
use super::writer::{Task, Writer};
use crate::hsm::{Certificates, Decision, Deeds, Env, Event, Hsm, SessionId, Strangers, Verdict, Worked};
use crate::hsmd::keeping::store::{Store, StoreError};
use crate::protocol::device::Member;
use crate::protocol::message::Round;
use crate::protocol::{Refusal, Request};

/// A handle to the task; clones lead to the same one. The HSM stops when all are dropped.
#[derive(Clone)]
pub struct Engine(mpsc::Sender<Job>);

/// What the owner of the HSM's folder has done to the HSM, at a time in microseconds since 1970.
type OwnersRule = Box<dyn FnOnce(&Hsm, u64) -> Result<Vec<Event>, Refusal> + Send>;

/// A message to the task.
enum Job {
    Open(IpAddr, oneshot::Sender<SessionId>),
    Close(SessionId),
    Snapshot(oneshot::Sender<Hsm>),
    Status(oneshot::Sender<Status>),
    Decide(Box<Attempt>, oneshot::Sender<Verdict>),
    Owner(OwnersRule, oneshot::Sender<Result<(), Refusal>>),
    Members(Vec<Member>),
    Store(Task),
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
        let path = store.path().map(Path::to_owned);
        let writer = Writer::start(store).map_err(failed)?;
        let (sender, jobs) = mpsc::channel(QUEUE);
        let engine = Loop {
            hsm,
            writer: Some(writer),
            path,
            trouble: None,
            members,
            max_connections,
            certificates,
            clock,
            next_session: 1,
            open: BTreeMap::new(),
            strangers: Strangers::default(),
            counters: Counters::default(),
        };
        Ok((Self(sender), task::spawn(engine.run(jobs))))
    }

    /// Opens a session for a client; `None` if the HSM is stopping.
    pub async fn open(&self, client: IpAddr) -> Option<SessionId> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Job::Open(client, sender)).await.ok()?;
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
        // A stopped engine drops the job, and the sender in it.
        let _ = self.0.send(Job::Decide(Box::new(attempt), sender)).await;
        receiver.await.unwrap_or(Verdict::Refused(Refusal::ShuttingDown))
    }

    /// Makes a change for the owner of the HSM's folder, durably. The rule gets the time, too.
    ///
    /// # Errors
    ///
    /// What the rule refuses; or if the HSM takes no changes.
    pub async fn by_owner(
        &self,
        rule: impl FnOnce(&Hsm, u64) -> Result<Vec<Event>, Refusal> + Send + 'static,
    ) -> Result<(), Refusal> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Job::Owner(Box::new(rule), sender)).await.map_err(|_| Refusal::ShuttingDown)?;
        receiver.await.unwrap_or(Err(Refusal::ShuttingDown))
    }

    /// Says who the HSMs of the cluster are from now on.
    pub async fn set_members(&self, members: Vec<Member>) {
        // A stopped engine is asked by nobody.
        let _ = self.0.send(Job::Members(members)).await;
    }

    /// Runs a function on the store, between two commits; `None` if the store is not open.
    pub async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        // The caller may have stopped waiting.
        let work = move |store: &mut Store| drop(sender.send(work(store)));
        self.0.send(Job::Store(Box::new(work))).await.ok()?;
        done.await.ok()
    }
}

struct Loop {
    hsm: Hsm,
    /// Gone from a failure of the store until it is open again.
    writer: Option<Writer>,
    /// The store's file, if it is one.
    path: Option<PathBuf>,
    /// From a failure of the store until it takes changes again.
    trouble: Option<Trouble>,
    members: Vec<Member>,
    max_connections: u32,
    certificates: Certificates,
    clock: Clock,
    next_session: u32,
    open: BTreeMap<SessionId, IpAddr>,
    strangers: Strangers,
    counters: Counters,
}

impl Loop {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        loop {
            let mut batch = Batch::default();
            let wait = self.strangers.wait(self.clock.now()).filter(|_| self.trouble.is_none());
            tokio::select! {
                job = jobs.recv() => match job {
                    Some(first) => self.take(first, &mut batch),
                    None => break,
                },
                tried = Trouble::ended(&mut self.trouble) => self.tried(tried, &mut batch),
                () = sleep(wait.unwrap_or(Duration::MAX)) => {}
            }
            while batch.decided.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                self.take(job, &mut batch);
            }
            self.finish(batch).await;
            let due = self.strangers.due(self.clock.now());
            self.record(due).await;
        }
        let rest = self.strangers.rest();
        self.record(rest).await;
        if let Some(writer) = self.writer {
            writer.close().await;
        }
    }

    fn take(&mut self, job: Job, batch: &mut Batch) {
        match job {
            Job::Open(client, sender) => {
                let session = self.new_session(client);
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
                if let Some(trouble) = &mut self.trouble {
                    trouble.look_again(file(&self.writer));
                }
                // The asker may have stopped waiting.
                let _ = sender.send(self.status());
            }
            Job::Decide(attempt, sender) => self.decide(attempt, sender, batch),
            Job::Owner(rule, sender) => self.by_owner(rule, sender, batch),
            Job::Members(members) => self.members = members,
            Job::Store(work) => {
                if let Some(writer) = &self.writer {
                    writer.later(work);
                }
            }
        }
    }

    fn decide(&mut self, attempt: Box<Attempt>, sender: oneshot::Sender<Verdict>, batch: &mut Batch) {
        let env = Env {
            now: self.clock.now(),
            members: &self.members,
            max_connections: self.max_connections,
            certificates: &self.certificates,
            worked: attempt.worked.as_ref(),
        };
        let hsm = batch.next.as_ref().unwrap_or(&self.hsm);
        let decision = hsm.decide(&attempt.request, attempt.round, attempt.caller, &env);
        let Decision { verdict, mut events, by_stranger } = decision;
        if let (Some(deed), Some(address)) = (by_stranger, self.open.get(&attempt.caller)) {
            self.strangers.note(deed, *address);
        }
        batch.remember_challenges(&mut self.hsm, &mut events);
        match &mut self.trouble {
            Some(trouble) if events.iter().any(Event::is_lasting) => {
                trouble.wait((attempt, sender), file(&self.writer));
            }
            Some(_) | None => batch.add(&self.hsm, events, Answer::Client(verdict, sender)),
        }
    }

    fn by_owner(&self, rule: OwnersRule, sender: oneshot::Sender<Result<(), Refusal>>, batch: &mut Batch) {
        let hsm = batch.next.as_ref().unwrap_or(&self.hsm);
        let decided = match &self.trouble {
            Some(_) => Err(Refusal::StoreFailure),
            None => rule(hsm, self.clock.now()),
        };
        match decided {
            Ok(events) => batch.add(&self.hsm, events, Answer::Owner(sender)),
            // The asker may have stopped waiting.
            Err(refusal) => drop(sender.send(Err(refusal))),
        }
    }

    /// Goes on with a store that was tried again, and with the changes that waited for it.
    fn tried(&mut self, Tried { opened, disk }: Tried, batch: &mut Batch) {
        if let Some((store, stored)) = opened {
            // What was in doubt is decided now.
            self.hsm = self.hsm.resumed(stored);
            self.writer = Writer::start(store).ok();
        }
        let Some(mut trouble) = self.trouble.take() else { return };
        if disk == Disk::Failing || self.writer.is_none() {
            trouble.lasts();
            self.trouble = Some(trouble);
            return;
        }
        tracing::info!(hsm_id = %self.hsm.identity().hsm_id, "the store works again");
        for (attempt, sender) in trouble.over() {
            self.decide(attempt, sender, batch);
        }
    }

    async fn finish(&mut self, batch: Batch) {
        let (decided, durable) = match batch.next {
            Some(next) => self.commit(batch.decided, next).await,
            None => (batch.decided, true),
        };
        // What was decided after a change that did not become durable was decided on a state that never existed, so it
        // is refused, even if it only reads.
        let mut sound = true;
        for Decided { events, answer } in decided {
            sound &= durable || events.is_empty();
            answer.send(sound);
        }
    }

    /// Records what strangers did.
    async fn record(&mut self, due: Vec<Deeds>) {
        if due.is_empty() {
            return;
        }
        if self.trouble.is_some() {
            return self.strangers.put_back(due);
        }
        let mut batch = Batch::default();
        batch.add(&self.hsm, self.hsm.tallied(&due, self.clock.now()), Answer::Nobody);
        self.finish(batch).await;
        if self.trouble.is_some() {
            self.strangers.put_back(due);
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
        tracing::error!(%hsm_id, %error, "no more changes until the store works again");
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
        self.trouble = Some(Trouble::new(self.path.clone()));
        self.counters.store_failures = self.counters.store_failures.saturating_add(1);
    }

    fn status(&self) -> Status {
        let changes = match (&self.trouble, &self.certificates.owner) {
            (Some(_), _) => Changes::StoreFailed,
            (None, None) => Changes::NotInitialized,
            (None, Some(_)) => Changes::Taken,
        };
        Status { changes, census: self.hsm.census(), counters: self.counters }
    }

    fn new_session(&mut self, client: IpAddr) -> SessionId {
        // The number wraps after four billion sessions, and old ones may still be open.
        loop {
            let session = SessionId(self.next_session);
            self.next_session = self.next_session.wrapping_add(1);
            if let Entry::Vacant(free) = self.open.entry(session) {
                free.insert(client);
                return session;
            }
        }
    }
}

fn file(writer: &Option<Writer>) -> File {
    if writer.is_some() { File::Open } else { File::Closed }
}
