//! `help`

use crate::command::{Argument, Group, HELP, Need};
use crate::kmu::stop::Printed;
use crate::kmu::{Action, COMMANDS, Command, Session};

pub(in crate::kmu) static COMMAND: Command = Command {
    name: "help",
    arguments: &[],
    summary: "Displays this information",
    description: "Lists the commands.",
    example: "help",
    permission: None,
    build: |_| Ok(Box::new(Help)),
};

struct Help;

impl Action for Help {
    fn run(self: Box<Self>, _: &mut Session<'_>) -> Printed {
        Ok(list())
    }
}

const HEADER: &str = "
Help Commands Available:

Syntax: <command> -h


   Command               Description
   =======               ===========

";

/// The list of commands.
#[must_use]
pub fn list() -> String {
    let mut text = HEADER.to_owned();
    for Group { title, commands } in COMMANDS.groups {
        text.push_str(title);
        for command in *commands {
            text.push_str(&format!("   {:<23}{}\n", command.name, command.summary));
        }
    }
    text
}

/// The page of one command, which `<command> -h` shows.
#[must_use]
pub fn page(command: &Command) -> String {
    let Command { name, description, arguments, .. } = command;
    let mut text = format!("\n\nDescription\n===========\n{description}\n\nSyntax: {name} {HELP}\n");
    if !arguments.is_empty() {
        text.push_str(&format!("\t\t\t{name}{}\n", syntax(arguments)));
    }
    text.push_str(&format!("\n\nWhere: {HELP}  displays this information\n"));
    for argument in arguments.iter().flat_map(Argument::choices) {
        text.push_str(&format!("       {}  {}\n", argument.flag.unwrap_or_default(), argument.help));
    }
    text
}

/// What is required in one line, and each option in one of its own.
fn syntax(arguments: &[Argument]) -> String {
    let (required, optional): (Vec<&Argument>, Vec<&Argument>) =
        arguments.iter().partition(|argument| argument.need == Need::Required);
    let optional = optional.iter().map(|argument| format!("\n\t\t\t\t{}", argument.syntax()));
    required.iter().map(|argument| format!(" {}", argument.syntax())).chain(optional).collect()
}

#[cfg(test)]
mod tests {
    use super::{Argument, COMMANDS, list, page};

    #[test]
    fn every_command_is_listed_once_and_has_a_page() {
        for command in COMMANDS.iter() {
            let line = format!("\n   {:<23}{}\n", command.name, command.summary);
            assert_eq!(list().matches(&line).count(), 1, "{}", command.name);
            let mut arguments = command.arguments.iter().flat_map(Argument::choices);
            assert!(arguments.all(|argument| page(command).contains(&format!("  {}\n", argument.help))));
        }
    }
}
