//! The management console.

mod arguments;
mod check;
mod commands;
mod sign;

use std::alloc::System;
use std::fmt::Display;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use arguments::{Arguments, Other};
use clap::{CommandFactory, Parser};
use cloudhsm::cluster::{Cluster, Dial, proven_users, unlisted};
use cloudhsm::cmu::{COMMANDS, Caution, Session};
use cloudhsm::command::Known;
use cloudhsm::config::Config;
use cloudhsm::configure::advice;
use cloudhsm::console::{self, Language, Output};
use cloudhsm::dev::{Dev, Faults};
use cloudhsm::generate::{Artifact, ManualSection, generate};
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::shell::{self, Unreachable, code};
use cloudhsm::wire::Limits;
use tokio::runtime::{Builder, Runtime};
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: libraries, TLS among them, leave passwords and keys in buffers of theirs.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// The name in error messages.
const PROGRAM: &str = "cloudhsm_mgmt_util";

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    console::start_log();
    let ran = match (arguments.other.take(), arguments.generate) {
        (Some(Other::Sign(sign)), _) => sign.run().map(|()| 0).map_err(|error| (code::FAILED, error)),
        (Some(Other::Check(check)), _) => check.run().map_err(|error| (code::WRONG, error)),
        (Some(Other::Commands(commands)), _) => {
            commands.run().map(|()| 0).map_err(|error| (code::WRONG, error))
        }
        (None, Some(artifact)) => make(artifact).map(|()| 0).map_err(|error| (code::FAILED, error)),
        (None, None) => run(&arguments).map_err(|error| (code::WRONG, error)),
    };
    console::exit(PROGRAM, ran)
}

fn run(arguments: &Arguments) -> Result<u8, String> {
    let (interrupt, lines) = (Interrupt::default(), arguments.lines()?);
    let known = Known::default();
    let language = language(&known);
    let history = arguments.history();
    // Before the connections, which take time: what is typed until now is echoed twice.
    let console = console::open_for(lines, arguments.output, language, &interrupt, history.as_deref());
    let mut console = console.map_err(text)?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build().map_err(text)?);
    let (config, dials, dev) = match &arguments.config {
        Some(path) => {
            let config = Config::load(path).map_err(text)?;
            console::warn(PROGRAM, config.warnings());
            let dials = config.servers().map(Dial::new).collect::<Result<_, _>>().map_err(text)?;
            (config, dials, None)
        }
        None => start_dev(arguments)?,
    };
    ask_for_users(&known, dials.clone(), Rc::clone(&runtime));
    let cluster = Cluster::new(dials, Limits::default(), interrupt.clone());
    let mut session = Session::new(console.as_mut(), cluster, interrupt, runtime);
    prepare(&mut session, arguments);
    session.complete_for(known);
    let unreachable = if arguments.allow_unreachable { Unreachable::GoOn } else { Unreachable::GiveUp };
    let code = if shell::start_up(&mut session, config.sets_e2e(), unreachable) {
        if let Some(path) = &arguments.config {
            warn(&mut session, &config, path);
        }
        shell::run(&mut session, arguments.on_error()).report(PROGRAM, arguments.operator())
    } else {
        code::UNREACHED
    };
    if let Some(dev) = dev {
        dev.stop();
    }
    if let Some(signal) = session.console.ended_by() {
        console::end_by(signal);
    }
    Ok(code)
}

/// What the console knows of this tool's lines.
fn language(known: &Known) -> Language {
    let known = known.clone();
    Language {
        redact: |line| COMMANDS.redact(line),
        recall: |line| COMMANDS.recall(line),
        is_kept: |line| COMMANDS.is_public(line),
        complete: Rc::new(move |line| COMMANDS.complete(line, &known)),
        hint: |line| COMMANDS.hint(line),
    }
}

/// How long whoever presses Tab waits for the servers.
const PATIENCE: Duration = Duration::from_secs(1);

fn ask_for_users(known: &Known, dials: Vec<Dial>, runtime: Rc<Runtime>) {
    known.ask_for_users(move || runtime.block_on(proven_users(&dials, PATIENCE)));
}

fn prepare(session: &mut Session<'_>, arguments: &Arguments) {
    if arguments.yes {
        session.caution = Caution::Taken;
    }
    match arguments.output {
        Output::Text => {}
        Output::Json => session.tally.keep_replies(),
    }
}

fn start_dev(arguments: &Arguments) -> Result<(Config, Vec<Dial>, Option<Dev>), String> {
    let folder = arguments.dev_dir.as_deref();
    let faults = Faults::of(&arguments.faults);
    let mut dev = Dev::start(arguments.dev.flatten(), folder, HashCost::default(), faults).map_err(text)?;
    advise(dev.dials.len(), folder);
    dev.direct_all(&arguments.faults, console::report)?;
    Ok((dev.config.clone(), std::mem::take(&mut dev.dials), Some(dev)))
}

/// Prints what to type first.
fn advise(nodes: usize, folder: Option<&Path>) {
    let kept = match folder {
        Some(folder) => format!("kept in {}", folder.display()),
        None => "gone when this program ends".to_owned(),
    };
    console::report(&format!(
        "Development cluster: {nodes} HSMs in this program, {kept}.\n\
         New HSMs are activated by: loginHSM PRECO admin password\n\
         and then:                  changePswd PRECO admin <new password>\n\
         help lists the commands.\n"
    ));
}

/// Reports HSMs that the configuration lacks: changes would not reach them, and their users drift apart.
fn warn(session: &mut Session<'_>, config: &Config, path: &Path) {
    if let Some(unlisted) = session.wait(async |cluster, _| unlisted(cluster, config).await) {
        console::report(&format!("{PROGRAM}: {}", advice(path, &unlisted)));
    }
}

fn make(artifact: Artifact) -> Result<(), String> {
    let made = generate(Arguments::command(), artifact, ManualSection::Commands, &COMMANDS.at_prompt())
        .map_err(text)?;
    console::put(&made).map_err(text)
}

/// Prints what a subcommand has done.
fn print(text: &str) {
    // It is done, even if nobody reads it.
    let _ = write!(stdout(), "{text}");
}

fn text(error: impl Display) -> String {
    error.to_string()
}
