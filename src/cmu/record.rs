//! The line of `--output json` for one command: one object.

use serde_json::{Value, json};

use super::data::data;
use super::{COMMANDS, Outcome, Row, Session};
use crate::cluster::{Failure, Server};

impl Session<'_> {
    /// Prints the JSON line of a command that has ended. Does nothing in text mode.
    pub fn record(&mut self, command: &str, line: &str, outcome: Outcome) {
        if !self.tally.keeps_replies() {
            return;
        }
        let scope = match self.pinned {
            None => json!("global"),
            Some(number) => json!({ "server": number }),
        };
        let contacts_hsms = COMMANDS.find(command).is_ok_and(|command| command.permission.is_some());
        // A command that contacts HSMs has a row for each server, even if it stopped before it asked any.
        let servers = if contacts_hsms || !self.tally.is_empty() { self.rows() } else { Vec::new() };
        let (line, more) = (COMMANDS.redact(line), self.tally.take_more());
        self.console.record(&mut |text| {
            let ok = matches!(outcome, Outcome::Done | Outcome::Quit);
            // The text for people is left out if the rows contain all of it.
            let is_well = |row: &Value| row.get("outcome").is_some_and(|outcome| outcome == "ok");
            let text = if ok && !servers.is_empty() && servers.iter().all(is_well) { "" } else { text };
            let mut object = json!({
                "command": command,
                "line": line.trim(),
                "scope": scope,
                "ok": ok,
                "outcome": name(outcome),
                "servers": servers,
                "text": text.lines().collect::<Vec<_>>(),
            });
            if let Value::Object(object) = &mut object {
                object.extend(more.clone());
            }
            format!("{object}\n")
        });
    }

    /// Prints a JSON line for the start of a session, if it failed.
    pub fn record_start(&mut self, begins: bool) {
        let row = |server: &Server| {
            let (outcome, text) = match server.is_connected() {
                true => ("ok", ""),
                false => ("not_reached", server.why_down()),
            };
            json!({
                "server": server.number(),
                "name": server.name(),
                "hsm_id": server.hsm_id(),
                "outcome": outcome,
                "text": text,
            })
        };
        let servers: Vec<Value> = self.cluster.servers().iter().map(row).collect();
        self.console.record(&mut |text| {
            let object = json!({
                "command": "start",
                "line": "",
                "scope": "global",
                "ok": false,
                "outcome": "unreached",
                "servers": servers,
                "text": text.lines().collect::<Vec<_>>(),
            });
            if begins { String::new() } else { format!("{object}\n") }
        });
    }

    /// One row for each server that the command asked or should have asked.
    fn rows(&self) -> Vec<Value> {
        let scope = self.scope();
        let is_meant =
            |server: &&Server| scope.contains(&server.number()) || self.tally.row(server.number()).is_some();
        let servers = self.cluster.servers().iter().filter(is_meant);
        servers.map(|server| row(server, self.tally.row(server.number()))).collect()
    }
}

fn row(server: &Server, row: Option<&Row>) -> Value {
    let mut object = json!({ "server": server.number(), "name": server.name(), "hsm_id": server.hsm_id() });
    let more = match row {
        None | Some(Row::NotAttempted) => json!({ "outcome": "not_attempted" }),
        Some(Row::Done(reply)) => {
            json!({ "outcome": "ok", "data": reply.as_ref().map_or(Value::Null, data) })
        }
        Some(Row::Known(data)) => json!({ "outcome": "ok", "data": data }),
        Some(Row::Failed(failure)) => failed(failure),
        Some(Row::Missing(data, why)) => json!({ "outcome": "not_reached", "text": why, "data": data }),
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn failed(failure: &Failure) -> Value {
    let text = failure.to_string();
    match failure {
        Failure::Refused(refusal) => json!({ "outcome": "refused", "code": refusal.code(), "text": text }),
        Failure::NotReached(_) => json!({ "outcome": "not_reached", "text": text }),
        Failure::NoAnswer(_) => json!({ "outcome": "no_answer", "text": text }),
        Failure::Interrupted | Failure::Limited => json!({ "outcome": "not_attempted", "text": text }),
    }
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done | Outcome::Quit => "ok",
        Outcome::Unreached => "unreached",
        Outcome::Failed => "failed",
        Outcome::Partial => "partial",
        Outcome::Different => "different",
    }
}
