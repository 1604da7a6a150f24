//! `cloudhsm_mgmt_util check`: plays transcripts and prints where the console differs from them.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use clap::{ArgGroup, Args};
use cloudhsm::cluster::{Cluster, Dial};
use cloudhsm::config::Config;
use cloudhsm::console;
use cloudhsm::dev::{Dev, Faults};
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::shell::code;
use cloudhsm::transcript::{self, Stage};
use cloudhsm::wire::Limits;
use tokio::runtime::{Builder, Runtime};

use crate::{PROGRAM, text};

/// Play transcripts and show the lines in which the console differs from them
///
/// A transcript is a session as the console prints it: the text after a prompt or a question is typed, all the rest is
/// expected. Passwords are written out. Lines that begin with # are comments. In an expected line, [..] matches
/// anything, and [=name] the same text everywhere; a line [caution] stands for the banner before a change. The start-up
/// banner is expected only if the transcript has it. A line such as `#! server 1 dies after 2` makes a server of --dev fail
/// on purpose; docs/transcripts.md lists what else can go wrong.
#[derive(Args)]
#[expect(rustdoc::broken_intra_doc_links, reason = "it is a help text, in which a backslash would show")]
#[command(after_help = EXIT_CODES, group = ArgGroup::new("hsms").required(true))]
pub(crate) struct CheckArguments {
    /// The transcripts
    #[arg(value_name = "TRANSCRIPT", required = true)]
    transcripts: Vec<PathBuf>,

    /// Play them on the HSMs of this configuration
    #[arg(long, group = "hsms", value_name = "CONFIG")]
    config: Option<PathBuf>,

    /// Play each of them on a new development cluster of N HSMs
    #[arg(long, group = "hsms", value_name = "N")]
    dev: Option<u32>,

    /// Rewrite the transcripts with what the console did; lines with [..] that still match stay
    #[arg(long)]
    update: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the console did what the transcripts say
  1  it did not
  2  wrong usage, configuration or transcript";

impl CheckArguments {
    /// Plays all transcripts; returns the exit code.
    pub(crate) fn run(&self) -> Result<u8, String> {
        let runtime = Rc::new(Builder::new_current_thread().enable_all().build().map_err(text)?);
        let mut exit = 0;
        for path in &self.transcripts {
            let name = path.display().to_string();
            let about = |error: &dyn ToString| format!("{name}: {}", error.to_string());
            let expected = fs::read_to_string(path).map_err(|error| about(&error))?.replace("\r\n", "\n");
            let printed = self.play(&runtime, &expected).map_err(|error| about(&error))?;
            if printed == expected {
                continue;
            }
            if self.update {
                fs::write(path, printed).map_err(|error| about(&error))?;
            } else {
                crate::print(&transcript::diff(&expected, &printed, &name));
                exit = code::FAILED;
            }
        }
        Ok(exit)
    }

    fn play(&self, runtime: &Rc<Runtime>, expected: &str) -> Result<String, String> {
        let (dials, dev) = match &self.config {
            Some(path) => {
                let config = Config::load(path).map_err(text)?;
                console::warn(PROGRAM, config.warnings());
                (config.servers().map(Dial::new).collect::<Result<_, _>>().map_err(text)?, None)
            }
            None => {
                let (cost, has_directions) = (HashCost::default(), expected.lines().any(is_direction));
                let faults = if has_directions { Faults::OnPurpose } else { Faults::None };
                let mut dev = Dev::start(self.dev, None, cost, faults).map_err(text)?;
                (std::mem::take(&mut dev.dials), Some(dev))
            }
        };
        let interrupt = Interrupt::default();
        let cluster = Cluster::new(dials, Limits::default(), interrupt.clone());
        let played =
            transcript::play(expected, DevStage(dev.as_ref()), cluster, interrupt, Rc::clone(runtime));
        if let Some(dev) = dev {
            dev.stop();
        }
        played
    }
}

fn is_direction(line: &str) -> bool {
    line.starts_with("#! ")
}

/// A development cluster, which obeys stage directions; other HSMs do not.
struct DevStage<'a>(Option<&'a Dev>);

impl Stage for DevStage<'_> {
    fn direct(&mut self, direction: &str) -> Result<String, String> {
        let dev = self.0.ok_or("a stage direction, which only HSMs of --dev obey")?;
        dev.direct(&direction.parse().map_err(|_| NO_DIRECTION)?).map_err(text)?;
        Ok(String::new())
    }

    fn typed(&self, line: &str) -> String {
        line.to_owned()
    }
}

const NO_DIRECTION: &str = "not a stage direction; docs/transcripts.md lists them";
