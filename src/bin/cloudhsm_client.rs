//! What start scripts wait for: the stand-in for the original's client daemon.
//!
//! The original's daemon held the connections of key_mgmt_util and the libraries. Here each program has its own, so all
//! that is left to do is to say when HSMs are reached.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::io::{self, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use cloudhsm::cluster::{Cluster, Dial, NoMembers, Server, members};
use cloudhsm::config::KeyConfig;
use cloudhsm::console;
use cloudhsm::generate::{Artifact, ManualSection, generate};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::device::ListMembers;
use cloudhsm::wire::Limits;
use futures_util::future::try_join_all;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// Reports when the HSMs of a cluster are reached
///
/// Connects to the HSMs of the client's or the console's configuration file, and prints `libevmulti_init: Ready !` once
/// one of them has answered and proved that it belongs to the cluster. It then stays, and reports which HSMs go and
/// come back, until SIGTERM or SIGINT. key_mgmt_util does not need it: it connects to the HSMs itself.
#[derive(Parser)]
#[command(name = "cloudhsm_client", version, after_help = EXIT_CODES)]
struct Arguments {
    /// The client's or the console's configuration file
    #[arg(default_value = "/opt/cloudhsm/etc/cloudhsm_client.cfg")]
    config: PathBuf,

    /// Print a completion script or the manual page, and exit
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Artifact>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  ended by SIGTERM or SIGINT
  1  standard output cannot be written
  2  wrong usage or configuration";

/// The name in error messages.
const PROGRAM: &str = "cloudhsm_client";

/// The original's line, which start scripts look for in the log.
const READY: &str = "libevmulti_init: Ready !";

/// The pause before an HSM is asked again: the original's `reconnect_interval`.
const INTERVAL: Duration = Duration::from_secs(3);

/// How long one may take to answer until it counts as gone. Its answers need no work that takes longer.
const ANSWER: Duration = Duration::from_secs(5);

/// An exit code and the error to report.
type ExitError = (u8, String);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    console::start_log();
    let ran = match arguments.generate {
        Some(artifact) => make(artifact).map_err(failed),
        None => run(&arguments),
    };
    console::exit(PROGRAM, ran.map(|()| 0))
}

fn make(artifact: Artifact) -> io::Result<()> {
    console::put(&generate(Arguments::command(), artifact, ManualSection::Daemons, &[])?)
}

fn run(arguments: &Arguments) -> Result<(), ExitError> {
    let config = KeyConfig::load(&arguments.config).map_err(wrong)?;
    console::warn(PROGRAM, config.warnings());
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(failed)?;
        tokio::select! {
            Err(error) = watch_all(&config) => Err(error),
            _ = terminated.recv() => Ok(()),
            _ = interrupted.recv() => Ok(()),
        }
    })
}

/// Watches all HSMs, each by itself: one that does not answer must not delay the news of the others.
async fn watch_all(config: &KeyConfig) -> Result<Vec<Infallible>, ExitError> {
    let log = RefCell::default();
    let dials = find(config, &log).await?;
    let watching = dials.into_iter().enumerate().map(|(number, dial)| watch(number, dial, &log));
    try_join_all(watching).await
}

/// How to reach the HSMs. The client's file names only one of them: that one has to answer before the others are known.
async fn find(config: &KeyConfig, log: &RefCell<Log>) -> Result<Vec<Dial>, ExitError> {
    let client = match config {
        KeyConfig::Client(client) => client,
        KeyConfig::Console(config) => {
            return config.servers().map(Dial::new).collect::<Result<_, _>>().map_err(wrong);
        }
    };
    loop {
        match members(client, limits()).await {
            Ok(dials) => return Ok(dials),
            Err(NoMembers::Identity(error)) => return Err(wrong(error)),
            Err(error) => log.borrow_mut().report(0, format!("{error}")).map_err(failed)?,
        }
        sleep(INTERVAL).await;
    }
}

/// Asks an HSM again and again, and reports what has changed.
async fn watch(number: usize, dial: Dial, log: &RefCell<Log>) -> Result<Infallible, ExitError> {
    let name = format!("server {number}({})", dial.name);
    let mut cluster = Cluster::new(vec![dial], limits(), Interrupt::default());
    loop {
        if cluster.servers().iter().any(|server| server.limitation().is_some()) {
            // The CA certificate may be there now.
            cluster.open(&[0], |_| (), |_, _| ()).await;
        } else {
            cluster.reconnect(&[0]).await;
        }
        // A connection to an HSM that hangs looks whole: only an answer shows that it is there.
        cluster.read(&[0], ListMembers).await.map_err(failed)?;
        let server = cluster.servers().first();
        log.borrow_mut()
            .report(number, format!("{name} {}", server.map_or_else(String::new, state)))
            .map_err(failed)?;
        if server.is_some_and(|server| server.is_connected() && server.is_trusted()) {
            log.borrow_mut().be_ready().map_err(failed)?;
        }
        sleep(INTERVAL).await;
    }
}

fn limits() -> Limits {
    Limits { call: ANSWER, ..Limits::default() }
}

fn state(server: &Server) -> String {
    match server.limitation() {
        _ if !server.is_connected() => format!("is not connected: {}", server.why_down()),
        Some(limitation) => format!("has not proved that it belongs to the cluster: {limitation}"),
        None => "is connected".to_owned(),
    }
}

/// What was printed: a line that is still true is not printed again.
#[derive(Default)]
struct Log {
    is_ready: bool,
    reported: BTreeMap<usize, String>,
}

impl Log {
    fn report(&mut self, number: usize, line: String) -> io::Result<()> {
        if self.reported.get(&number) != Some(&line) {
            print(&format!("{PROGRAM}: {line}"))?;
            self.reported.insert(number, line);
        }
        Ok(())
    }

    /// Prints the line that scripts wait for, once.
    fn be_ready(&mut self) -> io::Result<()> {
        if self.is_ready {
            return Ok(());
        }
        self.is_ready = true;
        print(READY)
    }
}

fn print(line: &str) -> io::Result<()> {
    // At once: scripts watch the file that it goes to.
    writeln!(stdout(), "{line}").and_then(|()| stdout().flush())
}

fn wrong(error: impl Display) -> ExitError {
    (2, error.to_string())
}

fn failed(error: impl Display) -> ExitError {
    (1, error.to_string())
}
