//! Fills an HSM with keys, over several connections at once.

use std::path::Path;

use cloudhsm::cluster::{Cluster, Dial, Question};
use cloudhsm::config::Config;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::key::{GenerateKey, KeySpec, Template};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Operation, Secret};
use cloudhsm::wire::Limits;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 10;

/// Has a CU make AES keys on a server of a configuration: `count` of them, or a few more.
pub(crate) fn make_keys(config: &Path, server: usize, (name, password): (&str, &str), count: usize) {
    let dial = Dial::new(Config::load(config).unwrap().servers().nth(server).unwrap()).unwrap();
    let login = |name: &str| {
        let (name, password) = (name.to_owned(), Secret::new(password.to_owned()));
        Login { user_type: UserType::Cu, name, password, second_factor: None }
    };
    Runtime::new().unwrap().block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let mut hsm = Cluster::new(vec![dial.clone()], Limits::default(), Interrupt::default());
            let login = login(name);
            clients.spawn(async move {
                hsm.open(&[0], |_| (), |_, _| ()).await;
                ask(&mut hsm, login).await;
                for _ in 0..count.div_ceil(CONNECTIONS) {
                    let spec = KeySpec::Aes { bytes: 32 };
                    ask(&mut hsm, GenerateKey { spec, template: Template::default() }).await;
                }
            });
        }
        clients.join_all().await;
    });
}

async fn ask<O: Operation>(hsm: &mut Cluster, operation: O) {
    let question = Question::new(operation).unwrap();
    assert!(hsm.perform(&[0], &question).await.remove(0).is_ok());
}
