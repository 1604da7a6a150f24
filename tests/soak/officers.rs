//! COs at the real `cloudhsm_mgmt_util`, who make, change and delete users, and throw workers out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::cluster::CO_PASSWORD;
use crate::dice::Dice;
use crate::model::{Cell, Cells, Said, refused};
use crate::process::{console, run, text};
use crate::world::{SERVERS, World};

#[derive(Clone, Copy)]
enum Kind {
    Create,
    Change,
    Delete,
    List,
    Hash,
    CloseSessions,
    Describe,
    Sync,
}

const KINDS: [(usize, Kind); 8] = [
    (30, Kind::Create),
    (15, Kind::Change),
    (15, Kind::Delete),
    (10, Kind::List),
    (5, Kind::Hash),
    (10, Kind::CloseSessions),
    (5, Kind::Describe),
    (10, Kind::Sync),
];

/// More users than this, and some have to go first.
const MANY: usize = 20;

pub(crate) struct Officer {
    world: Arc<World>,
    config: PathBuf,
    name: String,
    dice: Dice,
    /// Nobody else has users of these names. The numbers are those of their passwords.
    pub(crate) users: BTreeMap<String, Cells>,
    next: u64,
}

/// A line for the console, and what it means to do.
struct Planned {
    line: String,
    /// A user, and what becomes of it.
    change: Option<(String, Option<u64>)>,
}

impl Officer {
    pub(crate) fn new(world: &Arc<World>, number: usize, config: PathBuf) -> Self {
        let name = format!("officer{number}");
        let dice = Dice::new(world.seed, &name);
        Self { world: Arc::clone(world), config, name, dice, users: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn work(mut self) -> Self {
        let world = Arc::clone(&self.world);
        while !world.is_over() {
            let pause = self.dice.millis(10..1000);
            world.pause(pause);
            let commands = (0..=self.dice.below(4)).filter_map(|_| self.plan()).collect();
            self.session(commands);
        }
        self
    }

    fn plan(&mut self) -> Option<Planned> {
        let kind = self.dice.weighted(&KINDS);
        let settled: Vec<String> = self.settled();
        let one = |dice: &mut Dice| settled.get(dice.below(settled.len().max(1))).cloned();
        self.next += 1;
        let number = self.next;
        let (line, change) = match kind {
            Kind::Create if settled.len() < MANY => {
                let name = format!("{}_{number}", self.name);
                (format!("createUser CU {name} {}", password(number)), Some((name, Some(number))))
            }
            Kind::Change => {
                let name = one(&mut self.dice)?;
                (format!("changePswd CU {name} {}", password(number)), Some((name, Some(number))))
            }
            Kind::Create | Kind::Delete => {
                let name = one(&mut self.dice)?;
                (format!("deleteUser CU {name}"), Some((name, None)))
            }
            Kind::List => ("listUsers".to_owned(), None),
            Kind::Hash => ("findAllKeys 0 1".to_owned(), None),
            Kind::CloseSessions => {
                (format!("closeSessions CU worker{}", self.dice.below(self.world.scale.workers)), None)
            }
            Kind::Describe => ("getHSMInfo".to_owned(), None),
            Kind::Sync => {
                self.sync();
                return None;
            }
        };
        Some(Planned { line, change })
    }

    fn settled(&self) -> Vec<String> {
        let is_settled =
            |cells: &Cells| !cells.iter().any(Cell::is_lost) && cells.iter().any(|cell| !cell.allows(&None));
        self.users.iter().filter(|(_, cells)| is_settled(cells)).map(|(name, _)| name.clone()).collect()
    }

    /// One run of the program, from its login to its end.
    fn session(&mut self, commands: Vec<Planned>) {
        let login = Planned { line: format!("loginHSM CO admin {CO_PASSWORD}"), change: None };
        let planned: Vec<Planned> = [login].into_iter().chain(commands).collect();
        let lines: Vec<&str> = planned.iter().map(|planned| planned.line.as_str()).collect();
        for (planned, done) in planned.iter().zip(self.run(&lines)) {
            let command = done["command"].as_str().unwrap_or_default();
            if !planned.line.starts_with(command) || command.is_empty() {
                // The session did not begin.
                break;
            }
            for row in done["servers"].as_array().unwrap() {
                self.note(planned, row);
            }
        }
    }

    /// The lines of JSON.
    fn run(&self, lines: &[&str]) -> Vec<Value> {
        let options = ["--output", "json", "--yes", "--allow-unreachable", "--on-error", "continue"];
        let commands = lines.iter().flat_map(|line| ["-c", line]);
        let arguments: Vec<&str> = [text(&self.config)].into_iter().chain(options).chain(commands).collect();
        let began = Instant::now();
        let ended = run(&mut console(&arguments), "");
        self.world.figures.time("a session of cloudhsm_mgmt_util", began.elapsed());
        let code = ended.code.unwrap_or(-1);
        self.world.figures.count(&format!("sessions of cloudhsm_mgmt_util with exit code {code}"));
        let done: Vec<Value> =
            ended.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let all_done = done.len() == lines.len() && done.iter().all(|line| line["ok"] == true);
        if !matches!(code, 0 | 1 | 3 | 4) || all_done != (code == 0) {
            self.wrong(&format!("exit code {code}: {lines:?}\n{}\n{}", ended.stdout, ended.stderr));
        }
        done
    }

    /// What a row says of a server.
    fn note(&mut self, planned: &Planned, row: &Value) {
        let server = usize::try_from(row["server"].as_u64().unwrap()).unwrap();
        let said = match row["outcome"].as_str().unwrap() {
            "ok" => Ok(()),
            "refused" => Err(refused(u32::try_from(row["code"].as_u64().unwrap()).unwrap())),
            "no_answer" => Err(Said::Silence),
            _ => Err(Said::Nothing),
        };
        let Some((name, value)) = &planned.change else {
            if said == Ok(()) && planned.line == "listUsers" {
                self.compare(server, &row["data"]["users"]);
            }
            if let Err(Said::Wrong | Said::Present | Said::Absent) = said {
                self.wrong(&format!("{}: {row}", planned.line));
            }
            return;
        };
        let cells = self.users.entry(name.clone()).or_insert_with(|| vec![Cell::new(None); SERVERS]);
        let cell = &mut cells[server];
        match said {
            Ok(()) => {
                cell.acknowledged(*value);
                self.world.figures.count("acknowledged: changes of users");
            }
            Err(Said::Doubt) => cell.doubtful(*value),
            Err(Said::Silence) => cell.lost(*value),
            Err(Said::Nothing | Said::LoggedOut) => {}
            Err(Said::Absent) if cell.allows(&None) => {}
            Err(Said::Present) if cell.may_be(Option::is_some) => {}
            Err(Said::Absent | Said::Present | Said::Wrong) => {
                let cell = format!("{cell:?}");
                self.wrong(&format!("{}, {cell}: {row}", planned.line));
            }
        }
    }

    /// Whether a list has the users that it must have.
    pub(crate) fn compare(&self, server: usize, listed: &Value) {
        let listed: Vec<&str> =
            listed.as_array().unwrap().iter().filter_map(|user| user["name"].as_str()).collect();
        for (name, cells) in &self.users {
            let is_listed = listed.contains(&name.as_str());
            if !cells[server].may_be(|value| value.is_some() == is_listed) {
                let there = if is_listed { "on" } else { "gone from" };
                self.wrong(&format!("user {name} is {there} server {server}: {:?}", cells[server]));
            }
        }
        self.world.figures.count("lists compared");
    }

    /// Copies a user to a server that lacks it.
    fn sync(&mut self) {
        let Some((name, from, to)) = self.settled().into_iter().find_map(|name| {
            let cells = &self.users[&name];
            let has = |server: &usize| !cells[*server].allows(&None);
            let from = (0..SERVERS).find(has)?;
            let to = (0..SERVERS).find(|server| !cells[*server].may_be(Option::is_some))?;
            Some((name, from, to))
        }) else {
            return;
        };
        let listed = self.run(&["listUsers"]);
        let rows = listed.first().and_then(|line| line["servers"].as_array()).cloned().unwrap_or_default();
        let users =
            rows.into_iter().find(|row| row["server"] == from).map(|mut row| row["data"]["users"].take());
        let users = users.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(id) = users.iter().find(|user| user["name"] == name.as_str()).map(|user| &user["id"]) else {
            return;
        };
        let login = format!("loginHSM CO admin {CO_PASSWORD}");
        let done = self.run(&[&login, &format!("server {from}"), &format!("syncUser {id} {to}")]);
        let cells = self.users.get_mut(&name).unwrap();
        let values: Vec<Option<u64>> = cells[from].values().copied().collect();
        if done.len() == 3 && done[2]["ok"] == true && values.len() == 1 {
            cells[to].acknowledged(values[0]);
            self.world.figures.count("acknowledged: syncUser");
        } else {
            values.into_iter().for_each(|value| cells[to].lost(value));
        }
    }

    fn wrong(&self, what: &str) {
        self.world.figures.wrong(format!("{}: {what}", self.name));
    }
}

/// The password of this number.
pub(crate) fn password(number: u64) -> String {
    format!("password{number}")
}
