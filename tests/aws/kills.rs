//! Calls in any order, with `kill -9` in the middle of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Service, unused_port};

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn choose<'a>(&mut self, from: &'a [Value]) -> Option<&'a Value> {
        (!from.is_empty()).then(|| &from[self.throw(from.len())])
    }
}

/// A service that is killed and started again, and what it has acknowledged.
struct Rehearsal {
    folder: tempfile::TempDir,
    port: String,
    service: Option<Service>,
    dice: Dice,
    /// Every id that was ever seen.
    seen: BTreeSet<String>,
    /// Those that are gone, which must not come back.
    gone: BTreeSet<String>,
    /// Where each HSM is.
    addresses: BTreeMap<String, Value>,
    trace: Vec<String>,
}

const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];

#[test]
fn whatever_a_kill_cuts_is_done_or_undone_and_no_id_comes_twice() {
    let mut rehearsal = Rehearsal::start(7);
    for step in 0..40 {
        // Not at random: also the first calls are cut.
        let is_cut = step % 3 == 2;
        rehearsal.step(is_cut);
        rehearsal.check();
    }
    let kinds = ["cluster-", "hsm-", "backup-"].map(|kind| rehearsal.count(kind));
    assert!(kinds.iter().all(|count| *count > 2), "{kinds:?} {:#?}", rehearsal.trace);
}

impl Rehearsal {
    fn start(seed: u64) -> Self {
        let mut rehearsal = Self {
            folder: tempfile::tempdir().unwrap(),
            port: unused_port().to_string(),
            service: None,
            dice: Dice(seed),
            seen: BTreeSet::new(),
            gone: BTreeSet::new(),
            addresses: BTreeMap::new(),
            trace: Vec::new(),
        };
        rehearsal.restart();
        rehearsal
    }

    fn account(&self) -> PathBuf {
        self.folder.path().join("account")
    }

    fn restart(&mut self) {
        self.service = Some(Service::start(&self.account(), &self.port));
    }

    fn count(&self, kind: &str) -> usize {
        self.seen.iter().filter(|id| id.starts_with(kind)).count()
    }

    fn step(&mut self, is_cut: bool) {
        let region = REGIONS[self.dice.throw(4) / 3];
        let (clusters, backups) = (self.clusters(region), self.backups(region));
        let Some((operation, input)) = self.call(region, &clusters, &backups) else { return };
        let address = self.service.as_ref().unwrap().address.clone();
        if !is_cut {
            let answer = call(&address, region, operation, &input).unwrap();
            self.trace.push(format!("{operation} {input} in {region}: {}", answer.0));
            assert!(matches!(answer.0, 200 | 400), "{answer:?} {:#?}", self.trace);
            self.note_new(&answer.1);
            return;
        }
        let delay = Duration::from_millis(self.dice.throw(300) as u64);
        let killed = self.service.take().unwrap();
        let killer = thread::spawn(move || {
            sleep(delay);
            drop(killed);
        });
        let answer = call(&address, region, operation, &input);
        killer.join().unwrap();
        let status = answer.as_ref().map(|answer| answer.0);
        self.trace.push(format!("{operation} {input} in {region}, cut after {delay:?}: {status:?}"));
        self.restart();
        if let Some((_, answer)) = answer {
            self.note_new(&answer);
        }
    }

    /// Ids that an answer acknowledges as new were never seen, and are there from then on.
    fn note_new(&mut self, answer: &Value) {
        let cluster = &answer["Cluster"];
        let new = match (&answer["Hsm"]["HsmId"], cluster["State"].as_str()) {
            (Value::String(id), _) => id,
            (_, Some("CREATE_IN_PROGRESS")) => cluster["ClusterId"].as_str().unwrap(),
            _ => return,
        };
        assert!(self.seen.insert(new.to_owned()), "{new} again: {:#?}", self.trace);
        let all = self.everything();
        assert!(all.contains_key(new), "{new} is not there: {:#?}", self.trace);
    }

    fn call(&mut self, region: &str, clusters: &[Value], backups: &[Value]) -> Option<(&'static str, Value)> {
        let subnets = ["subnet-0e358c43", "subnet-1e358c44"];
        let create = json!({"HsmType": "hsm1.medium", "SubnetIds": subnets});
        let cluster = self.dice.choose(clusters).cloned();
        let Some(cluster) = cluster else { return Some(("CreateCluster", create)) };
        let (id, hsms) = (cluster["ClusterId"].clone(), cluster["Hsms"].as_array().unwrap().clone());
        let waits = cluster["Certificates"]["ClusterCsr"].as_str().map(str::to_owned);
        let backup = self.dice.choose(backups).map(|backup| backup["BackupId"].clone());
        Some(match self.dice.throw(12) {
            0 => ("CreateCluster", create),
            1..=3 => (
                "CreateHsm",
                json!({"ClusterId": id, "AvailabilityZone": format!("{region}{}", ["a", "b"][self.dice.throw(2)])}),
            ),
            4..=6 if waits.is_some() => {
                let (signed, anchor) = self.sign(&waits?);
                ("InitializeCluster", json!({"ClusterId": id, "SignedCert": signed, "TrustAnchor": anchor}))
            }
            4..=5 => ("DeleteHsm", json!({"ClusterId": id, "HsmId": self.dice.choose(&hsms)?["HsmId"]})),
            6 if hsms.is_empty() => ("DeleteCluster", json!({"ClusterId": id})),
            6 | 7 => ("TagResource", json!({"ResourceId": id, "TagList": [{"Key": "a", "Value": "b"}]})),
            8 => {
                let to = REGIONS.iter().find(|other| **other != region);
                ("CopyBackupToRegion", json!({"BackupId": backup?, "DestinationRegion": to}))
            }
            9 => (
                "CreateCluster",
                json!({"HsmType": "hsm1.medium", "SubnetIds": subnets, "SourceBackupId": backup?}),
            ),
            10 => ("DeleteBackup", json!({"BackupId": backup?})),
            _ => ("RestoreBackup", json!({"BackupId": backup?})),
        })
    }

    fn sign(&self, csr: &str) -> (String, String) {
        let folder = self.folder.path();
        fs::write(folder.join("c.csr"), csr).unwrap();
        for words in [
            "req -new -x509 -newkey rsa:2048 -noenc -days 3652 -subj /CN=owner -keyout ca.key -out ca.crt",
            "x509 -req -days 3652 -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out c.crt",
        ] {
            let mut openssl = Command::new("openssl");
            assert!(openssl.args(words.split(' ')).current_dir(folder).output().unwrap().status.success());
        }
        let read = |name| fs::read_to_string(folder.join(name)).unwrap();
        (read("c.crt"), read("ca.crt"))
    }

    fn ask(&self, region: &str, operation: &str, input: &Value) -> Value {
        let address = &self.service.as_ref().unwrap().address;
        let (status, answer) = call(address, region, operation, input).unwrap();
        assert_eq!(status, 200, "{operation}: {answer} {:#?}", self.trace);
        answer
    }

    /// Those that are not deleted.
    fn clusters(&self, region: &str) -> Vec<Value> {
        let found = self.ask(region, "DescribeClusters", &json!({}));
        let all = found["Clusters"].as_array().unwrap().iter();
        all.filter(|cluster| cluster["State"] != "DELETED").cloned().collect()
    }

    fn backups(&self, region: &str) -> Vec<Value> {
        self.ask(region, "DescribeBackups", &json!({}))["Backups"].as_array().unwrap().clone()
    }

    /// All that is there, by id.
    fn everything(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        let mut add =
            |id: &Value, what: &Value| drop(all.insert(id.as_str().unwrap().to_owned(), what.clone()));
        for region in REGIONS {
            for cluster in self.clusters(region) {
                cluster["Hsms"].as_array().unwrap().iter().for_each(|hsm| add(&hsm["HsmId"], hsm));
                add(&cluster["ClusterId"], &cluster);
            }
            self.backups(region).iter().for_each(|backup| add(&backup["BackupId"], backup));
        }
        all
    }

    /// Nothing is half there, nothing came back, and every HSM runs where it was.
    fn check(&mut self) {
        self.wait_for_hsms();
        let all = self.everything();
        self.seen.extend(all.keys().cloned());
        let now: BTreeSet<String> = all.keys().cloned().collect();
        assert_eq!(now.intersection(&self.gone).count(), 0, "{:#?}", self.trace);
        self.gone.extend(self.seen.difference(&now).cloned());
        for (id, what) in &all {
            if id.starts_with("hsm-") {
                let before = self.addresses.entry(id.clone()).or_insert_with(|| what["EniIp"].clone());
                assert_eq!(*before, what["EniIp"], "{id} has moved: {:#?}", self.trace);
            }
        }
        let of_kind =
            |kind: &'static str| all.keys().filter(move |id| id.starts_with(kind)).cloned().collect();
        let expected: BTreeSet<String> = of_kind("hsm-");
        assert_eq!(self.files("clusters/*/hsm-*"), expected, "{:#?}", self.trace);
        let expected: BTreeSet<String> = of_kind("backup-");
        assert_eq!(self.files("backups/*.backup"), expected, "{:#?}", self.trace);
    }

    fn wait_for_hsms(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let all = self.everything();
            let mut hsms = all.iter().filter(|(id, _)| id.starts_with("hsm-"));
            let Some((id, hsm)) = hsms.find(|(_, hsm)| hsm["State"] != "ACTIVE") else { return };
            assert!(Instant::now() < deadline, "{id}: {hsm} {:#?}", self.trace);
            sleep(Duration::from_millis(100));
        }
    }

    /// What is in the account's folder, by the ids in the names.
    fn files(&self, pattern: &str) -> BTreeSet<String> {
        let mut found = vec![self.account()];
        for part in pattern.split('/') {
            let (start, end) = part.split_once('*').unwrap_or((part, ""));
            let is_it = |path: &Path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.starts_with(start) && name.ends_with(end) && (part.contains('*') || name == part)
            };
            let inside = found.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
            found = inside.map(|entry| entry.unwrap().path()).filter(|path| is_it(path)).collect();
        }
        let id = |path: &PathBuf| {
            path.file_name().unwrap().to_string_lossy().split('.').next().unwrap().to_owned()
        };
        found.iter().map(id).collect()
    }
}

/// Status and body; `None` if the service is gone before it has answered.
fn call(address: &str, region: &str, operation: &str, input: &Value) -> Option<(u16, Value)> {
    let body = input.to_string();
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
