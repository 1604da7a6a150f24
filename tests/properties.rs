//! What holds for every sequence of requests, every byte sequence and every store failure.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "properties/approvals.rs"]
mod approvals;
#[path = "properties/attacks.rs"]
mod attacks;
#[path = "properties/book.rs"]
mod book;
#[path = "properties/copies.rs"]
mod copies;
#[path = "properties/find_and_share.rs"]
mod find_and_share;
#[path = "properties/following.rs"]
mod following;
#[path = "properties/formats.rs"]
mod formats;
#[path = "properties/frozen.rs"]
mod frozen;
#[path = "properties/keys.rs"]
mod keys;
#[path = "properties/lab.rs"]
mod lab;
#[path = "properties/leaks.rs"]
mod leaks;
#[path = "properties/ledger.rs"]
mod ledger;
#[path = "properties/masked_copies.rs"]
mod masked_copies;
#[path = "properties/members.rs"]
mod members;
#[path = "properties/model.rs"]
mod model;
#[path = "properties/officers.rs"]
mod officers;
#[path = "properties/permissions.rs"]
mod permissions;
#[path = "properties/quorum.rs"]
mod quorum;
#[path = "properties/repeated.rs"]
mod repeated;
#[path = "properties/rules.rs"]
mod rules;
#[path = "properties/second_factor.rs"]
mod second_factor;
#[path = "properties/stale_work.rs"]
mod stale_work;
#[path = "properties/strangers.rs"]
mod strangers;
#[path = "properties/symbols.rs"]
mod symbols;
#[path = "properties/templates.rs"]
mod templates;
#[path = "properties/tokens.rs"]
mod tokens;
#[path = "properties/users.rs"]
mod users;

use std::time::Duration;

use cloudhsm::hsm::{Event, Hsm, SessionId, Verdict, audit};
use cloudhsm::hsmd::keeping::store::Store;
use cloudhsm::hsmd::serving::clock::Clock;
use cloudhsm::hsmd::serving::engine::{Attempt, Engine};
use cloudhsm::protocol::message::{Call, Hello, OperationId, Response, Round, Welcome};
use cloudhsm::protocol::user::{ListUsers, UserType};
use cloudhsm::protocol::{Effect, Refusal, Reply, Request};
use cloudhsm::wire::frame::{MAX_CALL, decode, encode, frames};
use frozen::Disk;
use model::{Asked, Step, World, new_hsm, request, step};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_refusal_changes_nothing_but_counted_failures(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut world = World::with_users();
        for step in &steps {
            let Step::Ask { request: Asked(request), session } = step else { world.happen(step); continue };
            let rehearsed = world.rehearse(request, *session);
            prop_assert!(rehearsed.events.iter().all(|event| matches!(event, Event::Recorded(_))));
            let performed = world.perform(request, *session);
            let allowed = |event: &Event| matches!(
                event,
                Event::LoginFailed(_) | Event::Recorded(_) | Event::ChallengeUsed(_)
            );
            if let Verdict::Refused(refusal) = performed.verdict {
                prop_assert!(performed.events.iter().all(allowed));
                // What a rehearsal lets through is refused only for what takes work to find out.
                let foreseen = matches!(rehearsed.verdict, Verdict::Refused(foreseen) if foreseen == refusal);
                let takes_work = matches!(rehearsed.verdict, Verdict::Needs(_)) && [
                    Refusal::LoginFailure,
                    Refusal::WrappedKeyInvalid,
                    Refusal::CreatedAlready,
                    Refusal::UserExists,
                ].contains(&refusal);
                prop_assert!(foreseen || takes_work, "{refusal:?}");
            } else {
                prop_assert!(!matches!(rehearsed.verdict, Verdict::Refused(_)));
            }
        }
    }

    #[test]
    fn the_history_gives_the_state_and_the_audit_log_its_chain(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut world = World::with_users();
        steps.iter().for_each(|step| world.happen(step));
        let mut replayed = Hsm::default();
        world.history.iter().flatten().for_each(|event| replayed.apply(event));
        // Sessions are not history: the serialized state has none.
        prop_assert!(encode(&replayed).unwrap() == encode(&world.hsm).unwrap());
        let log: Vec<_> = world.history.iter().flatten().filter_map(recorded).collect();
        prop_assert_eq!(audit::verify(&log), Ok(()));
        if log.len() > 2 {
            let mut gap = log.clone();
            gap.remove(1);
            prop_assert!(audit::verify(&gap).is_err());
            let mut altered = log;
            altered[0].time += 1;
            prop_assert!(audit::verify(&altered).is_err());
        }
    }

    #[test]
    fn an_operation_id_does_its_operation_once(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut world = World::with_users();
        for step in &steps {
            let Step::Ask { request: Asked(request), session } = step else { world.happen(step); continue };
            let id = OperationId(world.history.len() as u128 + 1000);
            let first = world.perform_as(request, *session, id);
            let (Verdict::Reply(reply), Effect::Change) = (&first.verdict, request.effect()) else { continue };
            // Also when nobody is logged in any more: the id is the proof.
            let again = world.perform_as(request, SessionId(99), id);
            prop_assert!(again.events.is_empty());
            prop_assert!(matches!(&again.verdict, Verdict::Reply(second) if second == reply));
            let other = Request::ListUsers(ListUsers);
            let misused = world.perform_as(&other, *session, id);
            prop_assert!(matches!(misused.verdict, Verdict::Refused(Refusal::OperationIdReused)));
            if let Some(another) = model::with_another_password(request) {
                let misused = world.perform_as(&another, *session, id);
                prop_assert!(matches!(misused.verdict, Verdict::Refused(Refusal::OperationIdReused)));
            }
            let another = model::about_another(request);
            if another.subject() != request.subject() {
                let misused = world.perform_as(&another, *session, id);
                prop_assert!(matches!(misused.verdict, Verdict::Refused(Refusal::OperationIdReused)));
            }
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        // It is enough that none of them panics or takes memory by the gigabyte.
        let decoded = [
            decode::<Hello>(&bytes).is_ok(),
            decode::<Welcome>(&bytes).is_ok(),
            decode::<Call>(&bytes).is_ok(),
            decode::<Response>(&bytes).is_ok(),
        ];
        prop_assert_eq!(decoded.len(), 4);
    }

    #[test]
    fn a_call_is_read_as_it_was_written_and_only_whole(request in request(), id in any::<u128>(), cut in 1usize..20) {
        let call = Call { round: Round::Perform(OperationId(id)), request: request.0 };
        let bytes = encode(&call).unwrap();
        let read: Call = decode(&bytes).unwrap();
        prop_assert!(encode(&read).unwrap() == bytes);
        let cut = bytes.len().saturating_sub(cut);
        prop_assert!(decode::<Call>(&bytes[..cut]).is_err());
        prop_assert!(decode::<Call>(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_read(length in (MAX_CALL as u32 + 1)..) {
        let header = length.to_be_bytes();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (ours, mut theirs) = tokio::io::duplex(64);
        let refused = runtime.block_on(async {
            tokio::io::AsyncWriteExt::write_all(&mut theirs, &header).await.unwrap();
            frames(ours, MAX_CALL).next().await
        });
        prop_assert!(refused.unwrap().is_err());
    }
}

/// Whatever write or sync fails, the store that is opened next has every change that was acknowledged and at most
/// the one that was under way; whether what was not synced is there or not.
#[test]
fn a_store_that_fails_keeps_what_it_acknowledged() {
    let mut world = World::new();
    world.create_users(5);
    let (first, later) = world.history.split_first().unwrap();
    let (commits, mut failures) = (later.len(), 0);
    for countdown in 0.. {
        let disk = Disk::new();
        drop(Store::on(disk.backend(None), first).unwrap());
        let acknowledged = match Store::on(disk.backend(Some(countdown)), &[]) {
            Err(_) => 0,
            Ok((mut store, _)) => later.iter().take_while(|changes| store.commit(&[changes]).is_ok()).count(),
        };
        for image in [disk.durable(), disk.live()] {
            let (_, reopened) = Store::on(image, &[]).unwrap();
            let found =
                (0..=commits).find(|count| state(first, &later[..*count]) == encode(&reopened).unwrap());
            let found = found.expect("a state that never was");
            assert!(
                (acknowledged..=acknowledged + 1).contains(&found),
                "{countdown}: {acknowledged}, {found}"
            );
        }
        if acknowledged == commits {
            break;
        }
        failures += 1;
    }
    assert!(failures > 2 * commits, "each commit writes and syncs: {failures}");
}

#[tokio::test]
async fn an_hsm_whose_store_failed_refuses_changes_and_goes_on_reading() {
    let disk = Disk::new();
    drop(Store::on(disk.backend(None), &new_hsm()).unwrap());
    let (store, hsm) = Store::on(disk.backend(Some(40)), &[]).unwrap();
    let (engine, owner) =
        Engine::start(store, hsm, Vec::new(), 900, model::certificates(), Clock::default()).unwrap();
    let session = engine.open(model::CLIENT).await.unwrap();
    let ask = async |request: &Request| {
        let round = Round::Perform(OperationId(0));
        let worked = Some(model::right_password(request));
        engine.decide(Attempt { request: request.clone().into(), round, caller: session, worked }).await
    };
    let login = model::login(UserType::PreCo, "admin", true);
    let mut failed = false;
    for _ in 0..100 {
        match ask(&login).await {
            Verdict::Refused(Refusal::StoreFailure) => failed = true,
            Verdict::Reply(_) => assert!(!failed, "a change after the store failed"),
            Verdict::Refused(_) | Verdict::Needs(_) => panic!("the login is right"),
        }
    }
    assert!(failed);
    let Verdict::Reply(Reply::ListUsers(users)) = ask(&Request::ListUsers(ListUsers)).await else {
        panic!("reads go on")
    };
    assert_eq!(users.len(), 2);
    drop(engine);
    owner.await.unwrap();
}

/// Passwords are hashed and keys are made on the runtime's few threads for such work; changes wait for none of them.
#[test]
fn an_hsm_commits_while_all_threads_for_slow_work_are_busy() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_time().max_blocking_threads(1).build().unwrap();
    let (done, work) = std::sync::mpsc::channel::<()>();
    let busy = runtime.spawn_blocking(move || work.recv());
    runtime.block_on(async {
        let (store, hsm) = Store::on(Disk::new().backend(None), &new_hsm()).unwrap();
        let (engine, owner) =
            Engine::start(store, hsm, Vec::new(), 900, model::certificates(), Clock::default()).unwrap();
        let caller = engine.open(model::CLIENT).await.unwrap();
        let request = model::login(UserType::PreCo, "admin", true);
        let worked = Some(model::right_password(&request));
        let attempt =
            Attempt { request: request.into(), round: Round::Perform(OperationId(0)), caller, worked };
        let decided = tokio::time::timeout(Duration::from_secs(60), engine.decide(attempt)).await;
        assert!(matches!(decided, Ok(Verdict::Reply(_))));
        drop(engine);
        owner.await.unwrap();
    });
    done.send(()).unwrap();
    runtime.block_on(busy).unwrap().unwrap();
}

/// What happens to users, keys and sessions.
fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![step(), keys::step()]
}

fn state(first: &[Event], later: &[Vec<Event>]) -> bytes::Bytes {
    let mut hsm = Hsm::default();
    first.iter().chain(later.iter().flatten()).for_each(|event| hsm.apply(event));
    encode(&hsm).unwrap()
}

fn recorded(event: &Event) -> Option<audit::AuditRecord> {
    match event {
        Event::Recorded(record) => Some(record.clone()),
        Event::Tallied(tallied) => Some(tallied.whole()),
        _ => None,
    }
}
