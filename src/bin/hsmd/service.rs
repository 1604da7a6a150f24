//! `hsmd service`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use cloudhsm::service::account::{self, Ports};
use cloudhsm::service::check::check;
use cloudhsm::service::control::back_up;
use cloudhsm::service::run::{self, Options};
use cloudhsm::service::shapes::names::{ClusterId, Region};

use super::{print, runtime, text};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Service {
    #[command(subcommand)]
    command: Option<Command>,
    /// The account's folder, made if it is missing
    #[arg(long, required_unless_present = "check")]
    dir: Option<PathBuf>,
    /// Where the API is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4225")]
    listen: SocketAddr,
    /// Answer only requests signed with a key of this file, in the format of ~/.aws/credentials; required unless
    /// --listen is a loopback address
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// The region of requests that are not signed
    #[arg(long, default_value = "us-east-1", value_parser = Region::parse)]
    region: Region,
    /// How many seconds each state in progress lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pace: u64,
    /// The port of all HSMs; each has an address of its own
    #[arg(long, default_value_t = 2225)]
    port: u16,
    /// Where other machines reach the HSMs: ports of all interfaces, as for a container. The HSM at 127.10.1.4 gets the
    /// first one
    #[arg(long, value_name = "FIRST-LAST", value_parser = Ports::parse)]
    hsm_ports: Option<Ports>,
    /// Ask the service at --listen for its health, and exit
    #[arg(long, conflicts_with_all = ["dir", "credentials"])]
    check: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Back up a cluster of the running service now, and print the backup's id
    Backup {
        /// The account's folder
        #[arg(long)]
        dir: PathBuf,
        /// The cluster's id
        #[arg(value_parser = ClusterId::parse)]
        cluster: ClusterId,
    },
}

pub(crate) fn carry_out(service: Service) -> Result<(), String> {
    let Service { command, dir, listen, credentials, region, pace, port, hsm_ports, check: only_check } =
        service;
    if let Some(Command::Backup { dir, cluster }) = command {
        return print(&format!("{}\n", back_up(&dir, cluster).map_err(text)?));
    }
    if only_check {
        check(listen).map_err(text)?;
        return print("ok\n");
    }
    let pace = Duration::from_secs(pace);
    let account = account::Options { pace, port, ports: hsm_ports, ..account::Options::default() };
    let options = Options { listen, credentials, default_region: region, account };
    runtime()?.block_on(run::run(&dir.unwrap_or_default(), options)).map_err(text)
}
