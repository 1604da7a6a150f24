//! The command line of the console.

use std::io::{self, Cursor, IsTerminal};
use std::path::PathBuf;

use clap::{ArgGroup, Parser, Subcommand};
use cloudhsm::console::{self, Lines, Output};
use cloudhsm::generate::Artifact;
use cloudhsm::hsmd::faults::Direction;
use cloudhsm::shell;

use crate::check::CheckArguments;
use crate::commands::CommandsArguments;
use crate::sign::SignArguments;

/// The CloudHSM management console
///
/// Reads commands from the terminal or, one per line, from standard input, and sends each to every HSM of the
/// configuration. Diagnostics go to standard error; RUST_LOG=debug shows more.
#[derive(Parser)]
#[command(name = "cloudhsm_mgmt_util", version, after_help = EXIT_CODES, group = ArgGroup::new("cluster").required(true))]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) other: Option<Other>,

    /// The configuration file, such as /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg
    #[arg(group = "cluster", value_name = "CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Run a development cluster of N HSMs (3 by default) inside this program, instead of a configuration
    #[arg(long, group = "cluster", value_name = "N", num_args = 0..=1)]
    pub(crate) dev: Option<Option<u32>>,

    /// Keep the development cluster in this folder across runs
    #[arg(long, value_name = "DIR", requires = "dev")]
    pub(crate) dev_dir: Option<PathBuf>,

    /// Let this go wrong on purpose, such as 'server 1 dies after 2'; can be repeated
    #[arg(long = "fault", value_name = "FAULT", requires = "dev", conflicts_with = "config")]
    pub(crate) faults: Vec<Direction>,

    /// Start even if some of the servers, but not all, cannot be reached
    #[arg(long)]
    pub(crate) allow_unreachable: bool,

    /// Run this command; can be repeated. The next one answers what a command asks
    #[arg(short = 'c', long = "command", value_name = "COMMAND", conflicts_with = "file")]
    pub(crate) commands: Vec<String>,

    /// Run the commands of this file, one per line
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// What to do after a failed command [default: stop with -c and -f, otherwise continue]
    #[arg(long, value_name = "HOW")]
    pub(crate) on_error: Option<shell::OnError>,

    /// Answer yes when asked whether to continue
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,

    /// What goes to standard output: the session, or one line of JSON per command
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,

    /// Do not save the lines of this session for later ones
    #[arg(long)]
    pub(crate) no_history: bool,

    /// Print a completion script or the manual page, and exit
    #[arg(long, value_name = "KIND", group = "cluster", exclusive = true)]
    pub(crate) generate: Option<Artifact>,
}

/// Subcommands: what needs no session.
#[derive(Subcommand)]
pub(crate) enum Other {
    Sign(SignArguments),
    Check(CheckArguments),
    Commands(CommandsArguments),
}

const EXIT_CODES: &str = "\
Exit codes, with commands from standard input, -c or -f:
    0  every command succeeded on every server
    1  a command failed: refused by every server, or not understood
    2  wrong usage or configuration
    3  a server could not be reached at the start, or none by a command
    4  a command was done on some servers and not on others, or servers differ
  130  interrupted";

impl Arguments {
    /// Where the commands come from.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) fn lines(&self) -> Result<Lines, String> {
        let is_typed = self.commands.is_empty() && self.file.is_none() && io::stdin().is_terminal();
        if is_typed && self.output == Output::Json {
            return Err("--output json reads commands from -c, -f or a pipe, not from a terminal".to_owned());
        }
        if !self.commands.is_empty() {
            let lines = Box::new(Cursor::new(self.commands.join("\n")));
            return Ok(Lines::Named { name: "-c".to_owned(), lines });
        }
        let Some(path) = &self.file else { return Ok(Lines::Stdin) };
        Lines::of_file(path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The file for a person's lines.
    pub(crate) fn history(&self) -> Option<PathBuf> {
        if self.no_history { None } else { console::history_file("cloudhsm_mgmt_util") }
    }

    pub(crate) fn on_error(&self) -> shell::OnError {
        let is_named = !self.commands.is_empty() || self.file.is_some();
        let default = if is_named { shell::OnError::Stop } else { shell::OnError::Continue };
        self.on_error.unwrap_or(default)
    }

    /// A person has seen what failed; a script needs the exit code.
    pub(crate) fn operator(&self) -> shell::Operator {
        let is_person = self.commands.is_empty() && self.file.is_none() && console::is_at_terminal();
        match (is_person, self.output) {
            (true, Output::Text) => shell::Operator::Person,
            (false, Output::Text) | (_, Output::Json) => shell::Operator::Script,
        }
    }
}
