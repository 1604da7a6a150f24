//! HSMs of one cluster that follow each other's keys: random histories, cuts and kills.

use cloudhsm::hsm::{Event, Offered, Order, State, Verdict};
use cloudhsm::protocol::message::OperationId;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Refusal, Reply, Request};
use proptest::prelude::*;

use crate::lab::OFFICER;
use crate::model::{self};

use crate::members::{Cluster, Member, What, step};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// No two of the changes are made on two sides of a cut: then the last one holds everywhere.
    #[test]
    fn the_newest_version_wins_and_no_deleted_key_comes_back(steps in prop::collection::vec(step(), 1..60)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, true)?;
        }
        cluster.exchange_all()?;
        for (handle, newest) in cluster.keys.iter().zip(&cluster.newest) {
            for version in cluster.versions(*handle) {
                // A deletion may be forgotten by now.
                let is_gone = newest.state == State::DELETED && version.is_none();
                prop_assert!(is_gone || version == Some(*newest), "{version:?}, not {newest:?}");
            }
        }
    }

    #[test]
    fn all_become_equal_but_for_what_has_no_order(steps in prop::collection::vec(step(), 1..60)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, false)?;
        }
        cluster.exchange_all()?;
        for handle in cluster.keys.clone() {
            for (one, other) in [(0, 1), (1, 2), (2, 0)] {
                let [one, other] = cluster.members.get_disjoint_mut([one, other]).unwrap();
                let states = [&one, &other].map(|member| member.hsm().version(handle).map(|version| version.state));
                let alive = states.map(|state| state.filter(|state| *state != State::DELETED));
                if alive[0] == alive[1] {
                    continue;
                }
                for (own, theirs) in [(&one, &other), (&other, &one)] {
                    let offered = theirs.hsm().offer(&[handle]);
                    let Some(Offered { version, past, .. }) = offered.first() else { continue };
                    prop_assert_eq!(own.hsm().order(handle, *version, Some(past)), Order::Unordered);
                }
            }
        }
    }

    #[test]
    fn every_deletion_is_forgotten_once_all_have_seen_it(steps in prop::collection::vec(step(), 1..40)) {
        let mut cluster = Cluster::new();
        for step in &steps {
            cluster.happen(step, true)?;
        }
        for _ in 0..4 {
            cluster.exchange_all()?;
        }
        for handle in &cluster.keys {
            for version in cluster.versions(*handle) {
                prop_assert!(version.is_none_or(|version| version.state != State::DELETED));
            }
        }
    }
}

/// A client that lost its connection asks again, and the HSM has the change from another one by now.
#[test]
fn an_operation_that_is_asked_again_after_the_key_has_followed_is_done_already() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false, true, true]);
    let handle = cluster.keys[0];
    cluster.members[0].change(7, handle, What::Share).unwrap();
    cluster.members[0].change(8, handle, What::Unshare).unwrap();
    cluster.exchange(1, 0).unwrap();
    assert_eq!(
        cluster.members[1].change(9, handle, What::Unshare),
        Err(Refusal::InvalidInput),
        "another one"
    );
    cluster.members[0].change(10, handle, What::Delete).unwrap();
    cluster.exchange(1, 0).unwrap();
    assert_eq!(
        cluster.members[1].change(11, handle, What::Delete),
        Err(Refusal::InvalidHandle),
        "another one"
    );
    assert_eq!(cluster.members[1].change(10, handle, What::Delete), Ok(()));
    assert_eq!(cluster.members[2].change(10, handle, What::Delete), Ok(()), "it deletes");
    assert_eq!(cluster.exchange(2, 0).unwrap(), 1, "the longer past");
    let versions = cluster.versions(handle);
    assert!(versions.iter().all(|version| *version == versions[0]));
}

#[test]
fn a_key_waits_for_its_owner_and_for_those_who_share_it() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false; 3]);
    let handle = cluster.keys[0];
    cluster.members[0].change(1, handle, What::Share).unwrap();
    for gone in ["alice", "bob"] {
        let mut other = Member::new(1);
        let gone_id = other.user(gone);
        other.world.apply(vec![Event::UserDeleted(gone_id)]);
        let offered = || cluster.members[0].hsm().offer(&[handle]);
        let followed = other.hsm().follow(offered(), 0);
        assert_eq!(followed.waiting, [(handle, Refusal::MaskedOwnerMissing)], "{gone}");
        assert!(followed.events.is_empty());
        other.world.apply(vec![model::user(9, UserType::Cu, gone)]);
        let followed = other.hsm().follow(offered(), 0);
        assert_eq!(followed.taken, [handle]);
        other.world.apply(followed.events);
        assert_eq!(other.hsm().version(handle), cluster.versions(handle)[0]);
    }
}

/// Who deletes a user on one HSM has deleted nobody on another, whatever follows.
#[test]
fn the_end_of_a_users_share_follows_and_the_users_deletion_does_not() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false, true, true]);
    let handle = cluster.keys[0];
    for member in &mut cluster.members {
        member.change(1, handle, What::Share).unwrap();
    }
    let delete = || {
        Request::DeleteUser(cloudhsm::protocol::user::DeleteUser {
            user_type: UserType::Cu,
            name: "bob".to_owned(),
        })
    };
    let ask = |member: &mut Member| member.world.perform_as(&delete(), OFFICER, OperationId(2)).verdict;
    assert!(matches!(ask(&mut cluster.members[0]), Verdict::Reply(Reply::DeleteUser(()))));
    assert_eq!(cluster.exchange(1, 0).unwrap(), 1);
    assert!(cluster.members[1].world.has_user((UserType::Cu, "bob")));
    assert!(matches!(ask(&mut cluster.members[1]), Verdict::Reply(Reply::DeleteUser(()))));
    assert!(!cluster.members[1].world.has_user((UserType::Cu, "bob")));
    assert_eq!(cluster.versions(handle)[0], cluster.versions(handle)[1]);
}

#[test]
fn what_follows_is_recorded_as_the_aus() {
    let mut cluster = Cluster::new();
    cluster.make(0, &[false; 3]);
    cluster.exchange(1, 0).unwrap();
    let events = cluster.members[1].world.history.iter().flatten();
    let records: Vec<_> = events
        .filter_map(|event| if let Event::Recorded(record) = event { Some(record.clone()) } else { None })
        .collect();
    assert_eq!(cloudhsm::hsm::audit::verify(&records), Ok(()));
    let [login, insert, logout] = &records[records.len() - 3..] else { panic!("{records:?}") };
    assert_eq!(login.user, Some((UserType::Au, "app_user".to_owned())));
    let names = [login, insert, logout].map(|record| record.opcode.name());
    assert_eq!(names, ["CN_LOGIN", "CN_INSERT_MASKED_OBJECT_USER", "CN_LOGOUT"]);
    assert_eq!(insert.key, Some(cluster.keys[0]));
}
