//! `hsmd service`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cloudhsm::service::account;
use cloudhsm::service::check::check;
use cloudhsm::service::run::{self, Options};
use cloudhsm::service::shapes::names::Region;

use super::{print, runtime, text};

#[derive(Args)]
pub(crate) struct Service {
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
    /// Ask the service at --listen for its health, and exit
    #[arg(long, conflicts_with_all = ["dir", "credentials"])]
    check: bool,
}

pub(crate) fn carry_out(service: Service) -> Result<(), String> {
    let Service { dir, listen, credentials, region, pace, port, check: only_check } = service;
    if only_check {
        check(listen).map_err(text)?;
        return print("ok\n");
    }
    let account = account::Options { pace: Duration::from_secs(pace), port, ..account::Options::default() };
    let options = Options { listen, credentials, default_region: region, account };
    runtime()?.block_on(run::run(&dir.unwrap_or_default(), options)).map_err(text)
}
