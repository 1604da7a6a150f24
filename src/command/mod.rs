//! The grammar of command lines: what a command takes is declared once, in its list of [`Argument`]s.
//!
//! Syntax lines, help, hints, Tab, redaction of secrets, recall and usage errors all read that list. The two tools differ
//! in how a line is laid out ([`Layout`]) and in how a command is named ([`Names`]): both are properties of their [`Table`].

mod argument;
mod complete;
mod given;
mod hint;
mod known;
mod lookup;
mod redact;
mod unknown;
mod walk;

pub use crate::console::PROMPTED;
pub use argument::{Argument, Kind, Need, PROMPT};
pub use given::{Given, HELP, Usage};
pub use known::Known;
pub use lookup::Unknown;

use crate::protocol::quorum::Service;
use crate::protocol::{Access, Operation};

/// One thing a person may type. `A` is what the tool calls an action: the command with its arguments, ready to run.
pub struct Command<A: ?Sized + 'static> {
    /// As it is typed.
    pub name: &'static str,
    /// In the order of its syntax line.
    pub arguments: &'static [Argument],
    /// One line for the list of commands.
    pub summary: &'static str,
    /// Paragraphs for the command's page.
    pub description: &'static str,
    /// A line to copy.
    pub example: &'static str,
    /// What the HSMs demand; `None` if the command asks no HSM.
    pub permission: Option<Permission>,
    /// Builds the action. Pure: nothing is asked, shown or sent before it has returned.
    pub build: fn(&Given<'_>) -> Result<Box<A>, Usage>,
}

/// What the HSMs demand of whoever runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Who may run it.
    pub access: Access,
    /// The service whose quorum has to approve it.
    pub service: Option<Service>,
}

impl Permission {
    /// That of the operation that the command is about.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self { access: O::ACCESS, service: O::SERVICE }
    }
}

/// The commands of a tool, and how its lines are read.
pub struct Table<A: ?Sized + 'static> {
    /// In the order of the list of commands.
    pub groups: &'static [Group<A>],
    /// The command that explains others: a whole line may follow it, too.
    pub help: &'static Command<A>,
    /// How a word names a command.
    pub names: Names,
    /// How arguments are laid out.
    pub layout: Layout,
}

/// A part of the list of commands.
pub struct Group<A: ?Sized + 'static> {
    /// What stands above its commands.
    pub title: &'static str,
    /// In the order of the list.
    pub commands: &'static [&'static Command<A>],
}

/// How a word names a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// In full, or by a prefix that no other command has.
    Prefix,
    /// In full, or by one of these other names.
    Exact(&'static [(&'static str, &'static str)]),
}

/// How arguments are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In the order in which they are declared.
    InOrder,
    /// Each after its flag, in any order.
    ByFlag,
}

impl<A: ?Sized> Command<A> {
    /// The line that shows how it is typed.
    #[must_use]
    pub fn syntax(&self) -> String {
        let arguments = self.arguments.iter().map(Argument::syntax);
        [self.name.to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
    }

    fn secret(&self) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.kind.is_secret())
    }
}

impl<A: ?Sized> Table<A> {
    /// Every command, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &'static Command<A>> + use<A> {
        self.groups.iter().flat_map(|group| group.commands.iter().copied())
    }

    /// The syntax line of each command, and the first line of its summary: a table for manual pages.
    #[must_use]
    pub fn at_prompt(&self) -> Vec<(String, &'static str)> {
        self.iter()
            .map(|command| (command.syntax(), command.summary.lines().next().unwrap_or_default()))
            .collect()
    }

    /// Reads the arguments of a command.
    ///
    /// # Errors
    ///
    /// If they are not what the command takes.
    pub fn read(&self, command: &Command<A>, arguments: &str) -> Result<Box<A>, Usage> {
        let given = Given::read(self.layout, command.arguments, arguments)?;
        let action = (command.build)(&given)?;
        // A word that is wrong says more than one too many.
        given.surplus().map_or(Ok(action), |_| Err(Usage::TooMany))
    }
}

/// Splits a line into its first word and the rest; `None` if it is blank. Lines are split at blanks only: quotes and
/// backslashes are ordinary characters.
#[must_use]
pub fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_ascii();
    let first = line.split_ascii_whitespace().next()?;
    Some((first, line.get(first.len()..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Argument, Layout, Need, Table, Usage, split};
    use crate::{cmu, kmu};

    fn refusal<A: ?Sized>(table: &Table<A>, line: &str) -> Option<Usage> {
        let (word, arguments) = split(line).unwrap();
        table.read(table.find(word).unwrap(), arguments).map(|_| ()).err()
    }

    fn check<A: ?Sized>(table: &Table<A>) {
        for command in table.iter() {
            let (name, example) = (command.name, command.example);
            assert_eq!(split(example).unwrap().0, name);
            assert_eq!(refusal(table, example), None, "{example}");
            let flags = command.arguments.iter().filter(|argument| argument.flag.is_some()).count();
            let too_many = match table.layout {
                Layout::InOrder => format!("{example} x y z v w"),
                Layout::ByFlag => format!("{example} x"),
            };
            assert!(refusal(table, &too_many).is_some(), "{too_many}");
            assert!(table.layout == Layout::InOrder || flags == command.arguments.len(), "{name}");
            let all: Vec<&Argument> = command.arguments.iter().flat_map(Argument::choices).collect();
            for argument in &all {
                assert_eq!(all.iter().filter(|other| other.is(argument)).count(), 1, "{name}: {argument:?}");
            }
            let required = command.arguments.iter().find(|argument| argument.need == Need::Required);
            let missed = required.map(|argument| match (table.layout, argument.flag) {
                (Layout::ByFlag, Some(flag)) => Usage::MissingFlag { what: argument.what, flag },
                _ => Usage::Missing(argument.what),
            });
            assert_eq!(refusal(table, name), missed, "{name}");
        }
    }

    #[test]
    fn every_command_reads_its_example_and_refuses_too_much_or_too_little() {
        check(cmu::COMMANDS);
        check(kmu::COMMANDS);
    }

    #[test]
    fn lines_are_split_at_blanks_only() {
        assert_eq!(split("  a \t\"b c\\ "), Some(("a", " \t\"b c\\")));
        assert_eq!(split(" \t"), None);
    }

    #[test]
    fn flags_that_are_unknown_or_given_twice_are_not_understood() {
        for command in kmu::COMMANDS.iter() {
            let (_, arguments) = split(command.example).unwrap();
            for more in [" -nonsense", " x", if arguments.is_empty() { " y" } else { arguments }] {
                let line = format!("{} {more}", command.example);
                let refused = refusal(kmu::COMMANDS, &line).unwrap();
                let is_named =
                    matches!(&refused, Usage::Unknown(word) | Usage::Repeated(word) if line.contains(word));
                assert!(is_named || refused == Usage::NotUnderstood, "{line}: {refused}");
            }
            let help = format!("{} -x -h", command.name);
            assert_eq!(refusal(kmu::COMMANDS, &help), Some(Usage::Asked));
        }
    }
}
