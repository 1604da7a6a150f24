//! `help`

use crate::kmu::command::{Section, action};
use crate::kmu::stop::Printed;
use crate::kmu::{Action, COMMANDS, Command, Session};

pub(in crate::kmu) static COMMAND: Command = Command {
    name: "help",
    section: Section::Program,
    summary: "Displays this information",
    description: "Lists the commands.",
    options: &[],
    shared: &[],
    example: "help",
    access: None,
    parse: |_| action(Help),
};

struct Help;

impl Action for Help {
    fn run(self: Box<Self>, _: &mut Session<'_>) -> Printed {
        Ok(list())
    }
}

/// The parts of the list, in order, and what stands above each.
const SECTIONS: &[(Section, &str)] = &[
    (Section::Program, ""),
    (Section::Admin, "\n        Configuration and Admin Commands\n"),
    (Section::Quorum, "\n        M of N commands\n"),
    (Section::AsymmetricKeys, "\n        Key Generation Commands\n\n        Asymmetric Keys:\n"),
    (Section::SymmetricKeys, "\n        Symmetric Keys:\n"),
    (Section::KeyManagement, "\n        Key Management Commands\n"),
    (Section::KeyTransfer, "\n        Key Transfer Commands\n"),
    (Section::Crypto, "\n        Management Crypto Commands\n"),
    (Section::Explanations, "\n        Helper Commands\n"),
];

const HEADER: &str = "
Help Commands Available:

Syntax: <command> -h


   Command               Description
   =======               ===========

";

/// All commands.
pub(in crate::kmu) fn list() -> String {
    let mut text = HEADER.to_owned();
    for (section, title) in SECTIONS {
        text.push_str(title);
        for command in COMMANDS.iter().filter(|command| command.section == *section) {
            text.push_str(&format!("   {:<23}{}\n", command.name, command.summary));
        }
    }
    text
}

/// What `<command> -h` shows.
#[must_use]
pub fn page(command: &Command) -> String {
    let mut text =
        format!("\n\nDescription\n===========\n{}\n\nSyntax: {} -h\n", command.description, command.name);
    if command.all_options().next().is_some() {
        text.push_str(&format!("\t\t\t{}{}\n", command.name, syntax(command)));
    }
    text.push_str("\n\nWhere: -h  displays this information\n");
    for option in command.all_options() {
        text.push_str(&format!("       {}  {}\n", option.flag, option.text));
    }
    text
}

fn syntax(command: &Command) -> String {
    let (required, optional) = command.syntax();
    let optional = optional.iter().map(|word| format!("\n\t\t\t\t{word}"));
    required.iter().map(|word| format!(" {word}")).chain(optional).collect()
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, SECTIONS, list, page};
    use crate::kmu::{Flags, Need, Usage, find};

    #[test]
    fn every_command_is_listed_once_and_has_a_page() {
        for command in COMMANDS {
            assert!(SECTIONS.iter().any(|(section, _)| *section == command.section));
            let line = format!("\n   {:<23}{}\n", command.name, command.summary);
            assert_eq!(list().matches(&line).count(), 1, "{}", command.name);
            assert!(command.all_options().all(|option| page(command).contains(option.text)));
        }
    }

    #[test]
    fn every_example_is_a_command_with_right_arguments() {
        for command in COMMANDS {
            let (word, arguments) = command.example.split_once(' ').unwrap_or((command.example, ""));
            assert_eq!(find(word).unwrap().name, command.name);
            let flags = Flags::parse(command, arguments).unwrap();
            assert!((command.parse)(&flags).is_ok(), "{}", command.example);
        }
    }

    #[test]
    fn every_command_refuses_what_it_does_not_know_and_what_stands_twice() {
        for command in COMMANDS {
            let (_, arguments) = command.example.split_once(' ').unwrap_or((command.example, ""));
            for more in [" -nonsense", " x", if arguments.is_empty() { " y" } else { arguments }] {
                let line = format!("{arguments} {more}");
                let refused = Flags::parse(command, &line).map(|_| ());
                assert_eq!(refused, Err(Usage::NotUnderstood), "{} {line}", command.name);
            }
            assert_eq!(Flags::parse(command, "-x -h").map(|_| ()), Err(Usage::Asked));
        }
    }

    #[test]
    fn every_required_option_is_missed() {
        for command in COMMANDS {
            let first = command.all_options().find(|option| option.need != Need::Optional);
            let missed = Flags::parse(command, "").map(|_| ()).err();
            let expected = first.map(|option| Usage::Missing { what: option.what, flag: option.flag });
            assert_eq!(missed, expected, "{}", command.name);
        }
    }
}
