//! What commands work with: the cluster, the console, and which servers are meant.

use std::rc::Rc;
use std::thread;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::command::Usage;
use super::commands::enable_e2e::print_limited;
use super::password::NextLines;
use super::{Command, Known, Outcome, Tally, Words};
use crate::cluster::{Answer, Cluster, Question, Reconnected, Server};
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::protocol::Operation;
use crate::protocol::message::Round;
use crate::waiting::watched;

/// What becomes of the questions whether to go on with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// They are asked.
    Asked,
    /// They are shown, and answered with yes.
    Taken,
}

/// A console session. It blocks where the cluster waits: a person or a script does one thing at a time.
pub struct Session<'a> {
    /// Where lines come from and text goes.
    pub console: &'a mut dyn Console,
    /// The configured servers.
    pub cluster: Cluster,
    /// In server mode, the server that commands go to.
    pub pinned: Option<usize>,
    /// Raised by Ctrl-C while the cluster waits.
    pub interrupt: Interrupt,
    /// What each server did with the command that runs.
    pub tally: Tally,
    /// What Tab can complete.
    pub known: Known,
    /// What becomes of the questions whether to go on.
    pub caution: Caution,
    /// Of the open files that passwords come from.
    pub(super) next_lines: NextLines,
    runtime: Rc<Runtime>,
}

impl<'a> Session<'a> {
    /// A session in global mode; `runtime` drives the connections.
    pub fn new(
        console: &'a mut dyn Console,
        cluster: Cluster,
        interrupt: Interrupt,
        runtime: Rc<Runtime>,
    ) -> Self {
        Self {
            console,
            cluster,
            pinned: None,
            interrupt,
            tally: Tally::default(),
            known: Known::default(),
            caution: Caution::Asked,
            next_lines: NextLines::default(),
            runtime,
        }
    }

    /// `aws-cloudhsm>`, or in server mode `server0>`.
    #[must_use]
    pub fn prompt(&self) -> String {
        match self.pinned {
            None => "aws-cloudhsm>".to_owned(),
            Some(number) => format!("server{number}>"),
        }
    }

    /// The servers that a command goes to.
    #[must_use]
    pub fn scope(&self) -> Vec<usize> {
        match self.pinned {
            None => self.cluster.everywhere(),
            Some(number) => vec![number],
        }
    }

    /// Asks these servers, in one round, what the command is about.
    pub fn ask<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
        round: Round,
    ) -> Vec<Answer<O::Reply>> {
        let answers = self.watched(async |cluster| cluster.ask(scope, question, round).await);
        for (number, answer) in scope.iter().zip(&answers) {
            self.tally.note::<O>(*number, round, answer);
        }
        answers
    }

    /// Asks these servers what the command needs to know, and is not about.
    pub fn look<O: Operation>(&mut self, scope: &[usize], question: &Question<O>) -> Vec<Answer<O::Reply>> {
        let round = question.perform();
        let answers = self.watched(async |cluster| cluster.ask(scope, question, round).await);
        for (number, answer) in scope.iter().zip(&answers) {
            self.tally.note_failure(*number, answer);
        }
        answers
    }

    /// Completes lines for `known` from now on.
    pub fn complete_for(&mut self, known: Known) {
        known.servers(self.cluster.servers().len());
        self.known = known;
    }

    /// A command begins: it waits for its servers, whatever was interrupted before.
    pub fn begin(&mut self) {
        self.interrupt.clear();
        self.tally.clear();
    }

    /// Runs a command with its arguments, and tells how it ended.
    pub fn run(&mut self, command: &Command, arguments: Words<'_>) -> Outcome {
        match (command.parse)(arguments) {
            Ok(action) => {
                let outcome = action.run(self);
                self.tally.refine(outcome, &self.scope())
            }
            Err(usage) => {
                self.print_usage(command, &usage);
                Outcome::Failed
            }
        }
    }

    /// Reconnects those of these servers that lost their connection, and says what that means.
    pub fn reconnect(&mut self, scope: &[usize]) {
        let lost = self.runtime.block_on(self.cluster.lost(scope));
        if lost.is_empty() {
            return;
        }
        for (number, how) in self.watched(async |cluster| cluster.reconnect(&lost).await) {
            let Some(server) = self.cluster.servers().get(number) else { continue };
            let text = match (how, server.limitation()) {
                (Reconnected::No, _) => continue,
                (Reconnected::Limited, Some(limitation)) => {
                    format!("Reconnected to {server}\n{}", print_limited(server, limitation))
                }
                (Reconnected::Limited, None) | (Reconnected::Trusted { was: None }, _) => {
                    format!("Reconnected to {server}\n")
                }
                (Reconnected::Trusted { was: Some(who) }, _) => format!(
                    "Reconnected to {server}: the login of {who} ended with the lost connection, \
                     use loginHSM again\n"
                ),
            };
            self.console.print(&text);
        }
    }

    /// A server as success and failure lines name it.
    #[must_use]
    pub fn server(&self, number: usize) -> Option<&Server> {
        self.cluster.servers().get(number)
    }

    /// Drives what waits for servers to its end, while the console can say for which.
    pub(super) fn watched<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster) -> T) -> T {
        let (console, pending) = (&mut *self.console, self.cluster.pending());
        let mut names = || pending.names(|number, dial| format!("server {number}({})", dial.name));
        let tell = |waited| console.still_waiting(waited, &mut names);
        self.runtime.block_on(watched(work(&mut self.cluster), tell))
    }

    /// Does what may wait for another program, which `what` names, on a thread of its own; `None` if the operator
    /// interrupts it. The thread is left behind then.
    pub(super) fn apart<T: Send + 'static>(
        &mut self,
        what: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        // Whoever has interrupted it does not want to know.
        thread::spawn(move || sender.send(work()).ok());
        let done = async {
            tokio::select! { done = receiver => done.ok(), () = self.interrupt.raised() => None }
        };
        let tell = |waited| self.console.still_waiting(waited, &mut || vec![what.to_owned()]);
        self.runtime.block_on(watched(done, tell))
    }

    /// Drives a future of the cluster to its end.
    pub fn wait<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster, &mut dyn Console) -> T) -> T {
        self.runtime.block_on(work(&mut self.cluster, self.console))
    }

    /// Says what is wrong with a command's arguments, and what they should be.
    pub fn print_usage(&mut self, command: &Command, usage: &Usage) {
        let text = format!("{0} failed: {usage}\nSyntax: {0} {1}", command.name, command.arguments);
        self.console.print(&format!("{}\n", text.trim_end()));
    }
}
