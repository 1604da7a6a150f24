//! Every fault, on every server, in both rounds of a change: the other servers' answers are whole and in order,
//! it is over within the limits, and asking again under the same id does nothing twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "faults/doors.rs"]
mod doors;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use cloudhsm::cluster::{Answer, Choice, Cluster, Failure, Opened, Question, Server, Supervisor};
use cloudhsm::hsmd::faults::Fault;
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, CreateUser, ListUsers, UserId, UserType};
use cloudhsm::protocol::{Refusal, Secret};
use cloudhsm::wire::Limits;
use common::{SHORT, TestCluster};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const EVERYWHERE: [usize; 3] = [0, 1, 2];
const PASSWORD: &str = "newpassword1";

/// In which of the two rounds a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Rehearse,
    Perform,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_costs_the_faulty_server_only_in_either_round() {
    let cluster = faulty_cluster().await;
    let mut console = officer(&cluster).await;
    let mut users = 3;
    for fault in Fault::ANY_CALL.into_iter().filter(|fault| *fault != Fault::Dies) {
        for faulty in EVERYWHERE {
            for round in [Round::Rehearse, Round::Perform] {
                users += 1;
                try_one(&cluster, &mut console, fault, faulty, round, users).await;
            }
        }
    }
}

/// One fault, at one server, in one round of creating one user; afterwards all is well again.
async fn try_one(
    cluster: &TestCluster,
    console: &mut Cluster,
    fault: Fault,
    faulty: usize,
    round: Round,
    user: u32,
) {
    let what = format!("{fault:?} on server {faulty} in {round:?}");
    let question = create_user(user);
    cluster.relays[faulty].fail_after(usize::from(round == Round::Perform), fault);
    let began = Instant::now();
    let rehearsed = console.rehearse(&EVERYWHERE, &question).await;
    match round {
        Round::Rehearse => {
            check(&rehearsed, &[(); 3], faulty, fault, round, &what);
            log_in(console).await;
        }
        Round::Perform => assert_eq!(rehearsed, [Ok(()), Ok(()), Ok(())], "{what}"),
    }
    let performed = console.perform(&EVERYWHERE, &question).await;
    assert!(began.elapsed() < limit(), "{what}: {:?}", began.elapsed());
    if round == Round::Perform {
        check(&performed, &[UserId(user - 1); 3], faulty, fault, round, &what);
    }
    log_in(console).await;
    let again = console.perform(&EVERYWHERE, &question).await;
    assert_eq!(again, vec![Ok(UserId(user - 1)); 3], "{what}: asked again");
    assert_eq!(count_users(console).await, [user as usize - 1; 3], "{what}");
}

/// Three answers in order: the two good servers', and the faulty one's failure.
fn check<R: PartialEq + Debug>(
    answers: &[Answer<R>],
    good: &[R],
    faulty: usize,
    fault: Fault,
    round: Round,
    what: &str,
) {
    assert_eq!(answers.len(), 3, "{what}");
    for (number, answer) in answers.iter().enumerate() {
        if number != faulty || fault == Fault::Trickles {
            assert_eq!(answer.as_ref(), Ok(&good[number]), "{what}: server {number}");
            continue;
        }
        match (answer, round) {
            (Err(Failure::NoAnswer(_)), Round::Perform) => {}
            (Err(Failure::NotReached(_)), Round::Rehearse) => {}
            (Err(Failure::NotReached(_)), Round::Perform) if fault == Fault::ClosesBefore => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// The rule of a change, without a console: what was decided about the faulty server is where the users are.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_on_every_server_or_where_the_supervisor_let_it_be() {
    let cluster = faulty_cluster().await;
    let mut console = officer(&cluster).await;
    let mut users = [2; 3];
    let faults = [Fault::Stalls, Fault::ClosesWithin, Fault::Garbage, Fault::WrongReply];
    for (user, (fault, faulty)) in faults.into_iter().zip(EVERYWHERE.into_iter().cycle()).enumerate() {
        for (round, choice) in [
            (Round::Rehearse, Choice::Stop),
            (Round::Rehearse, Choice::Veto),
            (Round::Rehearse, Choice::Retry),
            (Round::Rehearse, Choice::LeaveOut),
            (Round::Perform, Choice::Stop),
            (Round::Perform, Choice::Retry),
        ] {
            let what = format!("{fault:?} on server {faulty} in {round:?}, {choice:?}");
            let question = named(&format!("{choice:?}_{round:?}_{user}"));
            cluster.relays[faulty].fail_after(usize::from(round == Round::Perform), fault);
            let mut failures = Vec::new();
            let mut supervisor = |server: &Server, failure: &Failure| {
                failures.push((server.number(), failure.clone()));
                // A new connection has no login, so asking again is refused; that ends the retries.
                if matches!(failure, Failure::Refused(_)) { Choice::LeaveOut } else { choice }
            };
            let changed = console.change(&EVERYWHERE, &question, &mut supervisor).await;
            log_in(&mut console).await;
            assert_eq!(failures[0].0, faulty, "{what}: {failures:?}");
            let others: Vec<usize> = EVERYWHERE.into_iter().filter(|number| *number != faulty).collect();
            let missing: Vec<usize> = changed.missing.iter().map(|(number, _)| *number).collect();
            match (round, choice) {
                (Round::Rehearse, Choice::Stop | Choice::Veto) => {
                    assert_eq!((changed.done.as_slice(), missing.as_slice()), (&[][..], &[][..]), "{what}");
                }
                (Round::Rehearse, Choice::LeaveOut | Choice::Retry) => {
                    assert_eq!((changed.done.as_slice(), missing), (&others[..], vec![faulty]), "{what}");
                }
                // An HSM that has made the change answers under its id as it did then, also without a login.
                (Round::Perform, Choice::Retry) if changed.unknown.is_empty() => {
                    assert_eq!(changed.done, EVERYWHERE, "{what}");
                }
                // It was asked to make the change: whatever it says later, the first call may still be on its way.
                (Round::Perform, _) => {
                    assert_eq!(
                        (changed.done.as_slice(), changed.unknown),
                        (&others[..], vec![faulty]),
                        "{what}"
                    );
                }
            }
            changed.done.iter().for_each(|number| users[*number] += 1);
            let counts = count_users(&mut console).await;
            if round == Round::Perform && !changed.done.contains(&faulty) {
                // What was in doubt is known by looking.
                assert!((users[faulty]..=users[faulty] + 1).contains(&counts[faulty]), "{what}: {counts:?}");
                users[faulty] = counts[faulty];
            }
            assert_eq!(counts, users, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_waiting_and_keeps_what_was_answered() {
    let cluster = faulty_cluster().await;
    let interrupt = Interrupt::default();
    let mut console = cluster.console(&interrupt);
    console.open(&EVERYWHERE, |_| (), |_, _| ()).await;
    cluster.relays[1].fail_after(0, Fault::Stalls);
    let pending = console.pending();
    let question = Question::new(ListUsers).unwrap();
    let began = Instant::now();
    let raise = async {
        while pending.names(|number, _| number.to_string()) != ["1"] {
            assert!(began.elapsed() < SHORT.call, "server 1 alone is never waited for");
            sleep(Duration::from_millis(5)).await;
        }
        interrupt.raise();
    };
    let (answers, ()) = tokio::join!(console.perform(&EVERYWHERE, &question), raise);
    assert!(began.elapsed() < SHORT.call);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1], Err(Failure::Interrupted));
}

/// As while syncHSM copies: what is under way is awaited.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_only_the_calls_that_obey_it() {
    let cluster = TestCluster::start(1).await;
    let interrupt = Interrupt::default();
    let mut console = cluster.console(&interrupt);
    console.open(&[0], |_| (), |_, _| ()).await;
    interrupt.raise();
    let obeyed = console.obey(Interrupt::default());
    assert_eq!(count_users(&mut console).await, [2]);
    console.obey(obeyed);
    let question = Question::new(ListUsers).unwrap();
    assert_eq!(console.perform(&[0], &question).await, [Err(Failure::Interrupted)]);
}

/// Only what is performed counts wrong passwords; a change that is refused must be refused before any server makes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_compares_passwords_for_changes_and_not_for_logins() {
    let cluster = faulty_cluster().await;
    let mut console = officer(&cluster).await;
    let password = Secret::new("wrongpassword".to_owned());
    let login = Login { user_type: UserType::Co, name: "admin".to_owned(), password, second_factor: None };
    assert_eq!(console.rehearse(&[0], &Question::new(login).unwrap()).await, [Ok(())]);
    console.perform(&[0], &create_user(1)).await[0].clone().unwrap();
    let again = console.rehearse(&EVERYWHERE, &create_user(1)).await;
    assert_eq!(again, [Err(Failure::Refused(Refusal::CreatedAlready)), Ok(()), Ok(())]);
}

/// Hears who agreed; retries.
#[derive(Default)]
struct Listener {
    agreed: BTreeMap<usize, bool>,
    failed: usize,
}

impl Supervisor<ListUsers> for Listener {
    fn failed(&mut self, server: &Server, _failure: &Failure) -> Choice {
        assert_eq!(self.agreed.get(&server.number()), Some(&false));
        self.failed += 1;
        Choice::Retry
    }

    fn rehearsed(&mut self, server: &Server, answer: Result<(), &Failure>) {
        self.agreed.insert(server.number(), answer.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_agrees_when_asked_again_is_heard() {
    let cluster = faulty_cluster().await;
    let mut console = officer(&cluster).await;
    cluster.relays[1].fail_after(0, Fault::ClosesBefore);
    let mut listener = Listener::default();
    let agreement = console.agree(&EVERYWHERE, &Question::new(ListUsers).unwrap(), &mut listener).await;
    assert_eq!((agreement.willing(), listener.failed), (&EVERYWHERE[..], 1));
    assert_eq!(listener.agreed, BTreeMap::from(EVERYWHERE.map(|number| (number, true))));
}

/// Its sockets are looked at only while it waits; another runtime closes them.
#[test]
fn a_console_of_one_thread_sees_that_a_connection_is_gone_and_the_login_with_it() {
    let others = Runtime::new().unwrap();
    let own = Builder::new_current_thread().enable_all().build().unwrap();
    let mut cluster = others.block_on(TestCluster::start(1));
    let mut console = own.block_on(officer(&cluster));
    others.block_on(cluster.restart(0));
    assert_eq!(own.block_on(console.lost(&[0])), [0]);
    assert!(!console.servers()[0].is_connected());
    assert!(console.servers()[0].login().is_some(), "who has to log in again");
    assert_eq!(own.block_on(console.reconnect(&[0])).len(), 1);
    assert!(console.servers()[0].is_connected() && console.servers()[0].login().is_none());
}

/// A login that takes seconds of hashing; meanwhile the same HSM serves others.
#[tokio::test(flavor = "multi_thread")]
async fn hashing_a_password_does_not_hold_up_other_sessions() {
    let cost = HashCost { memory_kib: 64 * 1024, iterations: 30, parallelism: 1 };
    let cluster = TestCluster::start_with(1, cost).await;
    let limits = Limits { call: Duration::from_secs(300), ..Limits::default() };
    let patient = || Cluster::new(cluster.dials(), limits, Interrupt::default());
    let (mut busy, mut other) = (patient(), patient());
    for console in [&mut busy, &mut other] {
        console.open(&[0], |_| (), |_, _| ()).await;
    }
    let password = Secret::new("password".to_owned());
    let login = Login { user_type: UserType::PreCo, name: "admin".to_owned(), password, second_factor: None };
    let login = Question::new(login).unwrap();
    let logging_in = tokio::spawn(async move { busy.perform(&[0], &login).await });
    let mut listed = 0;
    while !logging_in.is_finished() && listed < 20 {
        assert_eq!(count_users(&mut other).await, [2]);
        listed += 1;
    }
    assert_eq!(listed, 20, "they were served before the login was");
    assert!(!logging_in.is_finished());
    logging_in.await.unwrap()[0].clone().unwrap();
}

/// Whose faults are soon over.
async fn faulty_cluster() -> TestCluster {
    let mut cluster = TestCluster::start(3).await;
    cluster.limits = SHORT;
    cluster
}

async fn officer(cluster: &TestCluster) -> Cluster {
    let mut console = cluster.console(&Interrupt::default());
    let scope = console.everywhere();
    console.open(&scope, |_| (), |_, _| ()).await;
    let secret = |text: &str| Secret::new(text.to_owned());
    let name = || "admin".to_owned();
    let login =
        Login { user_type: UserType::PreCo, name: name(), password: secret("password"), second_factor: None };
    let activate = ChangePassword {
        user_type: UserType::PreCo,
        name: name(),
        password: secret(PASSWORD),
        second_factor: None,
    };
    let login = Question::new(login).unwrap();
    assert!(console.perform(&scope, &login).await.iter().all(Answer::is_ok));
    let activate = Question::new(activate).unwrap();
    assert!(console.perform(&scope, &activate).await.iter().all(Answer::is_ok));
    console
}

/// Reconnects where that is needed, and logs in everywhere.
async fn log_in(console: &mut Cluster) {
    let scope = console.everywhere();
    console.reconnect(&scope).await;
    let password = Secret::new(PASSWORD.to_owned());
    let login = Login { user_type: UserType::Co, name: "admin".to_owned(), password, second_factor: None };
    let login = Question::new(login).unwrap();
    let answers = console.perform(&scope, &login).await;
    assert!(answers.iter().all(Answer::is_ok), "{answers:?}");
}

fn create_user(number: u32) -> Question<CreateUser> {
    named(&format!("user_{number}"))
}

fn named(name: &str) -> Question<CreateUser> {
    let password = Secret::new("password1".to_owned());
    Question::new(CreateUser {
        user_type: UserType::Cu,
        name: name.to_owned(),
        password,
        second_factor: None,
    })
    .unwrap()
}

async fn count_users(console: &mut Cluster) -> Vec<usize> {
    let question = Question::new(ListUsers).unwrap();
    let scope = console.everywhere();
    let answers = console.perform(&scope, &question).await;
    answers.into_iter().map(|answer| answer.unwrap().len()).collect()
}

fn tell(opened: &Opened) -> String {
    match opened {
        Opened::Trusted(_) => "trusted".to_owned(),
        Opened::Limited(..) => "limited".to_owned(),
        Opened::Failed(reason) => reason.clone(),
    }
}

/// What the program promises for a command of two rounds, and as much again for a loaded machine.
fn limit() -> Duration {
    2 * (SHORT.connect + SHORT.handshake + SHORT.hello + 2 * SHORT.call)
}
