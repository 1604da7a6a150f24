//! A user at the library's `Cluster`, with a connection to each HSM, who does what its documentation says to do about
//! failures.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudhsm::cluster::{Choice, Cluster, Dial, Failure, Question, Reconnected, Server, Supervisor};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Operation, Secret};
use cloudhsm::wire::Limits;
use tokio::time::sleep;

use crate::client::PATIENT;
use crate::model::{Said, said};
use crate::world::World;

/// Shorter than the longest SIGSTOP, so that answers get lost, and longer than a busy machine takes.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    handshake: Duration::from_secs(8),
    hello: Duration::from_secs(8),
    call: Duration::from_secs(8),
};

/// How often somebody asks again who got no answer.
const ATTEMPTS: u32 = 60;

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);

pub(crate) struct Desk {
    pub(crate) world: Arc<World>,
    pub(crate) user_type: UserType,
    pub(crate) name: String,
    password: String,
    pub(crate) cluster: Cluster,
    /// The servers where the user is not logged in.
    out: BTreeSet<usize>,
}

impl Desk {
    pub(crate) fn new(
        world: &Arc<World>,
        dials: &[Dial],
        user_type: UserType,
        name: &str,
        password: &str,
    ) -> Self {
        let cluster = Cluster::new(dials.to_vec(), LIMITS, Interrupt::default());
        let out = (0..dials.len()).collect();
        let (name, password) = (name.to_owned(), password.to_owned());
        Self { world: Arc::clone(world), user_type, name, password, cluster, out }
    }

    /// Waits for answers for as long as a busy machine takes.
    pub(crate) fn patient(mut self) -> Self {
        self.cluster.limit_calls(PATIENT.call);
        self
    }

    pub(crate) fn impatient(mut self) -> Self {
        self.cluster.limit_calls(LIMITS.call);
        self
    }

    /// Reconnects and logs in where that is necessary and possible.
    pub(crate) async fn ready(&mut self) {
        let scope = self.cluster.everywhere();
        for (server, how) in self.cluster.reconnect(&scope).await {
            match how {
                Reconnected::Trusted { .. } => drop(self.out.insert(server)),
                Reconnected::No => {}
                Reconnected::Limited => self.wrong(&format!("server {server} has not proved its cluster")),
            }
        }
        let is_connected = |server: &usize| self.cluster.servers()[*server].is_connected();
        let out: Vec<usize> = self.out.iter().copied().filter(is_connected).collect();
        if out.is_empty() {
            return;
        }
        let (user_type, name) = (self.user_type, self.name.clone());
        let login =
            Login { user_type, name, password: Secret::new(self.password.clone()), second_factor: None };
        let answers = self.cluster.perform(&out, &Question::new(login).unwrap()).await;
        for (server, answer) in out.into_iter().zip(answers) {
            match answer.map_err(|failure| (said(&failure), failure)) {
                Ok(()) => {
                    self.out.remove(&server);
                    self.world.figures.count("logins");
                }
                Err((Said::Nothing | Said::Doubt | Said::Silence, _)) => {}
                Err((_, failure)) => self.wrong(&format!("login on server {server}: {failure}")),
            }
        }
    }

    /// Asks all servers for something that changes nothing.
    pub(crate) async fn read<O: Operation>(&mut self, operation: O) -> Vec<Result<O::Reply, Failure>> {
        let scope = self.cluster.everywhere();
        let answers = self.cluster.read(&scope, operation).await.unwrap();
        answers.iter().enumerate().for_each(|(server, answer)| self.note(server, answer));
        answers
    }

    /// Makes one server do something, and asks again until there is an answer.
    pub(crate) async fn perform<O: Operation>(
        &mut self,
        server: usize,
        operation: O,
    ) -> Result<O::Reply, Failure> {
        let question = Question::new(operation).unwrap();
        let began = Instant::now();
        let answer = self.cluster.perform(&[server], &question).await.pop().unwrap();
        self.world.figures.time("a call to one HSM", began.elapsed());
        self.note(server, &answer);
        self.settled(server, answer, &question).await
    }

    /// Makes a change on all servers that agree, and asks those again that do not answer.
    pub(crate) async fn change<O: Operation>(&mut self, operation: O) -> Vec<Result<O::Reply, Failure>> {
        let scope = self.cluster.everywhere();
        let question = Question::new(operation).unwrap();
        let mut answers = Answers(scope.iter().map(|_| None).collect());
        let began = Instant::now();
        self.cluster.change(&scope, &question, &mut answers).await;
        self.world.figures.time("a change of all HSMs, in two rounds", began.elapsed());
        let mut settled = Vec::new();
        for (server, answer) in answers.0.into_iter().enumerate() {
            let answer = answer.unwrap_or_else(|| Err(Failure::NotReached("not asked".to_owned())));
            self.note(server, &answer);
            settled.push(self.settled(server, answer, &question).await);
        }
        settled
    }

    /// Asks the same again, after a lost answer, until the server gives one. Only a success ends the doubt.
    async fn settled<O: Operation>(
        &mut self,
        server: usize,
        answer: Result<O::Reply, Failure>,
        question: &Question<O>,
    ) -> Result<O::Reply, Failure> {
        if !matches!(answer, Err(Failure::NoAnswer(_))) {
            return answer;
        }
        self.world.figures.count("answers lost");
        for _ in 0..ATTEMPTS {
            sleep(BETWEEN_ATTEMPTS).await;
            self.ready().await;
            let Some(again) = self.cluster.perform(&[server], question).await.pop() else { break };
            self.note(server, &again);
            match again.as_ref().map_err(said) {
                Ok(_) => {
                    self.world.figures.count("answers lost, given when asked again");
                    return again;
                }
                Err(Said::Nothing | Said::Doubt | Said::Silence | Said::LoggedOut) => {}
                Err(Said::Absent | Said::Present | Said::Wrong) => break,
            }
        }
        self.world.figures.count("answers lost for good");
        answer
    }

    fn note<R>(&mut self, server: usize, answer: &Result<R, Failure>) {
        let Err(failure) = answer else { return };
        match said(failure) {
            Said::LoggedOut => drop(self.out.insert(server)),
            Said::Wrong => self.wrong(&format!("server {server}: {failure}")),
            Said::Nothing | Said::Doubt | Said::Silence | Said::Absent | Said::Present => {}
        }
        self.world.figures.count(match said(failure) {
            Said::LoggedOut => "refused: logged out by a CO, or by a restart",
            Said::Doubt => "refused: the store has failed",
            Said::Absent => "refused: not there",
            Said::Silence => "no answer",
            Said::Nothing => "not reached, or refused for want of room",
            Said::Present | Said::Wrong => "refused for other reasons",
        });
    }

    pub(crate) fn wrong(&self, what: &str) {
        self.world.figures.wrong(format!("{}: {what}", self.name));
    }
}

/// Leaves out whoever fails, and keeps what each has said last.
struct Answers<R>(Vec<Option<Result<R, Failure>>>);

impl<O: Operation> Supervisor<O> for Answers<O::Reply> {
    fn failed(&mut self, server: &Server, failure: &Failure) -> Choice {
        self.0[server.number()] = Some(Err(failure.clone()));
        Choice::LeaveOut
    }

    fn done(&mut self, server: &Server, reply: O::Reply) {
        self.0[server.number()] = Some(Ok(reply));
    }
}
