//! Clusters, from their making to their end.

use std::fs;
use std::time::{Duration, Instant};

use cloudhsm::hsmd::making::backup::Backup;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::device::ListMembers;
use cloudhsm::protocol::key::{GenerateKey, KeySpec, ListKeys, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Place};
use cloudhsm::protocol::user::{CreateUser, ListUsers, UserType};
use cloudhsm::service::account::{Account, OpenError, Options};
use cloudhsm::service::operation::Operation;
use cloudhsm::service::shapes::names::HsmId;
use serde_json::json;
use tokio::time::sleep;

use crate::account::{Desk, EAST, PASSWORD, ask, login};

const WEST: &str = "us-west-2";

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_through_the_guides_states() {
    let mut desk = Desk::open().await;
    let input = json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43"]});
    let made = desk.call(Operation::CreateCluster, input).await;
    assert_eq!(made["Cluster"]["State"], "CREATE_IN_PROGRESS");
    let id = made["Cluster"]["ClusterId"].as_str().unwrap();
    let cluster = desk.cluster(id).await;
    assert_eq!(cluster["State"], "UNINITIALIZED");
    assert_eq!(cluster["SubnetMapping"], json!({"us-east-1a": "subnet-0e358c43"}));
    assert_eq!(cluster["Certificates"], json!({}));

    let hsm = desk.new_hsm(id, "us-east-1a").await;
    assert_eq!(hsm["State"], "CREATE_IN_PROGRESS");
    let cluster = desk.cluster(id).await;
    assert_eq!(cluster["Hsms"][0]["State"], "ACTIVE", "{cluster}");
    assert!(cluster["Certificates"]["ClusterCsr"].as_str().unwrap().contains("CERTIFICATE REQUEST"));
    let second = json!({"ClusterId": id, "AvailabilityZone": "us-east-1a"});
    assert_eq!(desk.refusal(Operation::CreateHsm, second).await.0, "CloudHsmInvalidRequestException");

    let done = desk.initialize(id).await;
    assert_eq!(done["State"], "INITIALIZE_IN_PROGRESS");
    let cluster = desk.cluster(id).await;
    assert_eq!((&cluster["State"], &cluster["PreCoPassword"]), (&json!("INITIALIZED"), &json!("password")));
    assert!(cluster["Certificates"]["ClusterCertificate"].is_string());
    assert!(cluster["Certificates"].get("ClusterCsr").is_none());

    desk.reopen().await;
    assert_eq!(desk.cluster(id).await["State"], "INITIALIZED");
    assert_eq!(desk.cluster(id).await["Hsms"][0]["EniIp"], hsm["EniIp"]);
    desk.account.take().unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hsms_join_with_users_and_keys_and_a_copied_backup_makes_a_clone() {
    let desk = Desk::open().await;
    let id = desk.active_cluster().await;
    assert_eq!(desk.cluster(&id).await["State"], "ACTIVE");
    let first = desk.cluster(&id).await["Hsms"][0]["EniIp"].as_str().unwrap().to_owned();
    let mut console = desk.console(&first).await;
    ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    ask(&mut console, alice()).await.unwrap();
    let spec = KeySpec::Aes { bytes: 32 };
    let mut alices = desk.console(&first).await;
    ask(&mut alices, login(UserType::Cu, "alice", PASSWORD)).await.unwrap();
    ask(&mut alices, GenerateKey { spec, template: Template::default() }).await.unwrap();

    let second = desk.new_hsm(&id, "us-east-1b").await;
    assert_eq!(desk.cluster(&id).await["Hsms"].as_array().unwrap().len(), 2);
    let mut beside = desk.console(second["EniIp"].as_str().unwrap()).await;
    ask(&mut beside, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    let hash = ListKeys { user: None, hash: true };
    let keys = ask(&mut console, hash.clone()).await.unwrap();
    assert_eq!(ask(&mut beside, hash.clone()).await.unwrap(), keys);
    assert_eq!(ask(&mut beside, ListUsers).await.unwrap().len(), 3);
    for console in [&mut console, &mut beside] {
        let members = ask(console, ListMembers).await.unwrap();
        assert_eq!(members.iter().map(|member| member.node_id).collect::<Vec<_>>(), [0, 1]);
    }

    let backups = desk.call(Operation::DescribeBackups, json!({})).await;
    let backup = backups["Backups"][0]["BackupId"].as_str().unwrap();
    let copy = json!({"DestinationRegion": WEST, "BackupId": backup});
    let copied = desk.call(Operation::CopyBackupToRegion, copy).await;
    assert_eq!(copied["DestinationBackup"]["SourceBackup"], backup);
    let filters = json!({"Filters": {"sourceBackupIds": [backup]}});
    let there = desk.try_call(WEST, Operation::DescribeBackups, filters).await.unwrap();
    let copy = there["Backups"][0]["BackupId"].as_str().unwrap();
    let input = json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-12345678"], "SourceBackupId": copy});
    let west = desk.try_call(WEST, Operation::CreateCluster, input).await.unwrap();
    let west = west["Cluster"]["ClusterId"].as_str().unwrap();
    assert_eq!(desk.cluster_in(WEST, west).await["State"], "ACTIVE");
    let input = json!({"ClusterId": west, "AvailabilityZone": "us-west-2a"});
    let hsm = desk.try_call(WEST, Operation::CreateHsm, input).await.unwrap()["Hsm"].clone();

    let late = ask(&mut alices, GenerateKey { spec, template: Template::default() }).await.unwrap()[0];
    let mut western = desk.console(hsm["EniIp"].as_str().unwrap()).await;
    ask(&mut western, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    assert_eq!(ask(&mut western, hash.clone()).await.unwrap(), keys);
    let object = ask(&mut console, ExtractKey { handle: late }).await.unwrap();
    let insert = InsertKey { object, place: Place::SameHandle, existing: Existing::Compare };
    ask(&mut western, insert).await.unwrap();
    assert_eq!(ask(&mut western, hash.clone()).await.unwrap(), ask(&mut console, hash).await.unwrap());
    desk.account.unwrap().close().await;
}

/// HSMs that have joined after the start ask each other for keys, too.
#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_in_a_cluster_that_grows() {
    let desk = Desk::open().await;
    let id = desk.active_cluster().await;
    let first = desk.cluster(&id).await["Hsms"][0]["EniIp"].as_str().unwrap().to_owned();
    let second = desk.new_hsm(&id, "us-east-1b").await["EniIp"].as_str().unwrap().to_owned();
    for address in [&first, &second] {
        let mut console = desk.console(address).await;
        ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
        ask(&mut console, alice()).await.unwrap();
    }
    let mut alices = desk.console(&first).await;
    ask(&mut alices, login(UserType::Cu, "alice", PASSWORD)).await.unwrap();
    ask(&mut alices, GenerateKey { spec: KeySpec::Aes { bytes: 32 }, template: Template::default() })
        .await
        .unwrap();
    let mut console = desk.console(&first).await;
    ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    let keys = ask(&mut console, ListKeys { user: None, hash: true }).await.unwrap();
    desk.new_hsm(&id, "us-east-1a").await;
    let mut beside = desk.console(&second).await;
    ask(&mut beside, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    let began = Instant::now();
    while ask(&mut beside, ListKeys { user: None, hash: true }).await.unwrap() != keys {
        assert!(began.elapsed() < Duration::from_secs(60), "no key has followed");
        sleep(Duration::from_millis(100)).await;
    }
    desk.account.unwrap().close().await;
}

fn alice() -> CreateUser {
    CreateUser {
        user_type: UserType::Cu,
        name: "alice".to_owned(),
        password: Secret::new(PASSWORD.to_owned()),
        second_factor: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_hsm_goes_and_the_next_one_has_what_it_had() {
    let desk = Desk::open().await;
    let id = desk.active_cluster().await;
    let hsm = desk.cluster(&id).await["Hsms"][0].clone();
    let both = json!({"ClusterId": id, "EniIp": hsm["EniIp"], "HsmId": hsm["HsmId"]});
    assert_eq!(desk.refusal(Operation::DeleteHsm, both).await.0, "CloudHsmInvalidRequestException");
    let delete = json!({"ClusterId": id, "EniIp": hsm["EniIp"]});
    assert_eq!(desk.call(Operation::DeleteHsm, delete.clone()).await["HsmId"], hsm["HsmId"]);
    assert_eq!(desk.refusal(Operation::DeleteHsm, delete).await.0, "CloudHsmResourceNotFoundException");
    let backup = desk.call(Operation::DescribeBackups, json!({})).await["Backups"][0].clone();
    assert_eq!((&backup["BackupState"], &backup["ClusterId"]), (&json!("READY"), &json!(id)));
    let path = desk.folder.path().join("account/backups");
    let path = path.join(format!("{}.backup", backup["BackupId"].as_str().unwrap()));
    let read = Backup::read(&path, &path.with_extension("backup.key")).unwrap();
    assert_eq!(read.hsm.counts(), (2, 0));

    let next = desk.new_hsm(&id, "us-east-1b").await;
    assert_ne!(next["HsmId"], hsm["HsmId"]);
    let mut console = desk.console(next["EniIp"].as_str().unwrap()).await;
    ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    desk.account.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hsm_that_ends_is_degraded_and_comes_back() {
    let desk = Desk::open().await;
    let id = desk.active_cluster().await;
    let hsm = desk.cluster(&id).await["Hsms"][0].clone();
    desk.account.as_ref().unwrap().abort(&HsmId::parse(hsm["HsmId"].as_str().unwrap()).unwrap());
    let mut seen = vec![];
    for _ in 0..600 {
        let state = desk.cluster(&id).await["Hsms"][0]["State"].as_str().unwrap().to_owned();
        let is_back = state == "ACTIVE" && seen.contains(&"DEGRADED".to_owned());
        seen.push(state);
        if is_back {
            let mut console = desk.console(hsm["EniIp"].as_str().unwrap()).await;
            ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
            return desk.account.unwrap().close().await;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{seen:?} in {EAST}");
}

/// What later releases have to open, too.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_first_version_opens() {
    let mut desk = Desk::open().await;
    desk.account.take().unwrap().close().await;
    let file = desk.folder.path().join("account/account.json");
    fs::write(&file, include_str!("account_1.json")).unwrap();
    desk.reopen().await;
    let mut shown = desk.cluster("cluster-xv3y33yqvm5").await;
    shown.as_object_mut().unwrap().retain(|name, _| {
        !["VpcId", "CreateTimestamp", "HsmTypeRollbackExpiration"].contains(&name.as_str())
    });
    let expected = json!({
        "BackupPolicy": "DEFAULT",
        "BackupRetentionPolicy": {"Type": "DAYS", "Value": "7"},
        "Certificates": {"ClusterCertificate": "PEM"},
        "ClusterId": "cluster-xv3y33yqvm5",
        "HsmType": "hsm2m.medium",
        "Hsms": [],
        "Mode": "FIPS",
        "NetworkType": "DUALSTACK",
        "SecurityGroup": "sg-82e848999b01d6fa2",
        "SourceBackupId": "backup-j3sx6iknc6l",
        "State": "ACTIVE",
        "SubnetMapping": {"us-east-1a": "subnet-0e358c43"},
        "TagList": [{"Key": "Name", "Value": "east"}],
    });
    assert_eq!(shown, expected);
    desk.account.take().unwrap().close().await;

    fs::write(&file, r#"{"version": 2}"#).unwrap();
    let later = Account::open(&desk.folder.path().join("account"), Options::default()).await;
    assert!(matches!(later, Err(OpenError::Version(_, 2))));
    assert_eq!(fs::read_to_string(&file).unwrap(), r#"{"version": 2}"#);
}
