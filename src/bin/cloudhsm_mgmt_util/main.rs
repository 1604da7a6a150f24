//! The console.

mod sign;

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Parser, Subcommand};
use cloudhsm::cluster::config::Config;
use cloudhsm::cluster::{Cluster, Dial, unlisted};
use cloudhsm::cmu::{Session, mask, recall};
use cloudhsm::configure::advice;
use cloudhsm::console;
use cloudhsm::dev::Dev;
use cloudhsm::hsmd::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::shell::{self, Ended, Unreachable};
use cloudhsm::wire::Limits;
use tokio::runtime::Runtime;

/// The CloudHSM management console
///
/// Reads commands from the terminal or, one a line, from standard input, and sends each to every HSM of the
/// configuration. Diagnostics go to standard error; RUST_LOG=debug shows more of them.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES, group = ArgGroup::new("cluster").required(true))]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    other: Option<Other>,

    /// The configuration file, such as /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg
    #[arg(group = "cluster", value_name = "CONFIG")]
    config: Option<PathBuf>,

    /// Run a development cluster of N HSMs (3 by default) inside this program, instead of a configuration
    #[arg(long, group = "cluster", value_name = "N", num_args = 0..=1)]
    dev: Option<Option<u32>>,

    /// Keep the development cluster in this folder across runs
    #[arg(long, value_name = "DIR", requires = "dev")]
    dev_dir: Option<PathBuf>,

    /// Start also if some of the servers, but not all, cannot be reached
    #[arg(long)]
    allow_unreachable: bool,
}

/// What needs no session.
#[derive(Subcommand)]
enum Other {
    Sign(sign::Sign),
}

const EXIT_CODES: &str = "\
Exit codes, with commands from standard input:
  0  every command succeeded on every server
  1  a command failed, or not every server did it
  2  wrong usage or configuration
  3  a server could not be reached at the start";

const FAILED: u8 = 1;
const WRONG: u8 = 2;
const UNREACHED: u8 = 3;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(stderr)
        .log_internal_errors(false)
        .init();
    let ran = match arguments.other {
        Some(Other::Sign(sign)) => sign.run().map(|()| 0),
        None => run(&arguments),
    };
    match ran {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("cloudhsm_mgmt_util: {error}"));
            ExitCode::from(WRONG)
        }
    }
}

fn run(arguments: &Arguments) -> Result<u8, String> {
    let interrupt = Interrupt::default();
    // First of all: what is typed from now on is not echoed twice.
    let mut console = console::open(mask, recall, &interrupt).map_err(text)?;
    let runtime = Runtime::new().map_err(text)?;
    let (config, dials, dev) = match &arguments.config {
        Some(path) => {
            let config = Config::load(path).map_err(text)?;
            let dials = config.servers().map(Dial::new).collect::<Result<_, _>>().map_err(text)?;
            (config, dials, None)
        }
        None => start_dev(&runtime, arguments)?,
    };
    let cluster = Cluster::new(dials, Limits::default(), interrupt.clone());
    let mut session = Session::new(console.as_mut(), cluster, interrupt, runtime.handle().clone());
    let unreachable = if arguments.allow_unreachable { Unreachable::GoOn } else { Unreachable::GiveUp };
    let code = if shell::start_up(&mut session, config.sets_e2e(), unreachable) {
        if let Some(path) = &arguments.config {
            warn(&mut session, &config, path);
        }
        exit_code(shell::run(&mut session))
    } else {
        UNREACHED
    };
    if let Some(dev) = dev {
        runtime.block_on(dev.stop());
    }
    Ok(code)
}

fn start_dev(runtime: &Runtime, arguments: &Arguments) -> Result<(Config, Vec<Dial>, Option<Dev>), String> {
    let folder = arguments.dev_dir.as_deref();
    let mut dev =
        runtime.block_on(Dev::start(arguments.dev.flatten(), folder, HashCost::default())).map_err(text)?;
    advise(dev.dials.len(), folder);
    Ok((dev.config.clone(), std::mem::take(&mut dev.dials), Some(dev)))
}

/// What to type first, for whoever has no runbook.
fn advise(nodes: usize, folder: Option<&Path>) {
    let kept = match folder {
        Some(folder) => format!("kept in {}", folder.display()),
        None => "gone when this program ends".to_owned(),
    };
    say(&format!(
        "Development cluster: {nodes} HSMs in this program, {kept}.\n\
         New HSMs are activated by: loginHSM PRECO admin password\n\
         and then:                  changePswd PRECO admin <new password>\n\
         help lists the commands.\n"
    ));
}

/// Changes would not reach an HSM that the configuration lacks: that is how users drift apart.
fn warn(session: &mut Session<'_>, config: &Config, path: &Path) {
    if let Some(unlisted) = session.wait(async |cluster, _| unlisted(cluster, config).await) {
        say(&format!("cloudhsm_mgmt_util: {}", advice(path, &unlisted)));
    }
}

/// A person saw what failed; a script needs to be told.
fn exit_code(ended: Ended) -> u8 {
    match ended {
        Ended::ConsoleLost => {
            say("cloudhsm_mgmt_util: standard input or output failed; the remaining commands were not run");
            FAILED
        }
        Ended::SomethingFailed if !stdin().is_terminal() || !stdout().is_terminal() => FAILED,
        Ended::SomethingFailed | Ended::AllDone => 0,
    }
}

/// To standard output.
fn tell(text: &str) {
    // Nobody is left to be told that it is closed.
    let _ = write!(stdout(), "{text}");
}

fn say(line: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(stderr(), "{line}");
}

fn text(error: impl Display) -> String {
    error.to_string()
}
