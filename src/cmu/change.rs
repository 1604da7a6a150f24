//! A command that makes one lasting change on every server: rehearsed everywhere, then performed.

use std::cell::RefCell;

use serde_json::Value;

use super::failure::{Context, failure_lines, usual_context};
use super::read::success;
use super::session::{Parts, reconnected_lines};
use super::{Session, Stop, Tally};
use crate::cluster::{
    Agreement, Changed, Choice, Cluster, Failure, Question, Reconnected, Server, Supervisor,
};
use crate::console::{Console, Input};
use crate::interrupt::Interrupt;
use crate::protocol::{Operation, Refusal};

/// A change, and the texts about it.
pub(super) struct Change<O> {
    pub(super) name: &'static str,
    pub(super) operation: O,
    /// Printed in global mode, followed by ` on 3 nodes`; not all commands have one.
    pub(super) heading: Option<String>,
    /// Names the server where the command failed.
    pub(super) context: Context,
    /// The question after a failure.
    pub(super) choices: Choices,
    /// The command line that makes the same change on a server that was left out.
    pub(super) again: String,
    /// The command that shows whether a server has the change.
    pub(super) shown_by: &'static str,
    /// The refusals of a server that has the change already: there is nothing to repair there.
    pub(super) already_done: Option<AlreadyDone>,
}

/// The refusals of a server that has the change already.
#[derive(Clone, Copy)]
pub(super) struct AlreadyDone {
    /// Another command made it, perhaps with another password.
    pub(super) by_another: Refusal,
    /// An equal command made it. In server mode that is a success, as it is the repair of a change that was in doubt; to
    /// repeat a command on all servers fails, as in the original.
    pub(super) by_this: Refusal,
}

impl AlreadyDone {
    fn is(self, refusal: Refusal) -> bool {
        refusal == self.by_another || refusal.is_of_repetition()
    }
}

/// The question after a failure, and its answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Choices {
    /// `Retry/Ignore/Abort?(R/I/A):`
    RetryIgnoreAbort,
    /// `Retry/rollBack/Ignore?(R/B/I):`
    RetryRollBackIgnore,
}

impl<O: Operation> Change<O> {
    /// A change with the texts that most commands use.
    pub(super) fn new(name: &'static str, operation: O, again: String, shown_by: &'static str) -> Self {
        Self {
            name,
            operation,
            heading: None,
            context: usual_context,
            choices: Choices::RetryIgnoreAbort,
            again,
            shown_by,
            already_done: None,
        }
    }

    /// Rehearses on every server in scope, then performs on those that agreed, unless the operator stops.
    pub(super) fn run(self, session: &mut Session<'_>) -> Result<(), Stop> {
        let (mut run, operation, scope) = self.begin(session);
        let question = Question::new(operation)?;
        run.start(scope.len());
        let changed =
            run.with(async |cluster, questioner| cluster.change(&scope, &question, questioner).await);
        run.finish::<O>(&changed)
    }

    /// As [`run`](Self::run), for a change that needs signatures for the servers that make it. `complete` has them
    /// made and returns the complete change.
    pub(super) fn run_completed(
        self,
        session: &mut Session<'_>,
        complete: impl FnOnce(&mut Session<'_>, &[usize]) -> Result<O, Stop>,
    ) -> Result<(), Stop> {
        let (mut run, operation, scope) = self.begin(session);
        let question = Question::new(operation)?;
        run.start(scope.len());
        // Rehearsed before anybody signs, so that nobody signs for a change that is refused.
        let incomplete = run.agree(&scope, &question);
        if incomplete.willing().is_empty() {
            return run.finish::<O>(&Changed::default());
        }
        let completed = complete(run.session, incomplete.willing()).and_then(|op| Ok(Question::new(op)?));
        let question = completed.map_err(|stop| run.explain(stop))?;
        // Rehearsed again: signing takes a person minutes, and the signatures themselves may be refused.
        let agreement = run.agree(incomplete.willing(), &question).after(incomplete);
        let changed =
            run.with(async |cluster, questioner| cluster.carry_out(agreement, &question, questioner).await);
        run.finish::<O>(&changed)
    }

    fn begin<'a, 'b>(self, session: &'a mut Session<'b>) -> (Run<'a, 'b>, O, Vec<usize>) {
        let Self { name, operation, heading, context, choices, again, shown_by, already_done } = self;
        let scope = session.scope();
        let run = Run {
            session,
            name,
            heading,
            context,
            again,
            shown_by,
            already_done,
            asking: Asking { choices, is_stopped: false, has_failed: false },
        };
        (run, operation, scope)
    }
}

/// A change under way.
struct Run<'a, 'b> {
    session: &'a mut Session<'b>,
    name: &'static str,
    heading: Option<String>,
    context: Context,
    again: String,
    shown_by: &'static str,
    already_done: Option<AlreadyDone>,
    asking: Asking,
}

/// The questions after failures, and how they were answered so far.
struct Asking {
    choices: Choices,
    /// The operator has aborted, or cannot answer: no more questions are asked.
    is_stopped: bool,
    has_failed: bool,
}

impl Run<'_, '_> {
    fn start(&mut self, nodes: usize) {
        let scope = self.session.scope();
        self.session.reconnect(&scope);
        if let (Some(heading), None) = (&self.heading, self.session.pinned) {
            self.session.console.print(&format!("{heading} on {nodes} nodes\n"));
        }
    }

    fn agree<O: Operation>(&mut self, scope: &[usize], question: &Question<O>) -> Agreement {
        self.with(async |cluster, questioner| cluster.agree(scope, question, questioner).await)
    }

    /// Runs the work on the cluster; the operator decides about failures.
    fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster, &mut Questioner<'_, '_>) -> T) -> T {
        let success = success(self.session, self.name);
        let is_pinned = self.session.pinned.is_some();
        let Parts { console, cluster, tally, interrupt, driver } = self.session.parts();
        // Two use the console while the work runs: the operator's questions, and the report of servers that keep it
        // waiting.
        let console = RefCell::new(console);
        let mut questioner = Questioner {
            console: &console,
            tally,
            interrupt,
            name: self.name,
            context: self.context,
            success: &success,
            is_pinned,
            already_done: self.already_done,
            asking: &mut self.asking,
        };
        driver.drive(&console, cluster, async |cluster| work(cluster, &mut questioner).await)
    }

    /// Adds, after an interrupt, that nothing was changed: the operator could not know.
    fn explain(&self, stop: Stop) -> Stop {
        match self.session.interrupt.is_raised() {
            true => stop.with_hint(NOTHING_CHANGED),
            false => stop,
        }
    }

    /// Reports which servers made the change, if not all did, or if some may have.
    fn finish<O: Operation>(&mut self, changed: &Changed) -> Result<(), Stop> {
        let missing: Vec<usize> = changed
            .missing
            .iter()
            .filter(|(_, failure)| {
                !matches!(failure, Failure::Refused(refusal) if self.already_done.is_some_and(|already| already.is(*refusal)))
            })
            .map(|(number, _)| *number)
            .collect();
        let Changed { done, unknown, .. } = changed;
        if done.is_empty() && unknown.is_empty() && self.session.interrupt.is_raised() {
            self.session.console.print(&format!("{NOTHING_CHANGED}\n"));
        } else if !unknown.is_empty() || !(done.is_empty() || missing.is_empty()) {
            let text = self.summary::<O>(done, &missing, unknown);
            self.session.console.print(&text);
        }
        if self.asking.has_failed { Err(Stop::Servers) } else { Ok(()) }
    }

    fn summary<O: Operation>(&self, done: &[usize], missing: &[usize], unknown: &[usize]) -> String {
        let Self { session, name, again, shown_by, .. } = self;
        let mut text = String::from("\n");
        for (numbers, state) in
            [(done, "was done on"), (missing, "was NOT done on"), (unknown, "may have been done on")]
        {
            let names = numbers.iter().filter_map(|number| session.server(*number));
            let names: Vec<_> = names.map(ToString::to_string).collect();
            if !names.is_empty() {
                text.push_str(&format!("{name} {state} {}\n", names.join(", ")));
            }
        }
        if self.asking.is_stopped && !done.is_empty() {
            text.push_str("What was done stays done.\n");
        }
        if !unknown.is_empty() {
            text.push_str(&format!("Use {shown_by} to see what is there.\n"));
        }
        for number in missing.iter().chain(unknown) {
            text.push_str(&format!(
                "To repair server {number}, run: server {number}; loginHSM ...; {again}; exit\n"
            ));
        }
        // A token is valid for one login, and the repair begins with another one. Only the HSM knows whether approvals
        // were needed.
        if let Some(service) = O::SERVICE {
            text.push_str(&format!(
                "If approvals are needed, run getToken {} and approveToken again before {name}\n",
                service.number(),
            ));
        }
        text
    }
}

const NOTHING_CHANGED: &str = "Nothing was changed on any server.";

/// Reports each server's answer, and asks the operator what to do about a failure.
struct Questioner<'a, 'b> {
    console: &'a RefCell<&'b mut dyn Console>,
    tally: &'a mut Tally,
    interrupt: &'a Interrupt,
    name: &'static str,
    context: Context,
    success: &'a dyn Fn(&Server) -> String,
    is_pinned: bool,
    already_done: Option<AlreadyDone>,
    asking: &'a mut Asking,
}

impl<O: Operation> Supervisor<O> for Questioner<'_, '_> {
    fn rehearsed(&mut self, server: &Server, answer: Result<(), &Failure>) {
        match answer {
            Ok(()) => self.tally.willing(server.number()),
            Err(failure) => self.count(server, failure),
        }
    }

    fn done(&mut self, server: &Server, reply: O::Reply) {
        self.tally.done::<O>(server.number(), &reply);
        self.print(&(self.success)(server));
    }

    fn reconnected(&mut self, server: &Server, how: Reconnected) {
        self.print(&reconnected_lines(server, how).unwrap_or_default());
    }

    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self.count(server, failure);
        if self.was_done(failure) {
            self.print(&format!("This server has done this already.\n{}", (self.success)(server)));
            return Choice::LeaveOut;
        }
        let failure = &self.as_shown(failure);
        // In server mode the prompt names the server.
        let place = (!self.is_pinned).then_some(server);
        self.print(&failure_lines(self.name, self.context, place, failure));
        let choice = self.choose();
        self.asking.has_failed |= choice != Choice::Retry;
        choice
    }
}

impl Questioner<'_, '_> {
    fn count(&mut self, server: &Server, failure: &Failure) {
        if self.was_done(failure) {
            self.tally.known(server.number(), Value::Null);
        } else {
            self.tally.failed(server.number(), &self.as_shown(failure));
        }
    }

    /// Whether this is a repair of what was done.
    fn was_done(&self, failure: &Failure) -> bool {
        self.is_pinned
            && matches!((failure, self.already_done), (Failure::Refused(refusal), Some(already)) if *refusal == already.by_this)
    }

    /// Unless this is a repair, who made the change makes no difference.
    fn as_shown(&self, failure: &Failure) -> Failure {
        match (failure, self.already_done) {
            (Failure::Refused(refusal), Some(already)) if refusal.is_of_repetition() => {
                Failure::Refused(already.by_another)
            }
            _ => failure.clone(),
        }
    }

    fn print(&self, text: &str) {
        self.console.borrow_mut().print(text);
    }

    fn choose(&mut self) -> Choice {
        let choices = self.asking.choices;
        // An interrupt answers this question and all that would follow, but does not skip the report: servers that
        // were asked to perform may have made the change.
        while !self.asking.is_stopped && !self.interrupt.is_raised() {
            self.print("\n");
            let answer = self.console.borrow_mut().answer(choices.question());
            match answer {
                Input::Given(answer) => match choices.choice(answer.trim()) {
                    Some(Choice::Stop) => break,
                    Some(choice) => return choice,
                    None => self.print(choices.complaint()),
                },
                Input::Interrupted | Input::Ended => break,
            }
        }
        self.asking.is_stopped = true;
        Choice::Stop
    }
}

impl Choices {
    fn question(self) -> &'static str {
        match self {
            Self::RetryIgnoreAbort => "Retry/Ignore/Abort?(R/I/A):",
            Self::RetryRollBackIgnore => "Retry/rollBack/Ignore?(R/B/I):",
        }
    }

    fn choice(self, answer: &str) -> Option<Choice> {
        match (answer, self) {
            ("R" | "r", _) => Some(Choice::Retry),
            ("I" | "i", _) => Some(Choice::LeaveOut),
            ("A" | "a", Self::RetryIgnoreAbort) | ("B" | "b", Self::RetryRollBackIgnore) => {
                Some(Choice::Stop)
            }
            _ => None,
        }
    }

    fn complaint(self) -> &'static str {
        match self {
            Self::RetryIgnoreAbort => "Invalid option, please type 'R', 'I' or 'A'\n",
            Self::RetryRollBackIgnore => "Invalid option, please type 'R', 'B' or 'I'\n",
        }
    }
}
