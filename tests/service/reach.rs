//! Where HSMs are reached, and backups on request.

use std::net::{Ipv4Addr, TcpListener};

use cloudhsm::protocol::user::UserType;
use cloudhsm::service::account::Ports;
use cloudhsm::service::operation::Operation;
use cloudhsm::service::shapes::names::ClusterId;
use serde_json::json;

use crate::account::{Desk, PASSWORD, ask, login, unused_port};

/// A range of ports in which the HSMs of the first clusters have the first ones.
fn ports() -> (u16, Option<Ports>) {
    let first = unused_port();
    (first, Some(Ports::parse(&format!("{first}-{}", first + 2)).unwrap()))
}

/// The last digits of the port at which an HSM with this address is reached.
fn digits(address: &str) -> u16 {
    let [_, net, zone, host] = address.parse::<Ipv4Addr>().unwrap().octets().map(u16::from);
    (net - 10) * 100 + (zone - 1) * 10 + (host - 4)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hsm_is_reached_through_a_port_of_all_interfaces() {
    let mut desk = Desk::open().await;
    let (first, ports) = ports();
    desk.ports = ports;
    desk.reopen().await;
    let id = desk.active_cluster().await;
    let hsm = desk.cluster(&id).await["Hsms"][0].clone();
    let port = first + digits(hsm["EniIp"].as_str().unwrap());
    for restart in [false, true] {
        if restart {
            desk.reopen().await;
        }
        let mut console = desk.console_at("127.0.0.1", port).await;
        ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();
    }
    // The HSM's end is the port's, too.
    desk.call(Operation::DeleteHsm, json!({"ClusterId": id, "HsmId": hsm["HsmId"]})).await;
    let other = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
    let zone = json!({"ClusterId": id, "AvailabilityZone": "us-east-1a", "IpAddress": hsm["EniIp"]});
    let (kind, reason) = desk.refusal(Operation::CreateHsm, zone.clone()).await;
    assert_eq!(kind, "CloudHsmServiceException");
    assert!(reason.contains(&format!("0.0.0.0:{port}")), "{reason}");
    drop(other);
    desk.call(Operation::CreateHsm, zone).await;
    desk.account.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hsm_of_a_dualstack_cluster_is_reached_by_its_ipv6_address() {
    let desk = Desk::open().await;
    let input = |kind: &str| json!({"HsmType": "hsm2m.medium", "SubnetIds": ["subnet-0e358c43"], "NetworkType": kind});
    for (kind, has_one) in [("IPV4", false), ("DUALSTACK", true)] {
        let made = desk.call(Operation::CreateCluster, input(kind)).await;
        let id = made["Cluster"]["ClusterId"].as_str().unwrap();
        let hsm = desk.new_hsm(id, "us-east-1a").await;
        let address = hsm.get("EniIpV6").map(|address| address.as_str().unwrap());
        assert_eq!(address.is_some(), has_one, "{hsm}");
        let Some(address) = address else { continue };
        desk.initialize(id).await;
        let mut console = desk.console(address).await;
        ask(&mut console, login(UserType::PreCo, "admin", "password")).await.unwrap();
    }
    desk.account.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_on_request_has_what_the_hsm_has_now() {
    let desk = Desk::open().await;
    let account = desk.account.clone().unwrap();
    let back_up = async |id: &str| account.back_up(ClusterId::parse(id).unwrap()).await;
    let uninitialized = desk.new_cluster().await;
    let refused = back_up(&uninitialized).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("Cluster {uninitialized} is not initialized."));
    let refused = back_up("cluster-22222222222").await.unwrap_err();
    assert_eq!(refused.kind(), "CloudHsmResourceNotFoundException");

    let id = desk.active_cluster().await;
    let first = back_up(&id).await.unwrap();
    let backup = desk.call(Operation::DescribeBackups, json!({})).await["Backups"][0].clone();
    assert_eq!(
        (backup["BackupId"].as_str().unwrap(), &backup["BackupState"]),
        (first.as_str(), &json!("READY"))
    );
    let source = json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43"], "SourceBackupId": first});
    let clone = desk.call(Operation::CreateCluster, source).await["Cluster"]["ClusterId"].clone();
    let hsm = desk.new_hsm(clone.as_str().unwrap(), "us-east-1a").await;
    let mut console = desk.console(hsm["EniIp"].as_str().unwrap()).await;
    ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await.unwrap();

    let hsm = desk.cluster(&id).await["Hsms"][0]["HsmId"].clone();
    desk.call(Operation::DeleteHsm, json!({"ClusterId": id, "HsmId": hsm})).await;
    assert!(back_up(&id).await.unwrap_err().to_string().contains("has no HSM"));
    account.close().await;
}

/// Also if nobody has looked since the console changed PRECO's password.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_active_even_if_its_activated_hsm_is_gone() {
    let desk = Desk::open().await;
    let id = desk.new_cluster().await;
    let hsm = desk.new_hsm(&id, "us-east-1a").await;
    desk.initialize(&id).await;
    desk.activate(hsm["EniIp"].as_str().unwrap()).await;
    desk.call(Operation::DeleteHsm, json!({"ClusterId": id, "HsmId": hsm["HsmId"]})).await;
    assert_eq!(desk.cluster(&id).await["State"], "ACTIVE");
    desk.account.unwrap().close().await;
}
