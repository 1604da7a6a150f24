//! Crypto users at the real `key_mgmt_util`, one command a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cloudhsm::protocol::key::KeyHandle;

use crate::dice::Dice;
use crate::model::{Book, Said, refused};
use crate::process::{keys, run, text};
use crate::worker::label;
use crate::world::{SERVERS, World};

pub(crate) const PASSWORD: &str = "keysmith1";

/// What key_mgmt_util prints of a node that did not answer, and of one that it did not reach.
const NO_ANSWER: u32 = 0x3001_0001;
const UNAVAILABLE: u32 = 0x3000_0085;

/// More keys than this, and some have to go first.
const MANY: usize = 15;

pub(crate) struct Keysmith {
    world: Arc<World>,
    config: PathBuf,
    pub(crate) name: String,
    dice: Dice,
    pub(crate) book: Book,
    next: u64,
}

impl Keysmith {
    pub(crate) fn new(world: &Arc<World>, number: usize, config: PathBuf) -> Self {
        let name = format!("keysmith{number}");
        let dice = Dice::new(world.seed, &name);
        Self { world: Arc::clone(world), config, name, dice, book: Book::default(), next: 0 }
    }

    pub(crate) fn work(mut self) -> Self {
        let world = Arc::clone(&self.world);
        while !world.is_over() {
            let pause = self.dice.millis(10..1000);
            world.pause(pause);
            let settled = self.book.settled();
            let chosen = self.dice.below(settled.len().max(1));
            match self.dice.below(4) {
                0 if settled.len() > 2 => self.delete(settled[chosen]),
                _ if settled.len() > MANY => self.delete(settled[chosen]),
                1 => drop(self.run("findKey", &[])),
                _ => self.make(),
            }
        }
        self
    }

    fn make(&mut self) {
        self.next += 1;
        let (number, label) = (self.next, label(&self.name, self.next));
        let Some(printed) = self.run("genSymKey", &["-t", "31", "-s", "32", "-l", &label]) else { return };
        let Some(handle) = handle(&printed) else {
            // It may be on the node that made it, and on those where a copy was not deleted again.
            self.book.orphans.extend((0..SERVERS).map(|server| (server, number)));
            return;
        };
        let states = states(&printed);
        let cells = self.book.begin(handle, SERVERS);
        for (server, cell) in cells.iter_mut().enumerate() {
            match states.iter().find(|(of, _)| *of == server).map(|(_, code)| *code) {
                Some(0) => {
                    cell.acknowledged(Some(number));
                    self.world.figures.count("acknowledged: changes of keys");
                }
                Some(NO_ANSWER) => cell.lost(Some(number)),
                Some(code) if refused(code) == Said::Doubt => cell.doubtful(Some(number)),
                Some(_) | None => {}
            }
        }
    }

    fn delete(&mut self, handle: KeyHandle) {
        let Some(printed) = self.run("deleteKey", &["-k", &handle.to_string()]) else { return };
        for (server, code) in states(&printed) {
            let cell = &mut self.book.keys.get_mut(&handle).unwrap()[server];
            let said = match code {
                0 => {
                    cell.acknowledged(None);
                    self.world.figures.count("acknowledged: changes of keys");
                    continue;
                }
                NO_ANSWER => Said::Silence,
                UNAVAILABLE => Said::Nothing,
                code => refused(code),
            };
            match said {
                Said::Silence => cell.lost(None),
                Said::Doubt => cell.doubtful(None),
                Said::Nothing | Said::LoggedOut => {}
                Said::Absent if cell.allows(&None) => {}
                Said::Absent | Said::Present | Said::Wrong => {
                    let what = format!("{}: key {handle} on server {server}, {cell:?}: {code:#x}", self.name);
                    self.world.figures.wrong(what);
                }
            }
        }
    }

    /// What the program prints of a command after its login; `None` if the login has failed.
    fn run(&self, command: &str, arguments: &[&str]) -> Option<String> {
        let config = text(&self.config);
        let login = [config, "singlecmd", "loginHSM", "-u", "CU", "-s", &self.name, "-p", PASSWORD, command];
        let began = Instant::now();
        let ended = run(&mut keys(&[&login, arguments].concat()), "");
        self.world.figures.time("a session of key_mgmt_util", began.elapsed());
        let code = ended.code.unwrap_or(-1);
        self.world.figures.count(&format!("sessions of key_mgmt_util with exit code {code}"));
        if !matches!(code, 0 | 1 | 255) {
            self.world.figures.wrong(format!("exit code {code}:\n{}\n{}", ended.stdout, ended.stderr));
        }
        ended.stdout.split_once(&format!("Command: {command}")).map(|(_, printed)| printed.to_owned())
    }
}

fn handle(printed: &str) -> Option<KeyHandle> {
    let (_, rest) = printed.split_once("Key Created.  Key Handle: ")?;
    rest.split_whitespace().next()?.parse().ok().map(KeyHandle)
}

/// The last state of each node.
fn states(printed: &str) -> Vec<(usize, u32)> {
    let state = |line: &str| {
        let (node, rest) = line.trim().strip_prefix("Node id ")?.split_once(" and err state 0x")?;
        let code = u32::from_str_radix(rest.split_whitespace().next()?, 16).ok()?;
        Some((node.parse().ok()?, code))
    };
    printed.lines().filter_map(state).collect()
}
