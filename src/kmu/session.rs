//! What commands work with: the cluster, the console, and settings.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{Code, State};
use crate::cluster::{Choice, Cluster, Failure, Question, Reconnected, Server, Supervisor, Unaskable};
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::protocol::key::{DescribeKey, KeyHandle};
use crate::protocol::user::UserType;
use crate::protocol::{Operation, Refusal};
use crate::waiting::watched;

/// The answer of each node of a scope, with the node's number.
pub type Answers<R> = Vec<(usize, Result<R, Failure>)>;

/// A session of this tool. It blocks while the cluster waits: a person or a script does one thing at a time.
pub struct Session<'a> {
    /// Where lines come from and text goes.
    pub console: &'a mut dyn Console,
    /// The HSMs; a node's id is its number.
    pub cluster: Cluster,
    /// The number of nodes that must hold a new token key; with fewer it is deleted again.
    pub minimum_nodes: usize,
    /// The users who may log in.
    pub logins: Logins,
    /// Whose wording findKey has.
    pub build: Build,
    /// Raised by Ctrl-C while the cluster waits.
    pub interrupt: Interrupt,
    runtime: Rc<Runtime>,
}

/// The users who may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logins {
    /// CUs, as in the original.
    CryptoUsers,
    /// COs and the AU, too, for a single command that they may run.
    Everybody,
}

/// A build of the original. Scripts look for the words of one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Build {
    /// The one of the guide.
    #[default]
    A,
    /// A later one.
    B,
}

impl Build {
    /// The build of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "A" => Some(Self::A),
            "B" => Some(Self::B),
            _ => None,
        }
    }
}

impl Logins {
    /// Whether users of this type may log in.
    #[must_use]
    pub fn include(self, user_type: UserType) -> bool {
        match user_type {
            UserType::Cu => true,
            UserType::Co | UserType::Au => self == Self::Everybody,
            UserType::PreCo | UserType::Unknown => false,
        }
    }
}

impl<'a> Session<'a> {
    /// A session; `runtime` drives the connections.
    pub fn new(
        console: &'a mut dyn Console,
        cluster: Cluster,
        minimum_nodes: usize,
        interrupt: Interrupt,
        runtime: Rc<Runtime>,
    ) -> Self {
        let (logins, build) = (Logins::CryptoUsers, Build::default());
        Self { console, cluster, minimum_nodes, logins, build, interrupt, runtime }
    }

    /// Prints a part of the session's text.
    pub fn print(&mut self, text: &str) {
        self.console.print(text);
    }

    /// The numbers of all nodes.
    #[must_use]
    pub fn everywhere(&self) -> Vec<usize> {
        self.cluster.everywhere()
    }

    /// Makes every node of a scope do this.
    pub(super) fn perform<O: Operation>(&mut self, scope: &[usize], operation: O) -> Answers<O::Reply> {
        match Question::new(operation) {
            Ok(question) => self.ask(scope, &question),
            Err(error) => unaskable(scope, &error),
        }
    }

    /// Makes every node of a scope perform a question. A node that gets the same question twice performs it once.
    pub(super) fn ask<O: Operation>(&mut self, scope: &[usize], question: &Question<O>) -> Answers<O::Reply> {
        let answers = self.watched(async |cluster| cluster.perform(scope, question).await);
        scope.iter().copied().zip(answers).collect()
    }

    /// Makes a change on every node of a scope, unless one of them refuses. This tool has no question about a node
    /// that is not reached: the change is made without it, and the status block shows that.
    pub(super) fn change<O: Operation>(
        &mut self,
        scope: &[usize],
        operation: O,
    ) -> Result<Answers<O::Reply>, Refused> {
        let question = match Question::new(operation) {
            Ok(question) => question,
            Err(error) => return Ok(unaskable(scope, &error)),
        };
        let mut collector = Collector::new(scope);
        let agreement = self.watched(async |cluster| cluster.agree(scope, &question, &mut collector).await);
        if collector.is_vetoed {
            return Err(Refused(states(&collector.answers())));
        }
        self.watched(async |cluster| cluster.carry_out(agreement, &question, &mut collector).await);
        Ok(collector.answers())
    }

    /// Asks every node of a scope whether it would do this. A node that is not reached does not count as a refusal.
    pub(super) fn rehearse<O: Operation>(&mut self, scope: &[usize], operation: O) -> Result<(), Refused> {
        let answers = match Question::new(operation) {
            Ok(question) => self.watched(async |cluster| cluster.rehearse(scope, &question).await),
            Err(error) => unaskable(scope, &error).into_iter().map(|(_, answer)| answer).collect(),
        };
        let states = states(&scope.iter().copied().zip(answers).collect());
        let is_refused = states.iter().any(|(_, code)| *code != Code::SUCCESS && !code.is_of_cluster());
        if is_refused { Err(Refused(states)) } else { Ok(()) }
    }

    /// The nodes that have this key and let the user use it.
    pub(super) fn holders(&mut self, handle: KeyHandle) -> Vec<usize> {
        let answers = self.perform(&self.everywhere(), DescribeKey { handle });
        answers.into_iter().filter(|(_, answer)| answer.is_ok()).map(|(node, _)| node).collect()
    }

    /// Waits, unless there is an interrupt.
    pub(super) fn pause(&mut self, time: Duration) {
        let interrupt = self.interrupt.clone();
        // Over when the time is over or when the interrupt comes: either way there is nothing more to wait for.
        let _ = self.runtime.block_on(async { timeout(time, interrupt.raised()).await });
    }

    /// Reconnects to the nodes that lost their connection, and prints who has to log in again.
    pub fn reconnect(&mut self) {
        let scope = self.everywhere();
        for (number, how) in self.watched(async |cluster| cluster.reconnect(&scope).await) {
            if let Reconnected::Trusted { was: Some(who) } = how {
                self.console.print(&super::frame::line(&format!(
                    "Reconnected to node id {number}: {who} is no longer logged in; use loginHSM again"
                )));
            }
        }
    }

    /// Runs work on the cluster to its end; meanwhile the console can show which nodes it waits for.
    fn watched<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster) -> T) -> T {
        let (console, pending) = (&mut *self.console, self.cluster.pending());
        let mut names = || pending.names(|number, dial| format!("node id {number}({})", dial.name));
        let report = |_| console.still_waiting(pending.waited(), &mut names);
        self.runtime.block_on(watched(work(&mut self.cluster), report))
    }

    /// Runs work on the cluster and the console to its end.
    pub fn wait<T>(&mut self, work: impl AsyncFnOnce(&mut Cluster, &mut dyn Console) -> T) -> T {
        self.runtime.block_on(work(&mut self.cluster, self.console))
    }
}

/// A change that was not made because at least one node refused it, with the state of every node.
pub(super) struct Refused(pub(super) Vec<State>);

impl Refused {
    /// The nodes that refused; all of them if the change was interrupted and none did.
    pub(super) fn against(self) -> Vec<State> {
        let is_refusal = |(_, code): &&State| *code != Code::SUCCESS && !code.is_of_cluster();
        let refusals: Vec<State> = self.0.iter().filter(is_refusal).copied().collect();
        if refusals.is_empty() { self.0 } else { refusals }
    }
}

/// Collects the nodes' answers while a change is made.
struct Collector<R> {
    answers: BTreeMap<usize, Result<R, Failure>>,
    is_vetoed: bool,
}

impl<R> Collector<R> {
    /// A node that is never asked keeps this answer: nothing happened there.
    fn new(scope: &[usize]) -> Self {
        let not_asked = || Err(Failure::NotReached("not asked".to_owned()));
        let answers = scope.iter().map(|node| (*node, not_asked())).collect();
        Self { answers, is_vetoed: false }
    }

    fn answers(self) -> Answers<R> {
        self.answers.into_iter().collect()
    }
}

impl<O: Operation> Supervisor<O> for Collector<O::Reply> {
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self.answers.insert(server.number(), Err(failure.clone()));
        match failure {
            // `Veto`, not `Stop`: the status block shows all nodes that refused.
            Failure::Refused(_) | Failure::Interrupted => {
                self.is_vetoed = true;
                Choice::Veto
            }
            Failure::NotReached(_) | Failure::NoAnswer(_) | Failure::Limited => Choice::LeaveOut,
        }
    }

    fn done(&mut self, server: &Server, reply: O::Reply) {
        self.answers.insert(server.number(), Ok(reply));
    }
}

/// The state of every node, whether it answered or not.
pub(super) fn states<R>(answers: &Answers<R>) -> Vec<State> {
    answers.iter().map(|(node, answer)| (*node, Code::of(answer))).collect()
}

/// The result of a question for which one answer is enough.
pub(super) fn answered<R>(answers: &Answers<R>) -> Code {
    let is_answered = answers.iter().any(|(_, answer)| answer.is_ok());
    if is_answered { Code::SUCCESS } else { Code::of_none(&states(answers)) }
}

/// The first reply, or else the most informative refusal; "no such key" is the least informative one.
pub(super) fn first<R>(answers: Answers<R>) -> Result<R, Code> {
    let states = states(&answers);
    let no_key = Code::from(Refusal::InvalidHandle);
    let refused = states.iter().copied().filter(|(_, code)| *code != no_key).collect::<Vec<_>>();
    let unknown = || Code::of_none(&states);
    let known = answers.into_iter().find_map(|(_, answer)| answer.ok());
    known.ok_or_else(|| match Code::of_none(&refused) {
        Code::UNAVAILABLE => unknown(),
        code => code,
    })
}

fn unaskable<R>(scope: &[usize], error: &Unaskable) -> Answers<R> {
    // This tool reports results as codes only, so the error becomes the refusal that is closest to it.
    tracing::debug!(%error, "not asked");
    let refusal = match error {
        Unaskable::TooLong | Unaskable::Unencodable(_) => Refusal::InvalidInput,
        Unaskable::NoRandom => Refusal::OutOfResources,
    };
    scope.iter().map(|number| (*number, Err(Failure::Refused(refusal)))).collect()
}
