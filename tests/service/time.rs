//! What takes time at AWS, on a clock that is set ahead.

use std::net::TcpListener;
use std::time::Duration;

use cloudhsm::service::operation::Operation;
use serde_json::json;
use tokio::time::sleep;

use crate::account::Desk;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn states_in_progress_last_as_long_as_the_pace_says() {
    let mut desk = Desk::open().await;
    desk.pace = Duration::from_secs(3600);
    desk.reopen().await;
    let id = desk.new_cluster().await;
    assert_eq!(desk.cluster(&id).await["State"], "CREATE_IN_PROGRESS");
    let hsm = json!({"ClusterId": id, "AvailabilityZone": "us-east-1a"});
    let (kind, reason) = desk.refusal(Operation::CreateHsm, hsm).await;
    assert_eq!(kind, "CloudHsmInvalidRequestException");
    assert_eq!(reason, format!("Cluster {id} is in state CREATE_IN_PROGRESS."));
    desk.clock.advance(desk.pace);
    assert_eq!(desk.cluster(&id).await["State"], "UNINITIALIZED");

    let hsm = desk.new_hsm(&id, "us-east-1a").await;
    let cluster = desk.cluster(&id).await;
    assert_eq!(cluster["Hsms"][0]["State"], "CREATE_IN_PROGRESS");
    assert_eq!(cluster["Certificates"], json!({}));
    desk.clock.advance(desk.pace);
    assert_eq!(desk.cluster(&id).await["Hsms"][0]["State"], "ACTIVE");
    desk.initialize(&id).await;
    assert_eq!(desk.cluster(&id).await["State"], "INITIALIZE_IN_PROGRESS");
    desk.clock.advance(desk.pace);
    assert_eq!(desk.cluster(&id).await["State"], "INITIALIZED");

    desk.call(Operation::DeleteHsm, json!({"ClusterId": id, "HsmId": hsm["HsmId"]})).await;
    assert_eq!(desk.cluster(&id).await["Hsms"][0]["State"], "DELETE_IN_PROGRESS");
    let backups = desk.call(Operation::DescribeBackups, json!({})).await;
    assert_eq!(backups["Backups"][0]["BackupState"], "CREATE_IN_PROGRESS");
    desk.reopen().await;
    assert_eq!(desk.cluster(&id).await["Hsms"][0]["State"], "DELETE_IN_PROGRESS");
    desk.clock.advance(2 * desk.pace);
    assert_eq!(desk.cluster(&id).await["Hsms"], json!([]));
    desk.account.take().unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_made_daily_and_expire_but_for_the_last() {
    let desk = Desk::open().await;
    let id = desk.active_cluster().await;
    let week = json!({"ClusterId": id, "BackupRetentionPolicy": {"Type": "DAYS", "Value": "7"}});
    desk.call(Operation::ModifyCluster, week).await;
    let first = wait_for_another(&desk, &[]).await;
    let second = wait_for_another(&desk, std::slice::from_ref(&first)).await;
    desk.call(Operation::ModifyBackupAttributes, json!({"BackupId": first, "NeverExpires": true})).await;
    let third = wait_for_another(&desk, &[first.clone(), second.clone()]).await;
    desk.call(Operation::DeleteBackup, json!({"BackupId": third})).await;
    assert_eq!(ids(&desk).await, [third.clone(), second.clone(), first.clone()]);
    // Without the HSM there are no more daily ones; but the one of its end.
    let hsm = desk.cluster(&id).await["Hsms"][0]["HsmId"].clone();
    desk.call(Operation::DeleteHsm, json!({"ClusterId": id, "HsmId": hsm})).await;
    let last = ids(&desk).await[0].clone();
    desk.clock.advance(8 * DAY);
    assert_eq!(ids(&desk).await, [last, first]);
    desk.account.unwrap().close().await;
}

async fn ids(desk: &Desk) -> Vec<String> {
    let backups = desk.call(Operation::DescribeBackups, json!({})).await;
    let all = backups["Backups"].as_array().unwrap().iter();
    all.map(|backup| backup["BackupId"].as_str().unwrap().to_owned()).collect()
}

/// The daily backup of the next day.
async fn wait_for_another(desk: &Desk, before: &[String]) -> String {
    desk.clock.advance(DAY + Duration::from_secs(60));
    loop {
        let new = ids(desk).await.into_iter().find(|id| !before.contains(id));
        if let Some(new) = new {
            return new;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hsm_whose_address_is_taken_says_so_and_comes_back() {
    let mut desk = Desk::open().await;
    let id = desk.new_cluster().await;
    let hsm = desk.new_hsm(&id, "us-east-1a").await;
    desk.account.take().unwrap().close().await;
    let address = format!("{}:{}", hsm["EniIp"].as_str().unwrap(), desk.port);
    let other = TcpListener::bind(&address).unwrap();
    desk.reopen().await;
    let shown = desk.cluster(&id).await["Hsms"][0].clone();
    assert_eq!(shown["State"], "DEGRADED");
    assert!(shown["StateMessage"].as_str().unwrap().contains(&address), "{shown}");
    drop(other);
    while desk.cluster(&id).await["Hsms"][0]["State"] != "ACTIVE" {
        sleep(Duration::from_millis(50)).await;
    }
    desk.account.take().unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_are_done_one_after_the_other() {
    let desk = Desk::open().await;
    let id = desk.new_cluster().await;
    let one = || {
        desk.try_call(
            "us-east-1",
            Operation::CreateHsm,
            json!({"ClusterId": id, "AvailabilityZone": "us-east-1a"}),
        )
    };
    let (first, second, third) = tokio::join!(one(), one(), one());
    let done = [&first, &second, &third].iter().filter(|result| result.is_ok()).count();
    assert_eq!(
        done, 1,
        "a cluster takes no second HSM before it is initialized: {first:?} {second:?} {third:?}"
    );
    desk.account.unwrap().close().await;
}
