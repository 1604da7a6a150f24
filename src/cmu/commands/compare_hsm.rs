//! `compareHSM`

use serde_json::{Value, json};

use crate::cluster::Failure;
use crate::cmu::arguments::{OUTPUT_FILE, SERVER};
use crate::cmu::compare::{Gathered, Left, Name, Part, Plan, differences, gather, plan, rows, servers, text};
use crate::cmu::session::no_such_server;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Given, Permission};
use crate::common::OutputFile;
use crate::protocol::Refusal;
use crate::protocol::compare::PrintKeys;

pub(super) static COMMAND: Command = Command {
    name: "compareHSM",
    arguments: &[SOURCE, OUTPUT_FILE],
    summary: "Show how the users and keys of the HSMs differ",
    description: "\
Compares the users and keys of all servers and shows what is not the same everywhere, and where: users with other
credentials, second factor or registered key, or locked; keys with another owner, sharing, attributes or quorum, or
another key under the same handle. Letters stand for values that are not shown. HSMs of one cluster bring each other's
keys up to date, but not a key that was changed differently on both sides of a cut: it is marked, and stays so until a
person decides, by syncKey or syncHSM. Nothing is changed. With a source server, the command also prints the lines
that make the others like it, owners before their keys, and what they leave to a person; they delete nothing. With an
output file, these lines are written there. Run them with --yes, after loginHSM: a syncUser or syncKey that replaces
something asks first.

Credentials are compared by keyed hashes of their hashes. The key is the clone family's and never leaves an HSM, so
that nobody can try passwords, and HSMs of another family cannot be compared. Passwords that an earlier release has
hashed, or HSMs with another cost, count as different (hashed apart) until they are changed or copied. A CO compares
all users and keys, a CU their own keys. The exit code is 4 if anything differs.",
    example: "compareHSM 0",
    permission: Some(Permission::of::<PrintKeys>()),
    build: |given| {
        let source = given.maybe(&SOURCE, Given::number)?;
        Ok(Box::new(CompareHsm { source, file: given.maybe(&OUTPUT_FILE, OutputFile::parse)? }))
    },
};

const SOURCE: Argument = Argument { name: "source-server", what: "source-server", ..SERVER }.optional();

struct CompareHsm {
    source: Option<usize>,
    file: Option<OutputFile>,
}

impl Action for CompareHsm {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        if session.pinned.is_some() {
            return Err(Stop::failed("in server mode there is only one server; use exit first"));
        }
        let source = self.source;
        if let Some(number) = source.filter(|number| session.server(*number).is_none()) {
            return Err(no_such_server(session, number));
        }
        let scope = session.scope();
        let gathered = gather(session, &scope, source)?;
        let result = compare(session, &gathered);
        if let Some(source) = source {
            let plans = plans(session, &gathered, source)?;
            session.tally.report("plan", || plans.iter().map(Plan::row).collect());
            let text = match self.file {
                // In a file that is run, remarks are comments.
                Some(file) => file.write(&plan_text(source, &plans, "# "))?,
                None => format!("\n{}", plan_text(source, &plans, "")),
            };
            session.console.print(&text);
        }
        result
    }
}

/// Compares all servers, and prints how they differ.
fn compare(session: &mut Session<'_>, gathered: &Gathered) -> Result<(), Stop> {
    let all: Vec<_> = gathered.holdings.iter().collect();
    let differences = differences(&all);
    session.console.print(&text(&differences));
    for (number, failure) in &gathered.missing {
        let place = session.server(*number).map(ToString::to_string).unwrap_or_default();
        let why = match failure {
            Failure::Refused(Refusal::MaskedObjectForeign) => "it belongs to another clone family".to_owned(),
            other => other.to_string(),
        };
        session.console.print(&format!("Not compared: {place}: {why}\n"));
    }
    if gathered.only.is_some() {
        session.console.print("Users and the keys of others were not compared: only a CO can do that.\n");
    }
    session.tally.report("differences", || json!(rows(&differences)));
    for one in &gathered.holdings {
        let users = if one.shows_users() { json!(one.users.len()) } else { Value::Null };
        session.tally.known(one.number, json!({ "compared_users": users, "compared_keys": one.keys.len() }));
    }
    session.console.print(&summary(gathered, differences.len()));
    match (gathered.missing.is_empty(), differences.is_empty()) {
        (false, _) => Err(Stop::Servers),
        (true, false) => Err(Stop::Different),
        (true, true) => Ok(()),
    }
}

fn summary(Gathered { holdings, only, .. }: &Gathered, different: usize) -> String {
    let numbers: Vec<usize> = holdings.iter().map(|one| one.number).collect();
    let Some(first) = holdings.first() else { return "compareHSM: no server was compared\n".to_owned() };
    let place = servers(&numbers);
    if numbers.len() == 1 {
        return format!("compareHSM: there is nothing to compare {place} with\n");
    }
    if different > 0 {
        let verb = if different == 1 { "differs" } else { "differ" };
        return format!(
            "compareHSM: {} {verb} on {place}\n",
            count(different, "user or key", "users and keys")
        );
    }
    let keys = count(first.keys.len(), "key", "keys");
    match only {
        Some(name) => format!("compareHSM: {keys} of {name} {} the same on {place}\n", is(first.keys.len())),
        None => {
            let users = count(first.users.len(), "user", "users");
            format!("compareHSM: {users} and {keys} are the same on {place}\n")
        }
    }
}

fn is(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// What makes the other servers like the source.
fn plans(session: &Session<'_>, gathered: &Gathered, source: usize) -> Result<Vec<Plan>, Stop> {
    let Some(from) = gathered.of(source) else {
        return Err(Stop::failed(format!("server {source}, the source, was not compared")));
    };
    let others = gathered.holdings.iter().filter(|one| one.number != source);
    let planned = others.map(|one| {
        let login = session.server(one.number).and_then(|server| server.login());
        let login = login.map(|who| Name::new(who.user_type, &who.name));
        plan(from, one, &Part::Everything, login.as_ref())
    });
    Ok(planned.collect())
}

/// The lines to run, and remarks on them, each after `mark`.
fn plan_text(source: usize, plans: &[Plan], mark: &str) -> String {
    let mut text =
        format!("{mark}To make the other servers like server {source}, after loginHSM, with --yes:\n");
    let lines: Vec<String> = plans.iter().flat_map(Plan::lines).collect();
    if lines.is_empty() {
        text.push_str(&format!("{mark}There is nothing to copy.\n"));
    } else {
        text.push_str(&format!("server {source}\n{}\nexit\n", lines.join("\n")));
    }
    for plan in plans {
        for Left { what, why } in &plan.left {
            text.push_str(&format!("{mark}Left on server {}: {}: {why}\n", plan.destination, what.text()));
        }
    }
    text
}
