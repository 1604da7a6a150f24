//! What commands work with: the cluster, the console, and the servers in scope.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::commands::enable_e2e::limited_lines;
use super::password::NextLines;
use super::{COMMANDS, Command, Outcome, Stop, Tally};
use crate::cluster::{Answer, Cluster, Question, Reconnected, Server, Unaskable};
use crate::command::Known;
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::protocol::Operation;
use crate::waiting::watched;

/// How the question whether to continue with a change is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// By the operator.
    Asked,
    /// With yes: `--yes`.
    Taken,
}

/// A console session. It blocks while the cluster waits: a person or a script does one thing at a time.
pub struct Session<'a> {
    /// Where lines come from and text goes.
    pub console: &'a mut dyn Console,
    /// The configured servers.
    pub cluster: Cluster,
    /// In server mode, the number of the server that commands go to.
    pub pinned: Option<usize>,
    /// Raised by Ctrl-C while the cluster waits.
    pub interrupt: Interrupt,
    /// What each server did with the current command.
    pub tally: Tally,
    /// What Tab can complete.
    pub known: Known,
    /// How the question whether to continue with a change is answered.
    pub caution: Caution,
    /// Where the next password begins in each open file.
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

    /// Makes these servers perform the command's operation.
    pub(super) fn perform<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<O::Reply>> {
        let answers = self.watched(async |cluster| cluster.perform(scope, question).await);
        for (number, answer) in scope.iter().zip(&answers) {
            match answer {
                Ok(reply) => self.tally.done::<O>(*number, reply),
                Err(failure) => self.tally.failed(*number, failure),
            }
        }
        answers
    }

    /// Asks these servers whether they would perform the command's operation.
    pub(super) fn rehearse<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<()>> {
        let answers = self.watched(async |cluster| cluster.rehearse(scope, question).await);
        for (number, answer) in scope.iter().zip(&answers) {
            match answer {
                Ok(()) => self.tally.willing(*number),
                Err(failure) => self.tally.failed(*number, failure),
            }
        }
        answers
    }

    /// Queries these servers for information that the command needs; a reply is not the command's result.
    pub(super) fn query<O: Operation>(
        &mut self,
        scope: &[usize],
        question: &Question<O>,
    ) -> Vec<Answer<O::Reply>> {
        let answers = self.watched(async |cluster| cluster.perform(scope, question).await);
        for (number, answer) in scope.iter().zip(&answers) {
            if let Err(failure) = answer {
                self.tally.failed(*number, failure);
            }
        }
        answers
    }

    /// As [`query`](Self::query), page after page.
    pub(super) fn query_pages<O: Operation>(
        &mut self,
        scope: &[usize],
        first: O,
        next: impl Fn(&O::Reply) -> Option<O>,
    ) -> Result<Vec<Answer<Vec<O::Reply>>>, Unaskable> {
        let answers = self.watched(async |cluster| cluster.read_pages(scope, first, next).await)?;
        for (number, answer) in scope.iter().zip(&answers) {
            if let Err(failure) = answer {
                self.tally.failed(*number, failure);
            }
        }
        Ok(answers)
    }

    /// Completes lines with `known` from now on.
    pub fn complete_for(&mut self, known: Known) {
        known.servers(self.cluster.servers().len());
        self.known = known;
    }

    /// Called when a command begins: forgets the previous one, and its interrupt.
    pub fn begin(&mut self) {
        self.interrupt.clear();
        self.tally.clear();
    }

    /// Runs a command with its arguments, prints the reason of a failure that has not been printed yet, and returns
    /// how the command ended.
    pub fn run(&mut self, command: &Command, arguments: &str) -> Outcome {
        let stop = match COMMANDS.read(command, arguments) {
            Ok(action) => action.run(self).err(),
            Err(usage) => {
                let (name, syntax) = (command.name, command.syntax());
                self.console.print(&format!("{name} failed: {usage}\nSyntax: {syntax}\n"));
                return Outcome::Failed;
            }
        };
        let Some(stop) = stop else { return Outcome::Done };
        self.console.print(&stop.text(command.name));
        self.tally.refine(stop.outcome(), &self.scope())
    }

    /// Reconnects to the servers among these that lost their connection, and prints who has to log in again.
    pub fn reconnect(&mut self, scope: &[usize]) {
        let lost = self.runtime.block_on(self.cluster.lost(scope));
        if lost.is_empty() {
            return;
        }
        for (number, how) in self.watched(async |cluster| cluster.reconnect(&lost).await) {
            let text = self.server(number).and_then(|server| reconnected_lines(server, how));
            self.console.print(&text.unwrap_or_default());
        }
    }

    /// A server as success and failure lines name it.
    #[must_use]
    pub fn server(&self, number: usize) -> Option<&Server> {
        self.cluster.servers().get(number)
    }

    /// The server for a failure line; `None` in server mode, where the prompt names it.
    pub(super) fn place(&self, number: usize) -> Option<&Server> {
        if self.pinned.is_some() { None } else { self.server(number) }
    }

    /// Runs work on the cluster to its end; meanwhile the console can show which servers it waits for.
    pub(super) fn watched<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster) -> T) -> T {
        let Parts { console, cluster, driver, .. } = self.parts();
        driver.drive(&RefCell::new(console), cluster, work)
    }

    /// As [`watched`](Self::watched), and the console shows `status` of the time so far in the place of servers.
    pub(super) fn counted<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Cluster) -> T,
        status: impl Fn(Duration) -> String,
    ) -> T {
        let Parts { console, cluster, driver, .. } = self.parts();
        let report = |waited| console.still_waiting(waited, &mut || vec![status(waited)]);
        driver.0.block_on(watched(work(cluster), report))
    }

    /// The parts of the session that a change borrows at the same time.
    pub(super) fn parts(&mut self) -> Parts<'_> {
        Parts {
            console: &mut *self.console,
            cluster: &mut self.cluster,
            tally: &mut self.tally,
            interrupt: &self.interrupt,
            driver: Driver(&self.runtime),
        }
    }

    /// Runs work that may wait for another program on a separate thread; `what` names what it waits for. `None` if the
    /// operator interrupts it.
    pub(super) fn on_a_thread<T: Send + 'static>(
        &mut self,
        what: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        // Nothing can stop a thread that blocks in a read: after an interrupt it is left to end by itself, and
        // sending fails.
        thread::spawn(move || sender.send(work()).ok());
        let done = async {
            tokio::select! { done = receiver => done.ok(), () = self.interrupt.raised() => None }
        };
        let report = |waited| self.console.still_waiting(waited, &mut || vec![what.to_owned()]);
        self.runtime.block_on(watched(done, report))
    }

    /// Runs work on the cluster and the console to its end.
    pub fn wait<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster, &mut dyn Console) -> T) -> T {
        self.runtime.block_on(work(&mut self.cluster, self.console))
    }
}

/// Separate borrows of the parts of a session.
pub(super) struct Parts<'a> {
    pub(super) console: &'a mut dyn Console,
    pub(super) cluster: &'a mut Cluster,
    pub(super) tally: &'a mut Tally,
    pub(super) interrupt: &'a Interrupt,
    pub(super) driver: Driver<'a>,
}

/// The runtime that drives the connections.
pub(super) struct Driver<'a>(&'a Runtime);

impl Driver<'_> {
    /// Runs the work to its end. `work` may borrow the console, too, but not across an `await`, where the report
    /// borrows it.
    pub(super) fn drive<T>(
        &self,
        console: &RefCell<&mut dyn Console>,
        cluster: &mut Cluster,
        work: impl AsyncFnOnce(&mut Cluster) -> T,
    ) -> T {
        let pending = cluster.pending();
        let mut names = || pending.names(|number, dial| format!("server {number}({})", dial.name));
        let report = |_| console.borrow_mut().still_waiting(pending.waited(), &mut names);
        self.0.block_on(watched(work(cluster), report))
    }
}

/// The failure of a command that names a server which the configuration does not have.
pub(super) fn no_such_server(session: &Session<'_>, number: usize) -> Stop {
    let last = session.cluster.servers().len().saturating_sub(1);
    Stop::failed(format!("there is no server {number}; servers are numbered 0 to {last}"))
}

/// The lines about a new connection; `None` if there is no connection, which the command itself reports.
pub(super) fn reconnected_lines(server: &Server, how: Reconnected) -> Option<String> {
    Some(match (how, server.limitation()) {
        (Reconnected::No, _) => return None,
        (Reconnected::Limited, Some(limitation)) => {
            format!("Reconnected to {server}\n{}", limited_lines(server, limitation))
        }
        (Reconnected::Limited, None) | (Reconnected::Trusted { was: None }, _) => {
            format!("Reconnected to {server}\n")
        }
        (Reconnected::Trusted { was: Some(who) }, _) => {
            format!("Reconnected to {server}: {who} is no longer logged in; use loginHSM again\n")
        }
    })
}
