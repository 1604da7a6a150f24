//! Batches that are longer than any other call.

use cloudhsm::cluster::Failure;
use cloudhsm::protocol::key::KeySpec;
use cloudhsm::protocol::masked::{Existing, ExtractKeys, InsertKeys, Inserted, KeyCopy};
use cloudhsm::wire::frame::MAX_CALL;

use crate::common::TestCluster;
use crate::region::Region;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_batch_is_read_of_somebody_who_is_logged_in() {
    let cluster = TestCluster::start(2).await;
    let mut region = Region::activated(&cluster).await;
    region.create_user("alice").await;
    region.as_cu("alice").await;
    let mut handles = Vec::new();
    for _ in 0..40 {
        handles.extend(region.generate(0, KeySpec::GenericSecret { bytes: 3584 }).await);
    }
    let objects = region.ask(0, ExtractKeys { handles: handles.clone() }).await.unwrap();
    let copy = |object| KeyCopy { object, existing: Existing::Compare };
    let copies: Vec<_> = objects.into_iter().map(|object| copy(object.unwrap())).collect();
    assert!(copies.iter().map(|copy| copy.object.0.len()).sum::<usize>() > 2 * MAX_CALL);
    let rows = region.ask(1, InsertKeys { copies: copies.clone() }).await.unwrap();
    assert!(rows == handles.into_iter().map(|handle| Ok(Inserted::Created(handle))).collect::<Vec<_>>());
    region.log_out().await;
    let unread = region.ask(1, InsertKeys { copies }).await;
    assert!(matches!(unread, Err(Failure::NoAnswer(_))), "the connection is closed");
}
