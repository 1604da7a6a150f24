//! A command that is one lasting change on every server: rehearsed everywhere, then performed.

use super::failure::{Context, print_failure};
use super::read::{prepare, success};
use super::{Outcome, Session};
use crate::cluster::{Answer, Failure, Question};
use crate::console::Input;
use crate::protocol::message::Round;
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
    /// The line that does the same on a server that was left behind.
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

/// The answer to it.
enum Choice {
    Retry,
    Ignore,
    /// Abort or roll back: end the command.
    Stop,
}

/// Where a change has got to.
#[derive(Default)]
struct Progress {
    done: Vec<usize>,
    missing: Vec<usize>,
    unknown: Vec<usize>,
    failed: bool,
}

impl<O: Operation> Change<O> {
    /// Rehearses on every server in scope; performs on all those that could, unless the operator stops.
    pub(super) fn run(self, session: &mut Session<'_>) -> Outcome {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is of one lifetime only"
        )]
        self.run_in(session, |run, scope| run.rehearse(scope))
    }

    /// As [`run`](Self::run), with a change that is complete only once something was signed for the servers that would
    /// make it: so nobody signs for nothing. `complete` gives the whole change, and `None` ends the command.
    pub(super) fn run_completed(
        self,
        session: &mut Session<'_>,
        complete: impl FnOnce(&mut Session<'_>, &[usize]) -> Option<O>,
    ) -> Outcome {
        self.run_in(session, |run, scope| {
            let willing = run.rehearse(scope).filter(|willing| !willing.is_empty())?;
            let completed = complete(run.session, &willing).and_then(|op| prepare(run.session, run.name, op));
            match completed {
                Some(question) => run.question = question,
                None => {
                    run.progress.failed = true;
                    return None;
                }
            }
            run.rehearse(&willing)
        })
    }

    fn run_in(
        self,
        session: &mut Session<'_>,
        rehearse: impl FnOnce(&mut Run<'_, '_, O>, &[usize]) -> Option<Vec<usize>>,
    ) -> Outcome {
        let Self { name, operation, heading, context, choices, again, shown_by, is_so_already } = self;
        let Some(question) = prepare(session, name, operation) else { return Outcome::Failed };
        let scope = session.scope();
        session.reconnect(&scope);
        if let (Some(heading), None) = (heading, session.pinned) {
            session.console.print(&format!("{heading} on {} nodes\n", scope.len()));
        }
        let mut run = Run {
            session,
            name,
            context,
            choices,
            question,
            is_so_already,
            progress: Progress::default(),
            stopped: false,
        };
        if let Some(ready) = rehearse(&mut run, &scope) {
            run.perform(&ready);
        }
        run.print_summary(&again, shown_by);
        if run.progress.failed { Outcome::Failed } else { Outcome::Done }
    }
}

/// A change under way.
struct Run<'a, 'b, O> {
    session: &'a mut Session<'b>,
    name: &'static str,
    context: Context,
    choices: Choices,
    question: Question<O>,
    is_so_already: Option<Refusal>,
    progress: Progress,
    /// The operator answered abort, or cannot be asked: no more questions.
    stopped: bool,
}

impl<O: Operation> Run<'_, '_, O> {
    /// The servers on which the change would succeed; `None` if it is not to be made anywhere.
    fn rehearse(&mut self, scope: &[usize]) -> Option<Vec<usize>> {
        let answers = self.session.ask(scope, &self.question, Round::Rehearse);
        let mut ready = Vec::new();
        for (number, answer) in scope.iter().zip(answers) {
            match self.settle(*number, answer, Round::Rehearse) {
                Ok(_) => ready.push(*number),
                Err((_, Choice::Stop)) => return None,
                Err((Failure::Refused(refusal), _)) if self.is_so_already == Some(refusal) => {}
                Err(_) => self.progress.missing.push(*number),
            }
        }
        Some(ready)
    }

    /// Makes the change; only the network can still fail, so the rest is told even if the operator stops.
    fn perform(&mut self, ready: &[usize]) {
        let round = self.question.perform();
        let answers = self.session.ask(ready, &self.question, round);
        let success = success(self.session, self.name);
        for (number, answer) in ready.iter().zip(answers) {
            match self.settle(*number, answer, round) {
                Ok(_) => {
                    self.progress.done.push(*number);
                    let text = self.session.server(*number).map(&success).unwrap_or_default();
                    self.session.console.print(&text);
                }
                Err((Failure::NoAnswer(_), _)) => self.progress.unknown.push(*number),
                Err(_) => self.progress.missing.push(*number),
            }
        }
    }

    /// Shows a failure and asks what to do, until there is none or the operator has had enough.
    fn settle(
        &mut self,
        number: usize,
        mut answer: Answer<O::Reply>,
        round: Round,
    ) -> Result<Option<O::Reply>, (Failure, Choice)> {
        let mut in_doubt = None;
        loop {
            let failure = match answer {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            print_failure(self.session, self.name, self.context, number, &failure);
            if matches!(failure, Failure::NoAnswer(_)) {
                // Until it answers, nothing else it says ends the doubt: the first call may still be on its way.
                in_doubt = Some(failure.clone());
            }
            match self.choose() {
                Choice::Retry => answer = self.retry(number, round),
                choice => {
                    self.progress.failed = true;
                    return Err((in_doubt.unwrap_or(failure), choice));
                }
            }
        }
    }

    fn retry(&mut self, number: usize, round: Round) -> Answer<O::Reply> {
        self.session.reconnect(&[number]);
        let mut answers = self.session.ask(&[number], &self.question, round);
        answers.pop().unwrap_or_else(|| Err(Failure::NotReached("not asked".to_owned())))
    }

    fn choose(&mut self) -> Choice {
        while !self.stopped && !self.session.interrupt.is_raised() {
            self.session.console.print("\n");
            match self.session.console.answer(self.choices.question()) {
                Input::Given(answer) => match self.choices.choice(answer.trim()) {
                    Some(Choice::Stop) => break,
                    Some(choice) => return choice,
                    None => self.session.console.print(self.choices.complaint()),
                },
                Input::Interrupted | Input::Ended => break,
            }
        }
        self.stopped = true;
        Choice::Stop
    }

    /// Says where the change is, if it is at some servers and not, or perhaps not, at others.
    fn print_summary(&mut self, again: &str, shown_by: &str) {
        let Progress { done, missing, unknown, .. } = &self.progress;
        if done.is_empty() && unknown.is_empty() && self.session.interrupt.is_raised() {
            self.session.console.print("Nothing was changed on any server.\n");
            return;
        }
        if unknown.is_empty() && (done.is_empty() || missing.is_empty()) {
            return;
        }
        let mut text = String::from("\n");
        for (numbers, state) in
            [(done, "is done on"), (missing, "is NOT done on"), (unknown, "may be done on")]
        {
            let names: Vec<_> = numbers.iter().filter_map(|number| self.session.server(*number)).collect();
            if !names.is_empty() {
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                text.push_str(&format!("{} {state} {}\n", self.name, names.join(", ")));
            }
        }
        if self.stopped && !done.is_empty() {
            text.push_str("What is done is not undone.\n");
        }
        if !unknown.is_empty() {
            text.push_str(&format!("Compare with {shown_by} what is there.\n"));
        }
        for number in missing.iter().chain(unknown) {
            text.push_str(&format!("To mend server {number}: server {number}, loginHSM, {again}, exit\n"));
        }
        // A token is good for one login, and whether it was needed is not known here.
        if let Some(service) = O::SERVICE {
            text.push_str(&format!(
                "If approvals are needed, they are needed again: getToken {} and approveToken before {}\n",
                service.number(),
                self.name
            ));
        }
        self.session.console.print(&text);
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
            ("I" | "i", _) => Some(Choice::Ignore),
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
