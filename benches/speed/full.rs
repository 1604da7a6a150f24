//! A change on an HSM that is full, compared with the same change on an HSM with one key.

use std::time::{Duration, Instant};

use cloudhsm::cluster::Cluster;
use cloudhsm::hsm::{MAX_KEYS, MAX_USERS};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::key::{GenerateKey, KeyHandle, KeySpec, Template};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{CreateUser, UserType};
use cloudhsm::wire::Limits;
use futures_util::future::join_all;
use tokio::runtime::Runtime;

use super::hsms::{Hsms, PASSWORD, add_keys, ask};
use super::rounds::{Comparison, Row};

/// The changes of one turn.
const CHANGES: u32 = 500;

pub(crate) fn compare() -> Vec<Row> {
    let (full, empty) = (Hsms::start(1, 93), Hsms::start(1, 94));
    let runtime = Runtime::new().unwrap();
    let (mut full_client, full_key) = runtime.block_on(async {
        fill_with_users(&full).await;
        fill_with_keys(&full).await
    });
    let (mut empty_client, empty_key) = runtime.block_on(async {
        let mut client = empty.alice().await;
        let key = make(&mut client).await;
        (client, key)
    });
    let comparison =
        Comparison { what: "a change on a full HSM", peer: "on an empty one", budget: Some(1.3), rounds: 15 };
    vec![comparison.run(
        || runtime.block_on(change(&mut full_client, full_key)),
        || runtime.block_on(change(&mut empty_client, empty_key)),
    )]
}

/// As many users as an HSM holds.
async fn fill_with_users(hsms: &Hsms) {
    let officers = join_all((0..4).map(async |officer| {
        let mut cluster = Cluster::new(hsms.dials(), Limits::default(), Interrupt::default());
        cluster.open(&cluster.everywhere(), |_| (), |_, _| ()).await;
        let (name, password) = ("admin".to_owned(), Secret::new(PASSWORD.to_owned()));
        ask(&mut cluster, Login { user_type: UserType::Co, name, password, second_factor: None }).await;
        // Three are there: the officer, the appliance user and alice.
        for number in (officer..MAX_USERS - 3).step_by(4) {
            let name = format!("user{number}");
            let password = Secret::new("a password".to_owned());
            let user_type = UserType::Cu;
            ask(&mut cluster, CreateUser { user_type, name, password, second_factor: None }).await;
        }
        cluster
    }));
    drop(officers.await);
}

/// As many keys as an HSM holds, and a client of their owner.
async fn fill_with_keys(hsms: &Hsms) -> (Cluster, KeyHandle) {
    let mut client = hsms.alice().await;
    let first = make(&mut client).await;
    add_keys(hsms, MAX_KEYS - 1, &Template::default()).await;
    (client, first)
}

async fn make(cluster: &mut Cluster) -> KeyHandle {
    let spec = KeySpec::Aes { bytes: 32 };
    ask(cluster, GenerateKey { spec, template: Template::default() }).await[0]
}

/// The time of one change.
async fn change(cluster: &mut Cluster, handle: KeyHandle) -> Duration {
    let start = Instant::now();
    for number in 0..CHANGES {
        let value = Value::Text(format!("label {number}"));
        ask(cluster, SetAttribute { handle, attribute: Attribute::Label, value }).await;
    }
    start.elapsed() / CHANGES
}
