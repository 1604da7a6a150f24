//! Those who are connected and not logged in: however much they ask for, the store does not grow with it.

use std::time::Duration;

use cloudhsm::hsm::audit::{self, AuditRecord};
use cloudhsm::hsm::{Hsm, SessionId, Verdict};
use cloudhsm::hsmd::keeping::store::Store;
use cloudhsm::hsmd::serving::clock::Clock;
use cloudhsm::hsmd::serving::engine::{Attempt, Engine};
use cloudhsm::protocol::message::{OperationId, Round};
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Refusal, Request};

use crate::frozen::Disk;
use crate::model::{self, CLIENT};

/// Of each kind in a minute: more than a stranger of the old days needed to write a megabyte.
const COMMANDS: u64 = 2000;
const MINUTES: u64 = 10;

struct Flood {
    engine: Engine,
    session: SessionId,
}

impl Flood {
    async fn refused(&self, request: &Request, round: Round) -> Refusal {
        let attempt = Attempt { request: request.clone().into(), round, caller: self.session, worked: None };
        match self.engine.decide(attempt).await {
            Verdict::Refused(refusal) => refusal,
            Verdict::Reply(_) | Verdict::Needs(_) => panic!("a stranger may not"),
        }
    }
}

fn log_of(disk: &Disk) -> (Vec<AuditRecord>, Hsm) {
    let (store, hsm) = Store::on(disk.live(), &[]).unwrap();
    (store.audit_part(0).unwrap().records().unwrap(), hsm)
}

#[tokio::test]
async fn what_strangers_do_for_ten_minutes_is_counted_in_less_than_a_megabyte() {
    let (disk, clock) = (Disk::new(), Clock::default());
    let (store, hsm) = Store::on(disk.backend(None), &model::new_hsm()).unwrap();
    let certificates = model::certificates();
    let (engine, owner) = Engine::start(store, hsm, Vec::new(), 900, certificates, clock.clone()).unwrap();
    let session = engine.open(CLIENT).await.unwrap();
    let flood = Flood { engine, session };
    let before = disk.length();
    let (login, create) = (model::login(UserType::Cu, "nobody", false), model::create_user("eve"));
    for number in 0..COMMANDS * MINUTES {
        assert_eq!(flood.refused(&login, Round::Rehearse).await, Refusal::NoSuchUser);
        let round = Round::Perform(OperationId(number.into()));
        assert_eq!(flood.refused(&create, round).await, Refusal::NotLoggedIn);
        if number % COMMANDS == 0 {
            clock.advance(Duration::from_secs(60));
        }
    }
    drop(flood);
    owner.await.unwrap();
    let growth = disk.length().saturating_sub(before);
    assert!(growth < 1_000_000, "{growth}");

    let (log, hsm) = log_of(&disk);
    assert_eq!(audit::verify(&log), Ok(()));
    assert_eq!(log.last().unwrap().head(), *hsm.audit_head());
    let most = usize::try_from(2 * (MINUTES + 2)).unwrap();
    assert!(log.len() <= most, "{}", log.len());
    for refusal in [Refusal::NoSuchUser, Refusal::NotLoggedIn] {
        let of_a_kind = log.iter().filter(|record| record.refusal == Some(refusal));
        let tallies = of_a_kind.map(|record| record.tally.as_ref().unwrap());
        let counted: u64 = tallies
            .inspect(|tally| assert!(tally.addresses.contains(&CLIENT)))
            .map(|tally| tally.count)
            .sum();
        assert_eq!(counted, COMMANDS * MINUTES, "{refusal:?}");
    }
    assert!(log[0].to_string().ends_with("Count : 1\nFrom : 127.0.0.1\n"), "{}", log[0]);
}

/// Nor does a flood hide what counts: a wrong password of a user who exists, and what those do who are logged in.
#[test]
fn guesses_and_what_users_do_are_recorded_one_by_one() {
    let mut world = model::World::with_users();
    let (stranger, alice) = (SessionId(1), SessionId(2));
    for _ in 0..3 {
        let guess = world.perform(&model::login(UserType::Cu, "bob", false), stranger);
        assert_eq!((guess.events.len(), guess.by_stranger), (2, None));
        let unknown = world.perform(&model::login(UserType::Cu, "nobody", false), stranger);
        assert!(unknown.events.is_empty() && unknown.by_stranger.is_some());
    }
    assert!(world.perform(&model::login(UserType::Cu, "alice", true), alice).by_stranger.is_none());
    for _ in 0..3 {
        let refused = world.rehearse(&model::create_user("eve"), alice);
        assert_eq!((refused.events.len(), refused.by_stranger), (1, None));
    }
}
