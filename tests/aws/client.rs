//! A client for one call at a time, and what it sees of an account.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::{Backup, Call, Cluster, Id, REGIONS, State, World};

/// Status and body; `None` if the service is gone before it has answered.
pub(crate) fn call(address: &str, region: usize, operation: &str, input: &Value) -> Option<(u16, Value)> {
    let (body, region) = (input.to_string(), REGIONS[region]);
    let scope = format!("Credential=any/20260101/{region}/cloudhsm/aws4_request");
    let mut tcp = TcpStream::connect(address).ok()?;
    tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: BaldrApiService.{operation}\r\n\
         Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tcp.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

/// Whether it was done, or which exception it got; `None` if the service is gone before it has answered.
pub(crate) fn ask(address: &str, region: usize, asked: &Call, anchor: &str) -> Option<Result<(), String>> {
    let (operation, input) = request(asked, region, anchor);
    let (status, answer) = call(address, region, operation, &input)?;
    Some(if status == 200 { Ok(()) } else { Err(answer["__type"].as_str().unwrap().to_owned()) })
}

fn request(call: &Call, region: usize, anchor: &str) -> (&'static str, Value) {
    match call {
        Call::CreateCluster { source, .. } => {
            let mut input =
                json!({"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43", "subnet-1e358c44"]});
            if let Some(source) = source {
                input["SourceBackupId"] = json!(source);
            }
            ("CreateCluster", input)
        }
        Call::ModifyCluster { cluster, days } => {
            let policy = json!({"Type": "DAYS", "Value": days});
            ("ModifyCluster", json!({"ClusterId": cluster, "BackupRetentionPolicy": policy}))
        }
        Call::DeleteCluster { cluster } => ("DeleteCluster", json!({"ClusterId": cluster})),
        Call::InitializeCluster { cluster, certificate, .. } => (
            "InitializeCluster",
            json!({"ClusterId": cluster, "SignedCert": certificate, "TrustAnchor": anchor}),
        ),
        Call::CreateHsm { cluster, zone } => {
            let zone = format!("{}{zone}", REGIONS[region]);
            ("CreateHsm", json!({"ClusterId": cluster, "AvailabilityZone": zone}))
        }
        Call::DeleteHsm { cluster, hsm } => ("DeleteHsm", json!({"ClusterId": cluster, "HsmId": hsm})),
        Call::CopyBackup { backup } => {
            ("CopyBackupToRegion", json!({"BackupId": backup, "DestinationRegion": REGIONS[1 - region]}))
        }
        Call::DeleteBackup { backup } => ("DeleteBackup", json!({"BackupId": backup})),
        Call::RestoreBackup { backup } => ("RestoreBackup", json!({"BackupId": backup})),
        Call::KeepBackup { backup, never_expires } => {
            ("ModifyBackupAttributes", json!({"BackupId": backup, "NeverExpires": never_expires}))
        }
        Call::Tag { resource, key, value } => {
            ("TagResource", json!({"ResourceId": resource, "TagList": [{"Key": key, "Value": value}]}))
        }
        Call::Untag { resource, key } => {
            ("UntagResource", json!({"ResourceId": resource, "TagKeyList": [key]}))
        }
    }
}

/// The clusters of a region as they are described, in all pages.
pub(crate) fn clusters(address: &str, region: usize) -> Vec<Value> {
    all(address, region, "DescribeClusters", "Clusters")
}

fn all(address: &str, region: usize, operation: &str, list: &str) -> Vec<Value> {
    let (mut found, mut input) = (Vec::new(), json!({}));
    loop {
        let (status, answer) = call(address, region, operation, &input).unwrap();
        assert_eq!(status, 200, "{operation}: {answer}");
        found.extend(answer[list].as_array().unwrap().iter().cloned());
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return found,
        }
    }
}

/// Once all HSMs are ACTIVE, everything; else an HSM that is not.
pub(crate) fn look(address: &str) -> Result<World, String> {
    let mut world = World::default();
    for region in 0..REGIONS.len() {
        for shown in clusters(address, region) {
            if let Some(hsm) = shown["Hsms"].as_array().unwrap().iter().find(|hsm| hsm["State"] != "ACTIVE") {
                return Err(hsm.to_string());
            }
            world.clusters.insert(text(&shown["ClusterId"]), cluster(region, &shown)?);
        }
        for shown in all(address, region, "DescribeBackups", "Backups") {
            world.backups.insert(text(&shown["BackupId"]), backup(region, &shown)?);
        }
    }
    Ok(world)
}

fn cluster(region: usize, shown: &Value) -> Result<Cluster, String> {
    let state = match shown["State"].as_str().unwrap() {
        "UNINITIALIZED" => State::Uninitialized,
        "INITIALIZED" => State::Initialized,
        "ACTIVE" => State::Active,
        "DELETED" => State::Deleted,
        _ => return Err(shown.to_string()),
    };
    let place = |hsm: &Value| (text(&hsm["AvailabilityZone"]), text(&hsm["EniIp"]));
    let hsms = shown["Hsms"].as_array().unwrap().iter().map(|hsm| (text(&hsm["HsmId"]), place(hsm)));
    let source = shown.get("SourceBackupId").map(text);
    let days = text(&shown["BackupRetentionPolicy"]["Value"]);
    Ok(Cluster { region, state, source, days, tags: tags(shown), hsms: hsms.collect() })
}

fn backup(region: usize, shown: &Value) -> Result<Backup, String> {
    let is_deleted = match shown["BackupState"].as_str().unwrap() {
        "READY" => false,
        "PENDING_DELETION" => true,
        _ => return Err(shown.to_string()),
    };
    let never_expires = shown["NeverExpires"].as_bool().unwrap();
    let (cluster, copy_of) = (text(&shown["ClusterId"]), shown.get("SourceBackup").map(text));
    Ok(Backup { region, cluster, copy_of, is_deleted, never_expires, tags: tags(shown) })
}

fn tags(shown: &Value) -> std::collections::BTreeMap<String, String> {
    let all = shown["TagList"].as_array().unwrap().iter();
    all.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

fn text(value: &Value) -> Id {
    value.as_str().unwrap().to_owned()
}
