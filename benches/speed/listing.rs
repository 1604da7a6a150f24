//! Listing many keys, from the program's start to its end.

use std::time::Duration;

use cloudhsm::protocol::key::{GenerateKey, KeySpec, Template};

use super::hsms::{Hsms, PASSWORD, ask, session};
use super::process::output;
use super::rounds::{Comparison, Row, time_each};
use super::soft_hsm::{MISSING, SoftHsm};

const WHAT: &str = "10,000 keys listed, start to exit, with the login";

const KEYS: usize = 10_000;

pub(crate) fn compare() -> Vec<Row> {
    let Some(soft_hsm) = SoftHsm::with_keys(KEYS) else {
        return vec![Row::Skipped { what: WHAT, missing: MISSING }];
    };
    let hsms = Hsms::start(1, 93);
    tokio::runtime::Runtime::new().unwrap().block_on(make_keys(&hsms));
    let peer = "`pkcs11-tool --list-objects` on SoftHSM";
    let comparison = Comparison { what: WHAT, peer, budget: Some(0.02), rounds: 3 };
    vec![comparison.run(|| ours(&hsms), || theirs(&soft_hsm))]
}

async fn make_keys(hsms: &Hsms) {
    let mut cluster = hsms.alice().await;
    for number in 0..KEYS {
        let spec = KeySpec::Aes { bytes: 32 };
        let template = Template { label: format!("key {number}"), ..Template::default() };
        let new = GenerateKey { spec, template };
        ask(&mut cluster, new).await;
    }
}

fn ours(hsms: &Hsms) -> Duration {
    let login = format!("loginHSM CO admin {PASSWORD}");
    time_each(5, || {
        let listed = session(&mut hsms.console(), &[&login, "findAllKeys 0 0"]);
        assert!(listed.contains(&format!("Number of keys found {KEYS}\n")), "{listed}");
    })
}

fn theirs(soft_hsm: &SoftHsm) -> Duration {
    time_each(1, || {
        let listed = output(soft_hsm.tool().arg("--list-objects"));
        assert_eq!(listed.matches("Secret Key Object").count(), KEYS);
    })
}
