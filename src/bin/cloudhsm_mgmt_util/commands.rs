//! `cloudhsm_mgmt_util commands`: what `help` prints at the prompt.

use clap::Args;
use cloudhsm::cmu::help;
use cloudhsm::console;

use crate::text;

/// List the console's commands, or describe one, without a connection
#[derive(Args)]
pub(crate) struct CommandsArguments {
    /// The command's name, or enough of it to be unique
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl CommandsArguments {
    /// Prints the help.
    pub(crate) fn run(&self) -> Result<(), String> {
        let help = help(self.command.as_deref()).map_err(text)?;
        console::put(help.as_bytes()).map_err(text)
    }
}
