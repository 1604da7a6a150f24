//! A command that is one lasting change on every server: rehearsed everywhere, then performed.

use std::cell::RefCell;

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

/// A change with what the original says about it.
pub(super) struct Change<O> {
    /// The command.
    pub(super) name: &'static str,
    /// The change.
    pub(super) operation: O,
    /// Shown in global mode, before ` on 3 nodes`; some commands have none.
    pub(super) heading: Option<String>,
    /// Names the server of a failure.
    pub(super) context: Context,
    /// Asked after a failure.
    pub(super) choices: Choices,
    /// The line that does the same on a server that was left out.
    pub(super) again: String,
    /// The command that shows what a server has.
    pub(super) shown_by: &'static str,
    /// What a server says where nothing is left to do.
    pub(super) is_so_already: Option<Refusal>,
}

/// The question after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Choices {
    /// `Retry/Ignore/Abort?(R/I/A):`
    RetryIgnoreAbort,
    /// `Retry/rollBack/Ignore?(R/B/I):`
    RetryRollBackIgnore,
}

impl<O: Operation> Change<O> {
    /// A change without a heading, as most commands make it.
    pub(super) fn new(name: &'static str, operation: O, again: String, shown_by: &'static str) -> Self {
        Self {
            name,
            operation,
            heading: None,
            context: usual_context,
            choices: Choices::RetryIgnoreAbort,
            again,
            shown_by,
            is_so_already: None,
        }
    }

    /// Rehearses on every server in scope; performs on all those that could, unless the operator stops.
    pub(super) fn run(self, session: &mut Session<'_>) -> Result<(), Stop> {
        let (mut run, operation, scope) = self.begin(session);
        let question = Question::new(operation)?;
        run.start(scope.len());
        let changed = run.with(async |cluster, operator| cluster.change(&scope, &question, operator).await);
        run.finish::<O>(&changed)
    }

    /// As [`run`](Self::run), with a change that is complete only once something was signed for the servers that would
    /// make it: so nobody signs for nothing. `complete` gives the whole change.
    pub(super) fn run_completed(
        self,
        session: &mut Session<'_>,
        complete: impl FnOnce(&mut Session<'_>, &[usize]) -> Result<O, Stop>,
    ) -> Result<(), Stop> {
        let (mut run, operation, scope) = self.begin(session);
        let question = Question::new(operation)?;
        run.start(scope.len());
        let incomplete = run.agree(&scope, &question);
        if incomplete.willing().is_empty() {
            return run.finish::<O>(&Changed::default());
        }
        let completed = complete(run.session, incomplete.willing()).and_then(|op| Ok(Question::new(op)?));
        let question = completed.map_err(|stop| run.explain(stop))?;
        let agreement = run.agree(incomplete.willing(), &question).after(incomplete);
        let changed =
            run.with(async |cluster, operator| cluster.carry_out(agreement, &question, operator).await);
        run.finish::<O>(&changed)
    }

    fn begin<'a, 'b>(self, session: &'a mut Session<'b>) -> (Run<'a, 'b>, O, Vec<usize>) {
        let Self { name, operation, heading, context, choices, again, shown_by, is_so_already } = self;
        let scope = session.scope();
        let run = Run {
            session,
            name,
            heading,
            context,
            again,
            shown_by,
            is_so_already,
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
    is_so_already: Option<Refusal>,
    asking: Asking,
}

/// What was asked after failures so far.
struct Asking {
    choices: Choices,
    /// The operator answered abort, or cannot be asked: no more questions.
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
        self.with(async |cluster, operator| cluster.agree(scope, question, operator).await)
    }

    /// Drives the cluster, and has the operator decide about failures.
    fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster, &mut Operator<'_, '_>) -> T) -> T {
        let success = success(self.session, self.name);
        let is_pinned = self.session.pinned.is_some();
        let Parts { console, cluster, tally, interrupt, driver } = self.session.parts();
        let console = RefCell::new(console);
        let mut operator = Operator {
            console: &console,
            tally,
            interrupt,
            name: self.name,
            context: self.context,
            success: &success,
            is_pinned,
            asking: &mut self.asking,
        };
        driver.drive(&console, cluster, async |cluster| work(cluster, &mut operator).await)
    }

    /// Says of a change that was given up that nothing was changed, if nobody may be sure of that.
    fn explain(&self, stop: Stop) -> Stop {
        match self.session.interrupt.is_raised() {
            true => stop.with_hint(NOTHING_CHANGED),
            false => stop,
        }
    }

    /// Says where the change is, if it is on some servers and not, or perhaps not, on others.
    fn finish<O: Operation>(&mut self, changed: &Changed) -> Result<(), Stop> {
        let missing: Vec<usize> = changed
            .missing
            .iter()
            .filter(|(_, failure)| {
                !matches!(failure, Failure::Refused(refusal) if self.is_so_already == Some(*refusal))
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
        // A token is good for one login, and whether it was needed is not known here.
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

/// Shows how the change goes, and asks the operator what to do about a failure.
struct Operator<'a, 'b> {
    console: &'a RefCell<&'b mut dyn Console>,
    tally: &'a mut Tally,
    interrupt: &'a Interrupt,
    name: &'static str,
    context: Context,
    success: &'a dyn Fn(&Server) -> String,
    is_pinned: bool,
    asking: &'a mut Asking,
}

impl<O: Operation> Supervisor<O> for Operator<'_, '_> {
    fn willing(&mut self, server: &Server) {
        self.tally.willing(server.number());
    }

    fn done(&mut self, server: &Server, reply: O::Reply) {
        self.tally.done::<O>(server.number(), &reply);
        self.print(&(self.success)(server));
    }

    fn reconnected(&mut self, server: &Server, how: Reconnected) {
        self.print(&reconnected_lines(server, how).unwrap_or_default());
    }

    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self.tally.failed(server.number(), failure);
        let place = (!self.is_pinned).then_some(server);
        self.print(&failure_lines(self.name, self.context, place, failure));
        let choice = self.choose();
        self.asking.has_failed |= choice != Choice::Retry;
        choice
    }
}

impl Operator<'_, '_> {
    fn print(&self, text: &str) {
        self.console.borrow_mut().print(text);
    }

    fn choose(&mut self) -> Choice {
        let choices = self.asking.choices;
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
