//! Copying many masked objects from one server to others: while a batch is inserted, the next ones are extracted.

mod cargo;
mod progress;

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join;
use tokio::sync::mpsc;

use super::Stop;
use super::compare::{Name, Plan};
use crate::cluster::{Answer, Cluster, Failure, Question};
use crate::interrupt::Interrupt;
use crate::protocol::Refusal;
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::{Existing, KeyCopy, MAX_BATCH, MAX_BATCH_BYTES, MaskedObject, Rows};
use crate::protocol::user::UserId;

use cargo::{Became, Cargo, KeyCargo, UserCargo};
pub(super) use progress::Progress;

/// What one destination is to get, and what has come of it.
pub(super) struct Lane {
    pub(super) destination: usize,
    users: BTreeMap<UserId, (Existing, Name)>,
    keys: BTreeMap<KeyHandle, Existing>,
    pub(super) copied: Counts,
    /// There already, the same in everything.
    pub(super) equal: usize,
    pub(super) bytes: u64,
    pub(super) failed_users: Vec<(Name, String)>,
    pub(super) failed_keys: Vec<(KeyHandle, String)>,
    /// Why it gets no more.
    pub(super) lost: Option<Failure>,
}

/// Users and keys.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) users: usize,
    pub(super) keys: usize,
}

impl Lane {
    pub(super) fn new(plan: &Plan) -> Self {
        let user = |(id, name, existing): &(UserId, Name, Existing)| (*id, (*existing, name.clone()));
        Self {
            destination: plan.destination,
            users: plan.users.iter().map(user).collect(),
            keys: plan.keys.iter().map(|(handle, existing, _)| (*handle, *existing)).collect(),
            copied: Counts::default(),
            equal: 0,
            bytes: 0,
            failed_users: Vec::new(),
            failed_keys: Vec::new(),
            lost: None,
        }
    }

    /// How many it has not got.
    pub(super) fn open(&self) -> usize {
        let settled = [
            self.copied.users,
            self.copied.keys,
            self.equal,
            self.failed_users.len(),
            self.failed_keys.len(),
        ];
        let planned = self.users.len().saturating_add(self.keys.len());
        planned.saturating_sub(settled.into_iter().sum())
    }
}

/// How many batches wait, extracted, for the destinations.
const AHEAD: usize = 1;

/// A batch, and what the source gave of it.
type Extracted<C> = (Vec<<C as Cargo>::Id>, Rows<MaskedObject>);

/// From one server to others.
pub(super) struct Transfer<'a> {
    pub(super) source: usize,
    pub(super) lanes: Vec<Lane>,
    /// Why the source gave no more.
    pub(super) lost: Option<Failure>,
    pub(super) progress: &'a Progress,
    /// Ends the copying after the batches that are under way.
    pub(super) interrupt: &'a Interrupt,
}

impl Transfer<'_> {
    /// Copies the users, then the keys.
    pub(super) async fn run(&mut self, cluster: &mut Cluster, plans: &[Plan]) -> Result<(), Stop> {
        let users =
            plans.iter().flat_map(|plan| &plan.users).map(|(id, ..)| (*id, ())).collect::<BTreeMap<_, _>>();
        let users = users.into_keys().map(|id| vec![id]).collect();
        self.carry::<UserCargo>(cluster, users).await?;
        let sizes =
            plans.iter().flat_map(|plan| &plan.keys).map(|(handle, _, size)| (*handle, *size)).collect();
        self.carry::<KeyCargo>(cluster, batches(sizes)).await
    }

    /// Both ends work at the same time: a batch is inserted while the next ones are extracted.
    async fn carry<C: Cargo>(&mut self, cluster: &mut Cluster, batches: Vec<Vec<C::Id>>) -> Result<(), Stop> {
        if self.lost.is_some() || self.are_lanes_lost() {
            return Ok(());
        }
        // Borrowed only where a call begins or ends.
        let cluster = RefCell::new(cluster);
        let (extracted, ready) = mpsc::channel(AHEAD);
        let extracting = extract::<C>(&cluster, self.source, self.interrupt, batches, extracted);
        let (lost, inserted) = join(extracting, self.insert::<C>(&cluster, ready)).await;
        self.lost = lost?;
        inserted
    }

    /// Inserts what is extracted, to the end. An interrupt ends it earlier, and so does the loss of all destinations; then
    /// the extracting ends, too, as nobody takes more.
    async fn insert<C: Cargo>(
        &mut self,
        cluster: &RefCell<&mut Cluster>,
        mut ready: mpsc::Receiver<Extracted<C>>,
    ) -> Result<(), Stop> {
        while let Some(batch) = ready.recv().await {
            if self.interrupt.is_raised() {
                break;
            }
            let (lanes, questions) = self.inserts::<C>(batch)?;
            let calls = cluster.borrow_mut().start(&questions);
            let called = calls.await;
            let answers = cluster.borrow_mut().finish(called);
            for ((lane, ids), answer) in lanes.into_iter().zip(answers) {
                self.settle::<C>(lane, &ids, C::inserted(answer));
            }
            if self.are_lanes_lost() {
                break;
            }
        }
        Ok(())
    }

    fn are_lanes_lost(&self) -> bool {
        self.lanes.iter().all(|lane| lane.lost.is_some())
    }

    /// For each destination that takes any of these objects, the question that inserts them.
    #[expect(clippy::type_complexity, reason = "places in `lanes`, ids, questions")]
    fn inserts<C: Cargo>(
        &mut self,
        (ids, rows): Extracted<C>,
    ) -> Result<(Vec<(usize, Vec<C::Id>)>, Vec<(usize, Question<C::Insert>)>), Stop> {
        let (mut taken, mut questions) = (Vec::new(), Vec::new());
        for (at, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| lane.lost.is_none()) {
            let (mut sent, mut copies) = (Vec::new(), Vec::new());
            for (id, row) in ids.iter().zip(&rows) {
                let Some(existing) = C::existing(lane, *id) else { continue };
                match row {
                    Ok(object) => {
                        lane.bytes = lane.bytes.saturating_add(u64::try_from(object.0.len()).unwrap_or(0));
                        sent.push(*id);
                        copies.push(KeyCopy { object: object.clone(), existing });
                    }
                    Err(refusal) => C::failed(lane, *id, refusal.text().to_owned()),
                }
            }
            if let Some(insert) = C::insert(copies) {
                questions.push((lane.destination, Question::new(insert)?));
                taken.push((at, sent));
            }
        }
        Ok((taken, questions))
    }

    fn settle<C: Cargo>(&mut self, at: usize, ids: &[C::Id], answer: Answer<Rows<Became>>) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let rows = match answer {
            Ok(rows) => rows,
            Err(Failure::Refused(refusal)) => vec![Err(refusal); ids.len()],
            Err(failure) => {
                lane.lost = Some(failure);
                return;
            }
        };
        for (id, row) in ids.iter().zip(rows) {
            match row {
                Ok(Became::Copied) => C::copied(&mut lane.copied),
                Ok(Became::Equal) => lane.equal = lane.equal.saturating_add(1),
                Ok(Became::Differs) => C::failed(lane, *id, CHANGED.to_owned()),
                Err(refusal) => C::failed(lane, *id, Refusal::text(refusal).to_owned()),
            }
        }
        self.progress.add(ids.len());
    }
}

/// Extracts batch after batch, until the copying is interrupted. Returns why the source gave no more, if it is lost.
async fn extract<C: Cargo>(
    cluster: &RefCell<&mut Cluster>,
    source: usize,
    interrupt: &Interrupt,
    batches: Vec<Vec<C::Id>>,
    extracted: mpsc::Sender<Extracted<C>>,
) -> Result<Option<Failure>, Stop> {
    for ids in batches {
        if interrupt.is_raised() {
            break;
        }
        let question = Question::new(C::extract(&ids))?;
        let call = cluster.borrow_mut().start(&[(source, question)]);
        let called = call.await;
        let Some(answer) = cluster.borrow_mut().finish(called).pop() else { break };
        match C::objects(answer, ids.len()) {
            // Nobody takes it if all destinations are lost.
            Ok(rows) => match extracted.send((ids, rows)).await {
                Ok(()) => {}
                Err(_) => break,
            },
            Err(failure) => return Ok(Some(failure)),
        }
    }
    Ok(None)
}

const CHANGED: &str = "it was made there after the servers were compared; run syncHSM again";

/// As many keys at a time as a call holds.
fn batches(sizes: BTreeMap<KeyHandle, u32>) -> Vec<Vec<KeyHandle>> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
    for (handle, size) in sizes {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let is_full = bytes.saturating_add(size) > MAX_BATCH_BYTES || batch.len() >= MAX_BATCH;
        if is_full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        batch.push(handle);
        bytes = bytes.saturating_add(size);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}
