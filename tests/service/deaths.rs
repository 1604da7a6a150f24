//! HSMs that die at any time, also in the middle of a call.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloudhsm::protocol::user::UserType;
use cloudhsm::service::failure::Failure;
use cloudhsm::service::operation::Operation;
use cloudhsm::service::shapes::names::{ClusterId, HsmId};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::account::{Desk, EAST, PASSWORD, ask, login};

/// Random numbers of a seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hsms_die_at_any_time_and_come_back_with_what_they_had() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("SEED").map_or(now.subsec_nanos().into(), |seed| seed.parse().unwrap());
    let (desk, mut dice) = (Desk::open().await, Dice(seed));
    let cluster = desk.active_cluster().await;
    let end = Instant::now() + Duration::from_secs(8);
    while Instant::now() < end {
        let hsms = hsms(&desk, &cluster).await;
        let victim = HsmId::parse(&hsms[dice.throw(hsms.len() as u64) as usize].0).unwrap();
        let after = Duration::from_millis([0, dice.throw(60)][dice.throw(2) as usize]);
        let account = desk.account.clone().unwrap();
        let death = tokio::spawn(async move {
            sleep(after).await;
            account.abort(&victim);
        });
        let kind = dice.throw(3);
        let trace = format!("SEED={seed}: call {kind} on {hsms:?}, a death after {after:?}");
        // A call in which an HSM dies may fail, as a fault of the service that clients try again.
        let mut done = change(&desk, &cluster, kind, &hsms).await;
        let mut tries = 0;
        while let (Err(Failure::InternalFailure(_)), 0..5) = (&done, tries) {
            done = change(&desk, &cluster, kind, &hsms).await;
            tries += 1;
        }
        assert!(done.is_ok(), "{done:?} after {tries} tries, {trace}");
        death.await.unwrap();
        for (id, address) in self::hsms(&desk, &cluster).await {
            wait_for(&desk, &cluster, (&id, &address), &trace).await;
        }
    }
    desk.account.unwrap().close().await;
}

/// Another HSM, one less, or a backup.
async fn change(desk: &Desk, cluster: &str, kind: u64, hsms: &[(String, String)]) -> Result<(), Failure> {
    let (operation, input) = match kind {
        0 if hsms.len() < 3 => {
            (Operation::CreateHsm, json!({"ClusterId": cluster, "AvailabilityZone": "us-east-1b"}))
        }
        1 if hsms.len() > 1 => (Operation::DeleteHsm, json!({"ClusterId": cluster, "HsmId": hsms[0].0})),
        _ => {
            let account = desk.account.as_ref().unwrap();
            return account.back_up(ClusterId::parse(cluster).unwrap()).await.map(drop);
        }
    };
    desk.try_call(EAST, operation, input).await.map(drop)
}

/// Their ids and addresses.
async fn hsms(desk: &Desk, cluster: &str) -> Vec<(String, String)> {
    let shown = desk.cluster(cluster).await["Hsms"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    shown.as_array().unwrap().iter().map(|hsm| (text(&hsm["HsmId"]), text(&hsm["EniIp"]))).collect()
}

/// Until it is ACTIVE and knows its officer. One that has died is not DEGRADED in the same microsecond.
async fn wait_for(desk: &Desk, cluster: &str, (id, address): (&str, &str), trace: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = desk.cluster(cluster).await["Hsms"].clone();
        let hsm = shown.as_array().unwrap().iter().find(|hsm| hsm["HsmId"] == id).unwrap();
        let mut console = desk.console(address).await;
        let known = ask(&mut console, login(UserType::Co, "admin", PASSWORD)).await;
        match hsm["State"].as_str().unwrap() {
            "ACTIVE" if known.is_ok() => return,
            "ACTIVE" | "DEGRADED" => {}
            other => panic!("{other}, {trace}"),
        }
        assert!(Instant::now() < deadline, "{hsm} {known:?}, {trace}");
        sleep(Duration::from_millis(20)).await;
    }
}
