//! The tool that makes keys.

use std::fmt::Display;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::{CommandFactory, Parser};
use cloudhsm::cluster::{Cluster, Dial, members, unlisted};
use cloudhsm::command::Known;
use cloudhsm::config::{Config, KeyConfig};
use cloudhsm::configure::advice;
use cloudhsm::console::{self, Language};
use cloudhsm::dev::Dev;
use cloudhsm::generate::{Kind, Section, generate};
use cloudhsm::hsmd::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::kmu::{COMMANDS, Session, Single, list_commands, start_up};
use cloudhsm::outcome::Outcome;
use cloudhsm::shell::{self, Ended, OnError, Operator};
use cloudhsm::wire::Limits;
use tokio::runtime::{Builder, Runtime};

/// Makes and manages the keys of a CloudHSM cluster
///
/// Reads commands from the terminal or, one a line, from standard input; `singlecmd` runs one and ends. Diagnostics go
/// to standard error; RUST_LOG=debug shows more of them.
#[derive(Parser)]
#[command(name = "key_mgmt_util", version, after_help = EXIT_CODES, override_usage = USAGE)]
struct Arguments {
    /// Use the development cluster of this folder: the running one, or it is run, and made if there is none
    #[arg(long, value_name = "DIR")]
    dev_dir: Option<PathBuf>,

    /// Run a development cluster of N HSMs (3 by default) inside this program
    #[arg(long, value_name = "N", num_args = 0..=1)]
    dev: Option<Option<u32>>,

    /// Keep no lines of this session for the next ones
    #[arg(long)]
    no_history: bool,

    /// Print a completion script, or the manual page, and end
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Kind>,

    /// The client's or the console's configuration file, and `singlecmd` with a command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CONFIG | singlecmd")]
    words: Vec<String>,
}

impl Arguments {
    /// Where a person's lines are kept.
    fn history(&self) -> Option<PathBuf> {
        if self.no_history { None } else { console::history_file("key_mgmt_util") }
    }
}

const USAGE: &str = "\
key_mgmt_util [CONFIG] [singlecmd [loginHSM -u CU -s <user> -p <password>] <command>]
       key_mgmt_util --dev-dir <DIR> [singlecmd …]
       key_mgmt_util --dev [N] [--dev-dir <DIR>]
       key_mgmt_util --generate <KIND>";

const EXIT_CODES: &str = "\
Without CONFIG, /opt/cloudhsm/etc/cloudhsm_client.cfg is read.

Exit codes, with commands from standard input or singlecmd:
    0  every command succeeded
    1  a command failed
    2  wrong usage or configuration
  255  no server could be reached at the start, or the login of singlecmd failed";

const FAILED: u8 = 1;
const WRONG: u8 = 2;
const NOT_STARTED: u8 = 255;

const DEFAULT_CONFIG: &str = "/opt/cloudhsm/etc/cloudhsm_client.cfg";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(stderr)
        .log_internal_errors(false)
        .init();
    let ran = match arguments.generate {
        Some(kind) => print(kind).map(|()| 0).map_err(|error| (FAILED, error)),
        None => run(&arguments),
    };
    match ran {
        Ok(code) => ExitCode::from(code),
        Err((code, error)) => {
            say(&format!("key_mgmt_util: {error}"));
            ExitCode::from(code)
        }
    }
}

fn print(kind: Kind) -> Result<(), String> {
    let written =
        generate(Arguments::command(), kind, Section::Commands).map_err(|error| error.to_string())?;
    console::put(&written).map_err(|error| error.to_string())
}

/// An exit code, and what to say of it.
type Ending = (u8, String);

fn run(arguments: &Arguments) -> Result<u8, Ending> {
    let (config, single) = read_words(arguments)?;
    let interrupt = Interrupt::default();
    // First of all: what is typed from now on is not echoed twice.
    let mut console = console::open(language(), &interrupt, arguments.history().as_deref()).map_err(wrong)?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build().map_err(wrong)?);
    let source = open(arguments, config, &runtime)?;
    let cluster = Cluster::new(source.dials, Limits::default(), interrupt.clone());
    let mut session = Session::new(console.as_mut(), cluster, source.minimum_nodes, interrupt, runtime);
    let code = if start_up(&mut session) {
        if let Some((path, config)) = &source.listed {
            warn(&mut session, config, path);
        }
        run_commands(&mut session, single)
    } else {
        NOT_STARTED
    };
    if let Some(dev) = source.dev {
        dev.stop();
    }
    if let Some(signal) = session.console.ended_by() {
        console::end_by(signal);
    }
    Ok(code)
}

/// How lines are redacted, recalled, completed and explained.
fn language() -> Language {
    Language {
        redact: |line| COMMANDS.redact(line),
        recall: |line| COMMANDS.recall(line),
        is_kept: |line| COMMANDS.is_public(line),
        complete: Rc::new(|line| COMMANDS.complete(line, &Known::default())),
        hint: |line| COMMANDS.hint(line),
    }
}

/// The configuration that the words name, if any, and the one command, if they hold one.
fn read_words(arguments: &Arguments) -> Result<(Option<&Path>, Option<Single>), Ending> {
    let words = arguments.words.as_slice();
    let (config, rest) = match words {
        [] => (None, words),
        [first, ..] if first == "singlecmd" => (None, words),
        [first, rest @ ..] => (Some(Path::new(first)), rest),
    };
    if config.is_some() && (arguments.dev.is_some() || arguments.dev_dir.is_some()) {
        return Err(wrong("a configuration file and a development cluster exclude each other"));
    }
    match rest {
        [] => Ok((config, None)),
        [first, command @ ..] if first == "singlecmd" => {
            Ok((config, Some(Single::parse(command).map_err(wrong)?)))
        }
        [first, ..] => Err(wrong(format!("Error: Unknown commandline arguments: {first}"))),
    }
}

/// The HSMs, and what the configuration says of new keys.
struct Source {
    dials: Vec<Dial>,
    minimum_nodes: usize,
    /// The console's configuration and its file, if that lists the HSMs.
    listed: Option<(PathBuf, Config)>,
    dev: Option<Dev>,
}

fn open(arguments: &Arguments, config: Option<&Path>, runtime: &Runtime) -> Result<Source, Ending> {
    if arguments.dev.is_some() || arguments.dev_dir.is_some() {
        return open_dev(arguments, runtime);
    }
    let path = config.unwrap_or(Path::new(DEFAULT_CONFIG));
    let config = KeyConfig::load(path).map_err(wrong)?;
    let dials = match &config {
        KeyConfig::Client(client) => {
            let members = runtime.block_on(members(client, Limits::default()));
            members.map_err(|error| (NOT_STARTED, error.to_string()))?
        }
        KeyConfig::Console(config) => {
            config.servers().map(Dial::new).collect::<Result<_, _>>().map_err(wrong)?
        }
    };
    let minimum_nodes = config.minimum_nodes();
    let listed = match config {
        KeyConfig::Client(_) => None,
        KeyConfig::Console(config) => Some((path.to_owned(), config)),
    };
    Ok(Source { dials, minimum_nodes, listed, dev: None })
}

fn open_dev(arguments: &Arguments, runtime: &Runtime) -> Result<Source, Ending> {
    let folder = arguments.dev_dir.as_deref();
    let running = match folder {
        Some(folder) => runtime.block_on(Dev::join(folder)).map_err(wrong)?,
        None => None,
    };
    let mut dev = match running {
        Some(running) => running,
        None => {
            let nodes = arguments.dev.flatten();
            let dev = Dev::start(nodes, folder, HashCost::default()).map_err(wrong)?;
            advise(dev.dials.len(), folder);
            dev
        }
    };
    Ok(Source { dials: std::mem::take(&mut dev.dials), minimum_nodes: 1, listed: None, dev: Some(dev) })
}

/// Where users come from, for whoever has no runbook.
fn advise(nodes: usize, folder: Option<&Path>) {
    let users = match folder {
        Some(folder) => format!("cloudhsm_mgmt_util --dev --dev-dir {} makes its users", folder.display()),
        None => "it has no CU; with --dev-dir it is kept, and cloudhsm_mgmt_util makes its users".to_owned(),
    };
    say(&format!("Development cluster: {nodes} HSMs in this program; {users}."));
}

/// New keys would not reach an HSM that the configuration lacks.
fn warn(session: &mut Session<'_>, config: &Config, path: &Path) {
    if let Some(unlisted) = session.wait(async |cluster, _| unlisted(cluster, config).await) {
        say(&format!("key_mgmt_util: {}", advice(path, &unlisted)));
    }
}

fn run_commands(session: &mut Session<'_>, single: Option<Single>) -> u8 {
    if let Some(single) = single {
        return run_single(session, single);
    }
    list_commands(session);
    exit_code(shell::run(session, OnError::Continue))
}

fn run_single(session: &mut Session<'_>, single: Single) -> u8 {
    session.console.commence();
    let outcome = single.run(session);
    session.wait(async |cluster, _| cluster.close().await);
    match outcome {
        None => NOT_STARTED,
        Some(Outcome::Failed | Outcome::Partial | Outcome::Unreached) => FAILED,
        Some(Outcome::Done | Outcome::Quit) if session.console.is_lost() => FAILED,
        Some(Outcome::Done | Outcome::Quit) => 0,
    }
}

/// Scripts get the exit code, and standard error what nobody has been told.
fn exit_code(ended: Ended) -> u8 {
    if let Some(complaint) = ended.complaint() {
        say(&format!("key_mgmt_util: {complaint}"));
    }
    ended.exit_code(if console::is_at_terminal() { Operator::Person } else { Operator::Script })
}

fn say(line: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(stderr(), "{line}");
}

fn wrong(error: impl Display) -> Ending {
    (WRONG, error.to_string())
}
