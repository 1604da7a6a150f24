//! HSMs of one clone family: whatever happened to them apart, syncUser and syncKey make them equal.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "some report figures")]

#[path = "clones/batches.rs"]
mod batches;
mod common;
#[path = "clones/deeds.rs"]
mod deeds;
#[path = "clones/drift.rs"]
mod drift;
#[path = "common/filling.rs"]
mod filling;
#[path = "clones/following.rs"]
mod following;
#[path = "clones/in_and_out.rs"]
mod in_and_out;
#[path = "clones/members.rs"]
mod members;
#[path = "clones/operators.rs"]
mod operators;
#[path = "clones/region.rs"]
mod region;

use cloudhsm::cluster::Failure;
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::key::{DeleteKey, KeySpec, ShareKey, Sharing};
use cloudhsm::protocol::masked::{Difference, Existing, ExtractKey, InsertKey, Inserted, Place};
use cloudhsm::protocol::user::{ChangePassword, UserType};
use common::TestCluster;
use region::{AES, Dice, Region, secret};

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_holds_what_the_original_held_and_gets_what_came_later() {
    let mut original = TestCluster::start(2).await;
    let mut home = Region::activated(&original).await;
    home.create_user("alice").await;
    home.as_cu("alice").await;
    home.generate(0, AES).await;
    home.generate(0, KeySpec::Rsa { bits: 2048 }).await;
    home.as_officer().await;
    home.level().await;
    let before = home.hash(0).await;

    original.add_clone(0, 1).await;
    let mut both = Region::reached(&original).await;
    both.as_officer().await;
    assert_eq!(both.hash(2).await, before, "the clone holds the same keys");
    assert_eq!(both.users(2).await, both.users(0).await);

    both.create_user_on(0, "bob").await;
    both.as_cu_on(0, "bob").await;
    let late = both.generate(0, AES).await[0];
    both.as_officer().await;
    let refused = both.sync_key(late, 0, 2, Existing::Compare).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::MaskedOwnerMissing)));
    both.sync_user("bob", 0, 2).await.unwrap();
    assert_eq!(both.sync_key(late, 0, 2, Existing::Compare).await, Ok(Inserted::Created(late)));
    assert_eq!(both.sync_key(late, 0, 2, Existing::Compare).await, Ok(Inserted::Equal(late)));
    assert_eq!(both.hash(2).await, both.hash(0).await);
    assert_ne!(both.hash(2).await, before);
    // The credentials travelled, too.
    both.as_cu_on(2, "bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_told_and_replaced_only_if_asked() {
    let cluster = TestCluster::start(2).await;
    let mut region = Region::activated(&cluster).await;
    for name in ["alice", "bob"] {
        region.create_user(name).await;
    }
    let bob = region.id(0, "bob").await;
    region.as_cu("alice").await;
    let handle = region.generate(0, AES).await[0];
    region.as_officer().await;
    region.level().await;
    region.as_cu("alice").await;
    let share = ShareKey { handle, users: vec![bob], sharing: Sharing::Share };
    region.ask(0, share).await.unwrap();
    region.as_officer().await;
    let compared = region.sync_key(handle, 0, 1, Existing::Compare).await;
    assert_eq!(compared, Ok(Inserted::Differs(handle, vec![Difference::Sharing])));
    assert_ne!(region.hash(0).await, region.hash(1).await, "comparing changes nothing");
    assert_eq!(region.sync_key(handle, 0, 1, Existing::Replace).await, Ok(Inserted::Replaced(handle)));
    assert_eq!(region.hash(0).await, region.hash(1).await);

    let name = "bob".to_owned();
    let change =
        ChangePassword { user_type: UserType::Cu, name, password: secret("rotated12"), second_factor: None };
    region.ask(0, change).await.unwrap();
    let object = region.extract_user("bob", 0).await;
    let told = region.insert_user(&object, 1, Existing::Compare).await.unwrap();
    assert!(matches!(told, Inserted::Differs(_, differences) if differences == [Difference::Password]));
    let told = region.insert_user(&object, 1, Existing::Replace).await.unwrap();
    assert!(matches!(told, Inserted::Replaced(_)));
    assert!(matches!(region.insert_user(&object, 1, Existing::Compare).await, Ok(Inserted::Equal(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_copied_is_refused_and_changes_nothing() {
    let cluster = TestCluster::start(2).await;
    let stranger = TestCluster::start(1).await;
    let mut region = Region::activated(&cluster).await;
    let mut foreign = Region::activated(&stranger).await;
    for name in ["alice", "bob"] {
        region.create_user(name).await;
        foreign.create_user(name).await;
    }
    region.as_cu("alice").await;
    let handle = region.generate(0, AES).await[0];
    let object = region.ask(0, ExtractKey { handle }).await.unwrap();
    let insert =
        || InsertKey { object: object.clone(), place: Place::SameHandle, existing: Existing::Replace };
    let refusal = |answer: Result<_, Failure>| match answer {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(foreign.ask(0, insert()).await), Refusal::MaskedObjectForeign);
    region.as_cu("bob").await;
    assert_eq!(refusal(region.ask(1, insert()).await), Refusal::KeyAccessDenied, "not bob's");
    let extracted = region.ask(0, ExtractKey { handle }).await;
    assert_eq!(extracted, Err(Failure::Refused(Refusal::KeyAccessDenied)), "not bob's");
    region.log_out().await;
    assert_eq!(refusal(region.ask(1, insert()).await), Refusal::NotLoggedIn);
    region.as_cu("alice").await;
    region.ask(1, insert()).await.unwrap();
    region.ask(1, DeleteKey { handle }).await.unwrap();
    region.as_officer().await;
    assert_eq!(region.hash(1).await, None);
}

/// A CU cannot undo what a CO decided by inserting an older copy of its key.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_does_not_bring_back_a_cos_trust() {
    let cluster = TestCluster::start(1).await;
    let mut region = Region::activated(&cluster).await;
    region.create_user("alice").await;
    region.as_cu("alice").await;
    let handle = region.generate(0, AES).await[0];
    let trust = |value| SetAttribute { handle, attribute: Attribute::Trusted, value: Value::Byte(value) };
    region.as_officer().await;
    region.ask(0, trust(1)).await.unwrap();
    region.as_cu("alice").await;
    let object = region.ask(0, ExtractKey { handle }).await.unwrap();
    region.as_officer().await;
    region.ask(0, trust(0)).await.unwrap();
    region.as_cu("alice").await;
    for delete in [false, true] {
        if delete {
            region.ask(0, DeleteKey { handle }).await.unwrap();
        }
        let (place, existing) = (Place::SameHandle, Existing::Replace);
        region.ask(0, InsertKey { object: object.clone(), place, existing }).await.unwrap();
        assert!(!region.describe(0, handle).await.1.trusted, "deleted before: {delete}");
    }
}

/// Two clones of one backup do not know of each other, and number their keys alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_another_key_is_refused() {
    let mut cluster = TestCluster::start(1).await;
    let mut home = Region::activated(&cluster).await;
    home.create_user("alice").await;
    cluster.add_clone(0, 1).await;
    cluster.add_clone(0, 1).await;
    let mut region = Region::reached(&cluster).await;
    region.as_cu("alice").await;
    let handle = region.generate(1, AES).await[0];
    assert_eq!(region.generate(2, AES).await, [handle]);
    let before = region.describe(2, handle).await;
    for existing in [Existing::Compare, Existing::Replace] {
        let refused = region.sync_key(handle, 1, 2, existing).await;
        assert_eq!(refused, Err(Failure::Refused(Refusal::HandleTaken)));
    }
    assert_eq!(region.describe(2, handle).await, before);
}

/// Random changes to HSMs that do not know of each other; then every user and key is copied to where it lacks.
#[tokio::test(flavor = "multi_thread")]
async fn hsms_that_went_apart_are_made_equal() {
    let mut dice = Dice(1);
    for round in 0..4 {
        let cluster = TestCluster::start(3).await;
        let mut region = Region::activated(&cluster).await;
        for _ in 0..14 {
            let (server, name) = (dice.throw(3), format!("user_{}", dice.throw(5)));
            match dice.throw(3) {
                // The name may be taken there.
                0 => drop(region.try_create_user(server, &name).await),
                1 => region.make_key_if_user(server, &name).await,
                _ => region.share_some_key(server, &mut dice).await,
            }
            region.as_officer().await;
        }
        region.level().await;
        let hashes = [region.hash(0).await, region.hash(1).await, region.hash(2).await];
        assert!(hashes[0] == hashes[1] && hashes[1] == hashes[2], "round {round}: {hashes:?}");
        assert_eq!(region.names(0).await, region.names(1).await, "round {round}");
        assert_eq!(region.names(0).await, region.names(2).await, "round {round}");
    }
}
