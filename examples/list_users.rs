//! Lists the users of every HSM of a configuration: `cargo run --example list_users -- <config>`.

use std::path::Path;

use cloudhsm::cluster::{Cluster, Dial};
use cloudhsm::config::Config;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::user::ListUsers;
use cloudhsm::wire::Limits;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: list_users <config>")?;
    let config = Config::load(Path::new(&path))?;
    let dials = config.servers().map(Dial::new).collect::<Result<_, _>>()?;
    let mut cluster = Cluster::new(dials, Limits::default(), Interrupt::default());
    let everywhere = cluster.everywhere();
    cluster.open(&everywhere, |_| (), |_, _| ()).await;

    let answers = cluster.read(&everywhere, ListUsers).await?;
    #[expect(clippy::print_stdout, reason = "an example may")]
    for (server, answer) in cluster.servers().iter().zip(answers) {
        match answer {
            Ok(users) => println!("{server}: {users:?}"),
            Err(failure) => println!("{server}: {failure}"),
        }
    }
    Ok(())
}
