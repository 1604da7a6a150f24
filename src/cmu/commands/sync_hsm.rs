//! `syncHSM`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::Question;
use crate::cmu::arguments::{SERVER, USER_ID};
use crate::cmu::caution::confirm;
use crate::cmu::compare::{Gathered, Items, Left, Name, Part, Plan, Why, gather, plan};
use crate::cmu::failure::{failure_lines, usual_context};
use crate::cmu::session::no_such_server;
use crate::cmu::transfer::{Counts, Lane, Progress, Transfer};
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Given, Permission};
use crate::interrupt::Interrupt;
use crate::protocol::masked::{ExtractUser, InsertKeys, InsertUser};
use crate::protocol::user::UserId;

pub(super) static COMMAND: Command = Command {
    name: "syncHSM",
    arguments: &[DESTINATION, CHOICE],
    summary: "Copy all users and keys to other servers (server mode)",
    description: "\
Brings another server, or all others, to the users and keys of the server that server mode is for; or only to its
users, only to its keys, or to the keys of one user, by the user's id on this server. First the servers are compared,
as by compareHSM, and the command says how much it will copy and what it leaves to a person, and asks. Users are
copied before their keys, as by syncUser and syncKey and by their rules. What is on the other server already is not
copied again, so the command can be interrupted and run again. Nothing is deleted, and a key is never replaced by
another one with the same handle. At the end the servers are compared again. The user must be logged in on all of
these servers: a CO copies users and keys, a CU their own keys. The exit code is 4 if a server is not like this one in
the end; users and keys that it has besides do not count.",
    example: "syncHSM all",
    permission: Some(Permission::of::<InsertKeys>()),
    build: |given| {
        let destination = if given.has(&ALL) { None } else { Some(given.number(&SERVER)?) };
        let choice = match () {
            () if given.has(&USERS) => Choice::Users,
            () if given.has(&KEYS) => Choice::Keys,
            () => given.maybe(&USER_ID, Given::number)?.map_or(Choice::Everything, |id| Choice::KeysOf(UserId(id))),
        };
        Ok(Box::new(SyncHsm { destination, choice }))
    },
};

const DESTINATION: Argument = SERVER.or(&[ALL]);
const ALL: Argument = Argument::switch("all");
const CHOICE: Argument = USER_ID.or(&[USERS, KEYS]).optional();
const USERS: Argument = Argument::switch("users");
const KEYS: Argument = Argument::switch("keys");

struct SyncHsm {
    /// `None` means all other servers.
    destination: Option<usize>,
    choice: Choice,
}

enum Choice {
    Everything,
    Users,
    Keys,
    KeysOf(UserId),
}

impl Action for SyncHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let Some(source) = session.pinned else {
            return Err(Stop::failed("not in server mode; use server <server-number> to enter it"));
        };
        let destinations = self.destinations(session, source)?;
        let scope: Vec<usize> = [source].into_iter().chain(destinations).collect();
        let mut work = Work { session, source, scope, part: Part::Everything };
        let gathered = work.gather()?;
        work.part = self.part(&gathered, source)?;
        let plans = work.plans(&gathered);
        let count = plans.len();
        let plans = work.rehearse(plans);
        let is_whole = gathered.missing.is_empty() && plans.len() == count;
        drop(gathered);
        print_plans(work.session, &plans);
        if plans.is_empty() {
            return Err(Stop::Servers);
        }
        if plans.iter().all(Plan::is_empty) {
            let lanes: Vec<Lane> = plans.iter().map(Lane::new).collect();
            return work.finish(&lanes, &plans, is_whole);
        }
        confirm(work.session)?;
        let lanes = work.copy(&plans)?;
        let verified = work.account(&lanes);
        work.finish(&lanes, &verified, is_whole)
    }
}

impl SyncHsm {
    fn destinations(&self, session: &Session<'_>, source: usize) -> Result<Vec<usize>, Stop> {
        match self.destination {
            None => Ok(session.cluster.everywhere().into_iter().filter(|number| *number != source).collect()),
            Some(number) if session.server(number).is_none() => Err(no_such_server(session, number)),
            Some(number) if number == source => {
                Err(Stop::failed(format!("server {source} is the source itself")))
            }
            Some(number) => Ok(vec![number]),
        }
    }

    fn part(&self, gathered: &Gathered, source: usize) -> Result<Part, Stop> {
        let id = match (&self.choice, &gathered.only) {
            (Choice::Users, Some(_)) => return Err(Stop::failed("only a CO can copy users")),
            (Choice::Everything | Choice::Keys, Some(owner)) => return Ok(Part::KeysOf(owner.clone())),
            (Choice::Everything, None) => return Ok(Part::Everything),
            (Choice::Users, None) => return Ok(Part::Users),
            (Choice::Keys, None) => return Ok(Part::Keys),
            (Choice::KeysOf(id), _) => *id,
        };
        let name = gathered.of(source).and_then(|one| one.name(id)).cloned();
        let nobody = || Stop::failed(format!("server {source} has no user {id}"));
        name.map(Part::KeysOf).ok_or_else(nobody)
    }
}

struct Work<'a, 'b> {
    session: &'a mut Session<'b>,
    source: usize,
    /// The source first.
    scope: Vec<usize>,
    part: Part,
}

impl Work<'_, '_> {
    /// Compares, and prints who cannot be compared. Without the source there is nothing to do.
    fn gather(&mut self) -> Result<Gathered, Stop> {
        let gathered = gather(self.session, &self.scope, Some(self.source))?;
        for (number, failure) in &gathered.missing {
            let place = self.session.server(*number);
            let text = failure_lines(COMMAND.name, usual_context, place, failure);
            self.session.console.print(&text);
        }
        if gathered.of(self.source).is_none() || gathered.holdings.len() < 2 {
            Err(Stop::Servers)
        } else {
            Ok(gathered)
        }
    }

    fn plans(&self, gathered: &Gathered) -> Vec<Plan> {
        let Some(from) = gathered.of(self.source) else { return Vec::new() };
        let others = gathered.holdings.iter().filter(|one| one.number != self.source);
        others
            .map(|one| {
                let login = self.session.server(one.number).and_then(|server| server.login());
                let login = login.map(|who| Name::new(who.user_type, &who.name));
                plan(from, one, &self.part, login.as_ref())
            })
            .collect()
    }

    /// Asks each destination whether it would take a copy: it may need approvals. Those that would not are left out.
    fn rehearse(&mut self, plans: Vec<Plan>) -> Vec<Plan> {
        plans.into_iter().filter(|plan| self.is_willing(plan).unwrap_or(false)).collect()
    }

    fn is_willing(&mut self, plan: &Plan) -> Result<bool, Stop> {
        let to = [plan.destination];
        let mut answers = match plan.keys.is_empty() {
            true => Vec::new(),
            false => self.session.rehearse(&to, &Question::new(InsertKeys { copies: Vec::new() })?),
        };
        if let Some((id, _, existing)) = plan.users.first() {
            let object = self.session.query(&[self.source], &Question::new(ExtractUser { id: *id })?).pop();
            answers.extend(match object {
                Some(Ok(object)) => {
                    let insert = InsertUser { object, existing: *existing };
                    self.session.rehearse(&to, &Question::new(insert)?)
                }
                Some(Err(failure)) => vec![Err(failure)],
                None => Vec::new(),
            });
        }
        let Some(failure) = answers.into_iter().find_map(Result::err) else { return Ok(true) };
        let place = self.session.server(plan.destination);
        let text = failure_lines(COMMAND.name, usual_context, place, &failure);
        self.session.console.print(&text);
        Ok(false)
    }

    fn copy(&mut self, plans: &[Plan]) -> Result<Vec<Lane>, Stop> {
        let total = plans.iter().map(|plan| plan.users.len().saturating_add(plan.keys.len())).sum();
        let (progress, interrupt) = (Progress::new(total), self.session.interrupt.clone());
        let lanes = plans.iter().map(Lane::new).collect();
        let mut transfer =
            Transfer { source: self.source, lanes, lost: None, progress: &progress, interrupt: &interrupt };
        let copied = self.session.counted(
            async |cluster| {
                // An interrupt ends the copying after what is under way, so that all of it is accounted for.
                let obeyed = cluster.obey(Interrupt::default());
                let copied = transfer.run(cluster, plans).await;
                cluster.obey(obeyed);
                copied
            },
            |elapsed| progress.text(elapsed),
        );
        copied?;
        if let Some(failure) = &transfer.lost {
            let place = self.session.server(self.source);
            let text = failure_lines(COMMAND.name, usual_context, place, failure);
            self.session.console.print(&text);
        }
        Ok(transfer.lanes)
    }

    /// Says what was copied, and compares again.
    fn account(&mut self, lanes: &[Lane]) -> Vec<Plan> {
        for lane in lanes {
            let text = account(self.session, lane);
            self.session.console.print(&text);
        }
        let is_interrupted = self.session.interrupt.is_raised();
        if is_interrupted || lanes.iter().any(|lane| lane.open() > 0) {
            let why = if is_interrupted { "Interrupted: what" } else { "What" };
            let text = format!("{why} is copied stays. Run syncHSM again to copy the rest.\n");
            self.session.console.print(&text);
        }
        if is_interrupted {
            return Vec::new();
        }
        self.gather().map(|gathered| self.plans(&gathered)).unwrap_or_default()
    }

    /// Says what is still different.
    fn finish(&mut self, lanes: &[Lane], verified: &[Plan], is_whole: bool) -> Result<(), Stop> {
        let (mut is_alike, mut text) = (is_whole, String::new());
        self.session.tally.known(self.source, Value::Null);
        for lane in lanes {
            let place = self.session.server(lane.destination).map(ToString::to_string).unwrap_or_default();
            let rest = verified.iter().find(|plan| plan.destination == lane.destination);
            is_alike &= rest.is_some_and(Plan::is_fulfilled);
            text.push_str(&verdict(&place, self.source, &self.part, rest));
            self.session.tally.known(lane.destination, data(lane, rest));
        }
        if is_alike {
            text.push_str("syncHSM success\n");
        }
        self.session.console.print(&text);
        if is_alike { Ok(()) } else { Err(Stop::Different) }
    }
}

/// What will be copied where, and what will not.
fn print_plans(session: &mut Session<'_>, plans: &[Plan]) {
    let mut text = String::new();
    for plan in plans {
        let place = session.server(plan.destination).map(ToString::to_string).unwrap_or_default();
        let counts = Counts { users: plan.users.len(), keys: plan.keys.len() };
        let bytes: u64 = plan.keys.iter().map(|(.., size)| u64::from(*size)).sum();
        let what = match (plan.is_empty(), plan.keys.is_empty()) {
            (true, _) => "nothing to copy".to_owned(),
            (false, true) => format!("{} to copy", counted(counts)),
            (false, false) => {
                format!("{} to copy, at most {} kB of keys", counted(counts), bytes.div_ceil(1000))
            }
        };
        text.push_str(&format!("{place}: {what}\n"));
        for Left { what, why } in &plan.left {
            text.push_str(&format!("{place}: not copied: {}: {why}\n", what.text()));
        }
    }
    session.console.print(&text);
}

fn counted(Counts { users, keys }: Counts) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    format!("{} and {}", count(users, "user"), count(keys, "key"))
}

/// What a destination got, and what it did not.
fn account(session: &Session<'_>, lane: &Lane) -> String {
    let place = session.server(lane.destination).map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{place}: {} copied\n", counted(lane.copied));
    let mut failed: BTreeMap<&str, (Vec<Name>, Vec<_>)> = BTreeMap::new();
    lane.failed_users.iter().for_each(|(name, why)| failed.entry(why).or_default().0.push(name.clone()));
    lane.failed_keys.iter().for_each(|(handle, why)| failed.entry(why).or_default().1.push(*handle));
    for (why, (users, keys)) in failed {
        for items in [Items::Users(users), Items::Keys(keys)].into_iter().filter(|items| items.len() > 0) {
            text.push_str(&format!("{place}: failed: {}: {why}\n", items.text()));
        }
    }
    if let Some(failure) = &lane.lost {
        text.push_str(&format!("{place}: {failure}\n"));
    }
    if lane.open() > 0 {
        text.push_str(&format!("{place}: {} not copied or in doubt\n", lane.open()));
    }
    text
}

fn verdict(place: &str, source: usize, part: &Part, rest: Option<&Plan>) -> String {
    let what = match part {
        Part::Everything => "users and keys".to_owned(),
        Part::Users => "users".to_owned(),
        Part::Keys => "keys".to_owned(),
        Part::KeysOf(name) => format!("keys of {name}"),
    };
    match rest {
        None => format!("Not compared afterwards: {place}\n"),
        Some(rest) if rest.is_fulfilled() => format!("Compared: {place} has the {what} of server {source}\n"),
        Some(rest) => {
            let conflicts = rest.left.iter().filter(|left| left.why != Why::OnlyThere);
            let conflicts: usize = conflicts.map(|left| left.what.len()).sum();
            let count = rest.users.len().saturating_add(rest.keys.len()).saturating_add(conflicts);
            format!("Compared: {place} differs from server {source} in {count} of the {what}\n")
        }
    }
}

fn data(lane: &Lane, rest: Option<&Plan>) -> Value {
    let users = lane.failed_users.iter().map(|(name, why)| name.row(why));
    let keys = lane.failed_keys.iter().map(|(handle, why)| json!({ "key_handle": handle.0, "text": why }));
    let left = rest.map(|rest| rest.left.as_slice()).unwrap_or_default();
    json!({
        "copied_users": lane.copied.users,
        "copied_keys": lane.copied.keys,
        "equal": lane.equal,
        "bytes": lane.bytes,
        "failed": users.chain(keys).collect::<Vec<_>>(),
        "left": left.iter().flat_map(Left::rows).collect::<Vec<_>>(),
        "alike": rest.is_some_and(Plan::is_fulfilled),
    })
}
