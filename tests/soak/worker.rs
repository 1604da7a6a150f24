//! A crypto user who makes, changes and deletes keys of its own, and knows what must be there.

use std::sync::Arc;

use cloudhsm::cluster::Failure;
use cloudhsm::protocol::attribute::{Attribute, ReadAttributes, SetAttribute, Value};
use cloudhsm::protocol::key::{Curve, DeleteKey, FindKeys, GenerateKey, KeyHandle, KeySpec, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Inserted, Place};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::UserType;
use tokio::time::sleep;

use crate::desk::Desk;
use crate::dice::Dice;
use crate::model::{Book, Cell, Said, said};
use crate::world::{SERVERS, World};

pub(crate) const PASSWORD: &str = "a worker's";

#[derive(Clone, Copy)]
enum Command {
    Label,
    Read,
    Find,
    Make,
    Delete,
    Sync,
    LogOut,
}

const COMMANDS: [(usize, Command); 7] = [
    (50, Command::Label),
    (25, Command::Read),
    (3, Command::Find),
    (10, Command::Make),
    (10, Command::Delete),
    (20, Command::Sync),
    (1, Command::LogOut),
];

const SPECS: [(usize, KeySpec); 3] =
    [(97, KeySpec::Aes { bytes: 32 }), (2, KeySpec::Ec(Curve::P256)), (1, KeySpec::Rsa { bits: 2048 })];

pub(crate) struct Worker {
    pub(crate) desk: Desk,
    pub(crate) book: Book,
    dice: Dice,
    /// So many of them, or a few fewer.
    keys: usize,
    /// Labels are numbered, so that each is known by its change.
    next: u64,
}

impl Worker {
    pub(crate) fn new(world: &Arc<World>, number: usize, keys: usize) -> Self {
        let name = format!("worker{number}");
        // Every other one reaches the HSMs through relays, which fail.
        let dials = if number.is_multiple_of(2) { &world.direct } else { &world.relayed };
        let desk = Desk::new(world, dials, UserType::Cu, &name, PASSWORD);
        let dice = Dice::new(world.seed, &name);
        Self { desk, book: Book::default(), dice, keys, next: 0 }
    }

    /// Makes its keys, before there are faults.
    pub(crate) async fn fill(mut self) -> Self {
        self.desk = self.desk.patient();
        while self.book.keys.len() < self.keys && !self.desk.world.figures.is_wrong() {
            self.desk.ready().await;
            self.make(KeySpec::Aes { bytes: 32 }).await;
        }
        self.desk = self.desk.impatient();
        self
    }

    pub(crate) async fn work(mut self) -> Self {
        let world = Arc::clone(&self.desk.world);
        let think = u64::try_from(world.scale.think.as_millis()).unwrap();
        while !world.is_over() {
            sleep(self.dice.millis(0..think)).await;
            self.desk.ready().await;
            let (command, spec) = (self.dice.weighted(&COMMANDS), self.dice.weighted(&SPECS));
            let settled = self.book.settled();
            let chosen = self.dice.below(settled.len().max(1));
            match (command, settled.get(chosen)) {
                (Command::Make | Command::Delete, Some(handle)) if settled.len() > self.keys => {
                    self.delete(*handle).await;
                }
                (Command::Make, _) => self.make(spec).await,
                (Command::Find, _) => self.find().await,
                (Command::LogOut, _) => drop(self.desk.change(Logout).await),
                (Command::Label, Some(handle)) => self.label(*handle).await,
                (Command::Read, Some(handle)) => self.read(*handle).await,
                (Command::Delete, Some(handle)) => self.delete(*handle).await,
                (Command::Sync, Some(_)) => self.sync(&settled).await,
                (Command::Sync | Command::Label | Command::Read | Command::Delete, None) => {}
            }
        }
        self
    }

    fn next_label(&mut self) -> (u64, String) {
        self.next += 1;
        (self.next, label(&self.desk.name, self.next))
    }

    async fn make(&mut self, spec: KeySpec) {
        let (number, label) = self.next_label();
        let maker = self.dice.below(SERVERS);
        let template = Template { label, ..Template::default() };
        match self.desk.perform(maker, GenerateKey { spec, template }).await {
            Ok(handles) => {
                for handle in handles {
                    self.book.begin(handle, SERVERS)[maker].acknowledged(Some(number));
                    self.desk.world.figures.count("acknowledged: keys made");
                    self.spread(maker, handle, number).await;
                }
            }
            Err(failure) => match said(&failure) {
                Said::Silence | Said::Doubt => drop(self.book.orphans.insert((maker, number))),
                Said::Nothing | Said::LoggedOut => {}
                Said::Absent | Said::Present | Said::Wrong => {
                    self.desk.wrong(&format!("server {maker} made no key: {failure}"));
                }
            },
        }
    }

    /// Copies a key to the servers that lack it.
    async fn spread(&mut self, from: usize, handle: KeyHandle, number: u64) {
        let Ok(object) = self.desk.perform(from, ExtractKey { handle }).await else { return };
        for server in self.lacking(handle) {
            let (place, existing) = (Place::SameHandle, Existing::Compare);
            let insert = InsertKey { object: object.clone(), place, existing };
            let answer = self.desk.perform(server, insert).await;
            if let Ok(inserted @ (Inserted::Differs(..) | Inserted::Replaced(_))) = &answer {
                self.desk.wrong(&format!("server {server} had another key {handle}: {inserted:?}"));
            }
            self.note(server, handle, Some(number), answer.map(drop));
        }
    }

    fn lacking(&self, handle: KeyHandle) -> Vec<usize> {
        let lacks = |server: &usize| !self.book.keys[&handle][*server].may_be(Option::is_some);
        (0..SERVERS).filter(lacks).collect()
    }

    /// Repairs what a server that was down has missed, as syncKey does.
    async fn sync(&mut self, settled: &[KeyHandle]) {
        let Some(handle) = settled.iter().find(|handle| !self.lacking(**handle).is_empty()) else { return };
        let cells = &self.book.keys[handle];
        let known = |server: usize| cells[server].known().copied().flatten();
        if let Some((from, number)) = (0..SERVERS).find_map(|server| Some((server, known(server)?))) {
            self.spread(from, *handle, number).await;
        }
    }

    async fn label(&mut self, handle: KeyHandle) {
        let (number, label) = self.next_label();
        let (attribute, value) = (Attribute::Label, Value::Text(label));
        let answers = self.desk.change(SetAttribute { handle, attribute, value }).await;
        for (server, answer) in answers.into_iter().enumerate() {
            self.note(server, handle, Some(number), answer);
        }
    }

    async fn delete(&mut self, handle: KeyHandle) {
        let answers = self.desk.change(DeleteKey { handle }).await;
        for (server, answer) in answers.into_iter().enumerate() {
            self.note(server, handle, None, answer);
        }
    }

    /// What an answer to a change of a key says of it.
    fn note(&mut self, server: usize, handle: KeyHandle, value: Option<u64>, answer: Result<(), Failure>) {
        let cell: &mut Cell<_> = &mut self.book.keys.get_mut(&handle).unwrap()[server];
        match answer.map_err(|failure| (said(&failure), failure)) {
            Ok(()) => {
                cell.acknowledged(value);
                self.desk.world.figures.count("acknowledged: changes of keys");
            }
            Err((Said::Doubt, _)) => cell.doubtful(value),
            Err((Said::Silence, _)) => cell.lost(value),
            Err((Said::Nothing | Said::LoggedOut, _)) => {}
            Err((Said::Absent, _)) if cell.allows(&None) => {}
            Err((Said::Absent | Said::Present | Said::Wrong, failure)) => {
                self.desk.wrong(&format!("key {handle} on server {server}, {cell:?}: {failure}"));
            }
        }
    }

    async fn read(&mut self, handle: KeyHandle) {
        for (server, answer) in self.desk.read(ReadAttributes { handle }).await.into_iter().enumerate() {
            let found = match answer {
                Ok(attributes) => number(&attributes.label),
                Err(failure) if said(&failure) == Said::Absent => None,
                Err(_) => continue,
            };
            self.desk.world.figures.count("reads compared");
            if !self.book.allows(server, handle, found) {
                let cells = &self.book.keys[&handle];
                self.desk
                    .wrong(&format!("key {handle} on server {server} is {found:?}, not one of {cells:?}"));
            }
        }
    }

    /// All keys that are known to be there are found.
    async fn find(&mut self) {
        for (server, answer) in self.desk.read(FindKeys::default()).await.into_iter().enumerate() {
            let Ok(found) = answer else { continue };
            let is_missing =
                |handle: &&KeyHandle| !found.contains(handle) && !self.book.allows(server, **handle, None);
            if let Some(handle) = self.book.keys.keys().find(is_missing) {
                self.desk.wrong(&format!("key {handle} is gone from server {server}"));
            }
            self.desk.world.figures.count("lists compared");
        }
    }
}

pub(crate) fn label(name: &str, number: u64) -> String {
    format!("{name}-{number}")
}

/// The number of a label.
pub(crate) fn number(label: &str) -> Option<u64> {
    label.rsplit_once('-')?.1.parse().ok()
}
