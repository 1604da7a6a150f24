//! Every fault, on every server, in both rounds of a change: the other servers' answers are whole and in order,
//! it is over within the limits, and asking again under the same id does nothing twice.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use cloudhsm::cluster::{Answer, Cluster, Failure, Opened, Question, proven_users};
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::message::Round;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, CreateUser, ListUsers, UserId, UserType};
use cloudhsm::wire::Limits;
use common::relay::{Door, FAULTS, Fault};
use common::{SHORT, TestCluster};
use tokio::time::sleep;

const EVERYWHERE: [usize; 3] = [0, 1, 2];
const PASSWORD: &str = "newpassword1";

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_costs_the_faulty_server_only_in_either_round() {
    let cluster = faulty_cluster().await;
    let mut console = officer(&cluster).await;
    let mut users = 3;
    for fault in FAULTS.into_iter().filter(|fault| *fault != Fault::Dies) {
        for faulty in EVERYWHERE {
            for round in [Round::Rehearse, create_user(0).perform()] {
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
    let is_rehearsal = round == Round::Rehearse;
    cluster.relays[faulty].fail_after(usize::from(!is_rehearsal), fault);
    let began = Instant::now();
    let rehearsed = console.ask(&EVERYWHERE, &question, Round::Rehearse).await;
    if is_rehearsal {
        check(&rehearsed, &[None; 3], faulty, fault, false, &what);
        log_in(console).await;
    } else {
        assert!(rehearsed.iter().all(|answer| *answer == Ok(None)), "{what}: {rehearsed:?}");
    }
    let performed = console.ask(&EVERYWHERE, &question, question.perform()).await;
    assert!(began.elapsed() < limit(), "{what}: {:?}", began.elapsed());
    if !is_rehearsal {
        check(&performed, &[Some(UserId(user - 1)); 3], faulty, fault, true, &what);
    }
    log_in(console).await;
    let again = console.ask(&EVERYWHERE, &question, question.perform()).await;
    assert_eq!(again, vec![Ok(Some(UserId(user - 1))); 3], "{what}: asked again");
    assert_eq!(count_users(console).await, [user as usize - 1; 3], "{what}");
}

/// Three answers in order: the two good servers', and the faulty one's failure.
fn check(
    answers: &[Answer<UserId>],
    good: &[Option<UserId>],
    faulty: usize,
    fault: Fault,
    is_in_doubt: bool,
    what: &str,
) {
    assert_eq!(answers.len(), 3, "{what}");
    for (number, answer) in answers.iter().enumerate() {
        if number != faulty || fault == Fault::Trickles {
            assert_eq!(*answer, Ok(good[number]), "{what}: server {number}");
            continue;
        }
        match answer {
            Err(Failure::NoAnswer(_)) if is_in_doubt => {}
            Err(Failure::NotReached(_)) if !is_in_doubt || fault == Fault::ClosesBefore => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_door_costs_its_server_only_and_is_named() {
    let mut cluster = faulty_cluster().await;
    for (door, expected) in [
        (Door::Refuses, "Connection refused"),
        (Door::StallsInHandshake, "Connection timed out (TLS handshake not done within 2s)"),
        (Door::SpeaksNoTls, "the TLS handshake failed (the answer was not TLS)"),
        (Door::WrongCertificate, "limited"),
    ] {
        for faulty in EVERYWHERE {
            cluster.relays[faulty].set_door(door).await;
            let mut console = cluster.console(&Interrupt::default());
            let began = Instant::now();
            let mut seen = Vec::new();
            console.open(&EVERYWHERE, |_| (), |_, opened| seen.push(tell(opened))).await;
            assert!(began.elapsed() < limit(), "{door:?} on server {faulty}");
            let mut wanted = ["trusted"; 3];
            wanted[faulty] = expected;
            assert_eq!(seen, wanted, "{door:?} on server {faulty}");
            cluster.relays[faulty].set_door(Door::Open).await;
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
    let raise = async {
        while pending.names(|number, _| number.to_string()) != ["1"] {
            sleep(Duration::from_millis(5)).await;
        }
        interrupt.raise();
    };
    let question = Question::new(ListUsers).unwrap();
    let began = Instant::now();
    let (answers, ()) = tokio::join!(console.ask(&EVERYWHERE, &question, question.perform()), raise);
    assert!(began.elapsed() < SHORT.call);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1], Err(Failure::Interrupted));
}

/// What is asked for Tab: no server holds up the others, and none that proves nothing is listened to.
#[tokio::test(flavor = "multi_thread")]
async fn users_are_known_of_every_server_that_proves_itself_and_answers_in_time() {
    let mut cluster = faulty_cluster().await;
    let dials = cluster.dials();
    let counts = async || {
        let began = Instant::now();
        let lists = proven_users(&dials, SHORT.connect).await;
        assert!(began.elapsed() < 2 * SHORT.connect, "{:?}", began.elapsed());
        lists.into_iter().map(|list| list.map(|users| users.len())).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [Some(2); 3]);
    let all_but = |faulty: usize| EVERYWHERE.map(|number| (number != faulty).then_some(2));
    let doors = [Door::Refuses, Door::StallsInHandshake, Door::SpeaksNoTls, Door::WrongCertificate];
    for (door, faulty) in doors.into_iter().zip(EVERYWHERE.into_iter().cycle()) {
        cluster.relays[faulty].set_door(door).await;
        assert_eq!(counts().await, all_but(faulty), "{door:?} on server {faulty}");
        cluster.relays[faulty].set_door(Door::Open).await;
    }
    let faults = [Fault::ClosesWithin, Fault::Garbage, Fault::WrongReply, Fault::Stalls];
    for (fault, faulty) in faults.into_iter().zip(EVERYWHERE.into_iter().cycle()) {
        cluster.relays[faulty].fail_after(0, fault);
        assert_eq!(counts().await, all_but(faulty), "{fault:?} on server {faulty}");
    }
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
    let logging_in = tokio::spawn(async move { busy.ask(&[0], &login, login.perform()).await });
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
    assert!(console.ask(&scope, &login, login.perform()).await.iter().all(Answer::is_ok));
    let activate = Question::new(activate).unwrap();
    assert!(console.ask(&scope, &activate, activate.perform()).await.iter().all(Answer::is_ok));
    console
}

/// Reconnects where that is needed, and logs in everywhere.
async fn log_in(console: &mut Cluster) {
    let scope = console.everywhere();
    console.reconnect(&scope).await;
    let password = Secret::new(PASSWORD.to_owned());
    let login = Login { user_type: UserType::Co, name: "admin".to_owned(), password, second_factor: None };
    let login = Question::new(login).unwrap();
    let answers = console.ask(&scope, &login, login.perform()).await;
    assert!(answers.iter().all(Answer::is_ok), "{answers:?}");
}

fn create_user(number: u32) -> Question<CreateUser> {
    let password = Secret::new("password1".to_owned());
    Question::new(CreateUser {
        user_type: UserType::Cu,
        name: format!("user_{number}"),
        password,
        second_factor: None,
    })
    .unwrap()
}

async fn count_users(console: &mut Cluster) -> Vec<usize> {
    let question = Question::new(ListUsers).unwrap();
    let scope = console.everywhere();
    let answers = console.ask(&scope, &question, question.perform()).await;
    answers.into_iter().map(|answer| answer.unwrap().unwrap().len()).collect()
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
