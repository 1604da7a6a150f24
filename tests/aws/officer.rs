//! The console's part: it activates a cluster, and logs in.

use std::path::Path;

use cloudhsm::cluster::{Cluster, Dial, Failure, Question};
use cloudhsm::config::ServerConfig;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{ChangePassword, UserType};
use cloudhsm::protocol::{Operation, Secret};
use cloudhsm::wire::Limits;
use tokio::runtime::Runtime;

const PASSWORD: &str = "password1";

/// Changes PRECO's password.
pub(crate) fn activate(address: &str, port: u16, anchor: &Path) -> Result<(), Failure> {
    let (user_type, name) = (UserType::PreCo, "admin".to_owned());
    let password = Secret::new(PASSWORD.to_owned());
    let change = ChangePassword { user_type, name, password, second_factor: None };
    Runtime::new().unwrap().block_on(async {
        let mut console = logged_in(user_type, "password", (address, port), anchor).await?;
        ask(&mut console, change).await
    })
}

/// That an HSM has the officer and the password that it got.
pub(crate) fn log_in(address: &str, port: u16, anchor: &Path) -> Result<(), Failure> {
    let login = logged_in(UserType::Co, PASSWORD, (address, port), anchor);
    Runtime::new().unwrap().block_on(login).map(drop)
}

async fn logged_in(
    user_type: UserType,
    password: &str,
    (address, port): (&str, u16),
    anchor: &Path,
) -> Result<Cluster, Failure> {
    let dials = vec![Dial::new(&ServerConfig::new(address, port, anchor)).unwrap()];
    let mut console = Cluster::new(dials, Limits::default(), Interrupt::default());
    let everywhere = console.everywhere();
    console.open(&everywhere, |_| (), |_, _| ()).await;
    let password = Secret::new(password.to_owned());
    ask(&mut console, Login { user_type, name: "admin".to_owned(), password, second_factor: None }).await?;
    Ok(console)
}

async fn ask<O: Operation>(console: &mut Cluster, operation: O) -> Result<O::Reply, Failure> {
    console.perform(&[0], &Question::new(operation).unwrap()).await.pop().unwrap()
}
