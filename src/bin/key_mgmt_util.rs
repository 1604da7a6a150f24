//! The key management tool.

use std::alloc::System;
use std::env;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::{CommandFactory, Parser};
use cloudhsm::cluster::{Cluster, Dial, members, unlisted};
use cloudhsm::command::Known;
use cloudhsm::config::{Config, KeyConfig};
use cloudhsm::configure::advice;
use cloudhsm::console::{self, Language, Lines, Output};
use cloudhsm::dev::{Dev, Faults};
use cloudhsm::files::without_number;
use cloudhsm::generate::{Artifact, ManualSection, generate};
use cloudhsm::hsmd::faults::Direction;
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::kmu::{Build, COMMANDS, Session, Single, list_commands, start_up};
use cloudhsm::outcome::Outcome;
use cloudhsm::shell::{self, OnError, Operator};
use cloudhsm::wire::Limits;
use tokio::runtime::{Builder, Runtime};
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: libraries, TLS among them, leave passwords and keys in buffers of theirs.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Makes and manages the keys of a CloudHSM cluster
///
/// Reads commands from the terminal or, one per line, from standard input; `scriptfile` reads them from a file, and
/// `singlecmd` runs one and exits. Diagnostics go to standard error; RUST_LOG=debug shows more.
#[derive(Parser)]
#[command(name = "key_mgmt_util", version, after_help = EXIT_CODES, override_usage = USAGE)]
struct Arguments {
    /// Use the development cluster in this folder; it is created if there is none, and started if it does not run
    #[arg(long, value_name = "DIR")]
    dev_dir: Option<PathBuf>,

    /// Run a development cluster of N HSMs (3 by default) inside this program
    #[arg(long, value_name = "N", num_args = 0..=1)]
    dev: Option<Option<u32>>,

    /// Let this go wrong on purpose, such as 'server 1 dies after 2'; can be repeated
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Direction>,

    /// Do not save the lines of this session for later ones
    #[arg(long)]
    no_history: bool,

    /// Print a completion script or the manual page, and exit
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Artifact>,

    /// The client's or the console's configuration file, and `singlecmd` with a command or `scriptfile` with a file
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CONFIG | singlecmd | scriptfile"
    )]
    words: Vec<String>,
}

impl Arguments {
    /// Reads the command line. clap takes all words after the first for the command's.
    fn read() -> Self {
        let mut arguments = Self::parse();
        let own = &mut arguments.words;
        let command = own.split_off(own.iter().position(|word| word == SINGLE).unwrap_or(own.len()));
        if own.iter().any(|word| word == NO_HISTORY) {
            arguments.no_history = true;
            own.retain(|word| word != NO_HISTORY);
        }
        if !command.is_empty() {
            own.pop_if(|word| ORIGINAL_NAMES.contains(&word.as_str()));
        }
        own.extend(command);
        arguments
    }

    /// The file for a person's lines.
    fn history(&self) -> Option<PathBuf> {
        if self.no_history { None } else { console::history_file("key_mgmt_util") }
    }
}

/// The word before a single command.
const SINGLE: &str = "singlecmd";

/// The word before a file of commands.
const FILE: &str = "scriptfile";

/// The program's other names, which the original's guide writes before [`SINGLE`].
const ORIGINAL_NAMES: [&str; 2] = ["Cfm3Util", "Cfm2Util"];

/// An option that may also follow the configuration file.
const NO_HISTORY: &str = "--no-history";

/// The environment variable that names a build of the original.
const BUILD: &str = "CLOUDHSM_KMU_BUILD";

const USAGE: &str = "\
key_mgmt_util [CONFIG] [singlecmd [loginHSM -u CU -s <user> -p <password>] <command>]
       key_mgmt_util [CONFIG] scriptfile <FILE>
       key_mgmt_util --dev-dir <DIR> [singlecmd …]
       key_mgmt_util --dev [N] [--dev-dir <DIR>]
       key_mgmt_util --generate <KIND>";

const EXIT_CODES: &str = "\
Without CONFIG, /opt/cloudhsm/etc/cloudhsm_client.cfg is read.
Before singlecmd, the word Cfm3Util or Cfm2Util is ignored.

Environment:
  CLOUDHSM_KMU_BUILD  whose words findKey has: A (default), those of the guide, or B, those of a
                      later build of the original, such as \"Total number of keys present: 2\"

Exit codes, with commands from standard input, scriptfile or singlecmd:
    0  every command succeeded
    1  a command failed, or a new key is not on every HSM
    2  wrong usage or configuration
  255  no server could be reached at the start, or the login of singlecmd failed";

/// The name in error messages.
const PROGRAM: &str = "key_mgmt_util";

const FAILED: u8 = 1;
const WRONG: u8 = 2;
const NOT_STARTED: u8 = 255;

const DEFAULT_CONFIG: &str = "/opt/cloudhsm/etc/cloudhsm_client.cfg";

fn main() -> ExitCode {
    let arguments = Arguments::read();
    console::start_log();
    let ran = match arguments.generate {
        Some(artifact) => make(artifact).map(|()| 0).map_err(|error| (FAILED, error.to_string())),
        None => run(&arguments),
    };
    console::exit(PROGRAM, ran)
}

fn make(artifact: Artifact) -> io::Result<()> {
    console::put(&generate(Arguments::command(), artifact, ManualSection::Commands, &COMMANDS.at_prompt())?)
}

/// An exit code and the error to report.
type ExitError = (u8, String);

fn run(arguments: &Arguments) -> Result<u8, ExitError> {
    let (config, work) = read_words(arguments)?;
    let build = read_build()?;
    let interrupt = Interrupt::default();
    // Before the connections, which take time: what is typed until now is echoed twice.
    let history = arguments.history();
    let console = console::open_for(work.lines()?, Output::Text, language(), &interrupt, history.as_deref());
    let mut console = console.map_err(wrong)?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build().map_err(wrong)?);
    let target = open(arguments, config, &runtime)?;
    let cluster = Cluster::new(target.dials, Limits::default(), interrupt.clone());
    let mut session = Session::new(console.as_mut(), cluster, target.minimum_nodes, interrupt, runtime);
    session.build = build;
    let code = if start_up(&mut session) {
        if let Some((path, config)) = &target.listed {
            warn(&mut session, config, path);
        }
        run_commands(&mut session, work)
    } else {
        NOT_STARTED
    };
    if let Some(dev) = target.dev {
        dev.stop();
    }
    if let Some(signal) = session.console.ended_by() {
        console::end_by(signal);
    }
    Ok(code)
}

/// What the console knows of this tool's lines.
fn language() -> Language {
    Language {
        redact: |line| COMMANDS.redact(line),
        recall: |line| COMMANDS.recall(line),
        is_kept: |line| COMMANDS.is_public(line),
        complete: Rc::new(|line| COMMANDS.complete(line, &Known::default())),
        hint: |line| COMMANDS.hint(line),
    }
}

/// Where the commands come from.
enum Work {
    /// Standard input.
    Session,
    /// A file, one per line.
    File(PathBuf),
    /// The program's command line.
    Single(Single),
}

impl Work {
    fn lines(&self) -> Result<Lines, ExitError> {
        match self {
            Self::Session | Self::Single(_) => Ok(Lines::Stdin),
            Self::File(path) => {
                let failed = |error| wrong(format!("{}: {}", path.display(), without_number(&error)));
                Lines::of_file(path).map_err(failed)
            }
        }
    }
}

/// The configuration file, and where the commands come from.
fn read_words(arguments: &Arguments) -> Result<(Option<&Path>, Work), ExitError> {
    let words = arguments.words.as_slice();
    let (config, rest) = match words {
        [] => (None, words),
        [first, ..] if [SINGLE, FILE].contains(&first.as_str()) => (None, words),
        [first, rest @ ..] => (Some(Path::new(first)), rest),
    };
    if config.is_some() && (arguments.dev.is_some() || arguments.dev_dir.is_some()) {
        return Err(wrong("either a configuration file or a development cluster, not both"));
    }
    if !(arguments.faults.is_empty() || arguments.dev.is_some() || arguments.dev_dir.is_some()) {
        return Err(wrong("--fault is for a development cluster: use --dev or --dev-dir"));
    }
    match rest {
        [] => Ok((config, Work::Session)),
        [first, command @ ..] if first == SINGLE => {
            Ok((config, Work::Single(Single::parse(command).map_err(wrong)?)))
        }
        [first, file] if first == FILE => Ok((config, Work::File(file.into()))),
        [first, ..] if first == FILE => Err(wrong("scriptfile: it takes one file")),
        [first, ..] => Err(wrong(format!("Error: Unknown commandline arguments: {first}"))),
    }
}

/// The build whose words findKey has. A variable, not an option: scripts that were written for the original pass none.
fn read_build() -> Result<Build, ExitError> {
    let Some(name) = env::var_os(BUILD).filter(|name| !name.is_empty()) else { return Ok(Build::default()) };
    let build = name.to_str().and_then(Build::parse);
    build.ok_or_else(|| wrong(format!("{BUILD}: {} is not A or B", name.display())))
}

/// The HSMs, and how many of them have to hold a new token key.
struct Target {
    dials: Vec<Dial>,
    minimum_nodes: usize,
    /// The configuration that lists the HSMs, with its path; `None` if a member of the cluster listed them.
    listed: Option<(PathBuf, Config)>,
    dev: Option<Dev>,
}

fn open(arguments: &Arguments, config: Option<&Path>, runtime: &Runtime) -> Result<Target, ExitError> {
    if arguments.dev.is_some() || arguments.dev_dir.is_some() {
        return open_dev(arguments, runtime);
    }
    let path = config.unwrap_or(Path::new(DEFAULT_CONFIG));
    let config = KeyConfig::load(path).map_err(wrong)?;
    console::warn(PROGRAM, config.warnings());
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
    Ok(Target { dials, minimum_nodes, listed, dev: None })
}

fn open_dev(arguments: &Arguments, runtime: &Runtime) -> Result<Target, ExitError> {
    let folder = arguments.dev_dir.as_deref();
    let running = match folder {
        Some(folder) => runtime.block_on(Dev::join(folder)).map_err(wrong)?,
        None => None,
    };
    let mut dev = match running {
        Some(running) => running,
        None => {
            let nodes = arguments.dev.flatten();
            let faults = Faults::of(&arguments.faults);
            let dev = Dev::start(nodes, folder, HashCost::default(), faults).map_err(wrong)?;
            advise(dev.dials.len(), folder);
            dev
        }
    };
    dev.direct_all(&arguments.faults, console::report).map_err(wrong)?;
    Ok(Target { dials: std::mem::take(&mut dev.dials), minimum_nodes: 1, listed: None, dev: Some(dev) })
}

/// Prints where users come from.
fn advise(nodes: usize, folder: Option<&Path>) {
    let users = match folder {
        Some(folder) => format!("cloudhsm_mgmt_util --dev --dev-dir {} creates its users", folder.display()),
        None => "it has no CU; keep it with --dev-dir, and cloudhsm_mgmt_util can create users".to_owned(),
    };
    console::report(&format!("Development cluster: {nodes} HSMs in this program; {users}."));
}

/// Reports HSMs that the configuration lacks: new keys would not reach them.
fn warn(session: &mut Session<'_>, config: &Config, path: &Path) {
    if let Some(unlisted) = session.wait(async |cluster, _| unlisted(cluster, config).await) {
        console::report(&format!("{PROGRAM}: {}", advice(path, &unlisted)));
    }
}

fn run_commands(session: &mut Session<'_>, work: Work) -> u8 {
    let operator = match work {
        Work::Single(single) => return run_single(session, single),
        Work::File(_) => Operator::Script,
        Work::Session => {
            list_commands(session);
            if console::is_at_terminal() { Operator::Person } else { Operator::Script }
        }
    };
    shell::run(session, OnError::Continue).report(PROGRAM, operator)
}

fn run_single(session: &mut Session<'_>, single: Single) -> u8 {
    session.console.commence();
    let outcome = single.run(session);
    session.wait(async |cluster, _| cluster.close().await);
    match outcome {
        None => NOT_STARTED,
        Some(Outcome::Failed | Outcome::Partial | Outcome::Different | Outcome::Unreached) => FAILED,
        Some(Outcome::Done | Outcome::Quit) if session.console.is_lost() => FAILED,
        Some(Outcome::Done | Outcome::Quit) => 0,
    }
}

fn wrong(error: impl Display) -> ExitError {
    (WRONG, error.to_string())
}
