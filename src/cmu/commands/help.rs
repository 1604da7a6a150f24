//! `help`

use crate::cmu::command::action;
use crate::cmu::{Action, COMMANDS, Command, Group, Session, Stop, Unknown, Usage, Words, find};
use crate::console::fold;
use crate::protocol::Access;
use crate::protocol::quorum::Service;

pub(in crate::cmu) static COMMAND: Command = Command {
    name: "help",
    arguments: "[<command>]",
    group: Group::Console,
    summary: "List the commands, or tell about one",
    description: "Works without a connection.",
    example: "help createUser",
    access: None,
    service: None,
    secret: None,
    parse,
};

/// What fits on the usual terminal.
const COLUMNS: usize = 80;

struct Help {
    word: Option<String>,
}

fn parse(mut words: Words<'_>) -> Result<Box<dyn Action>, Usage> {
    let word = words.maybe().map(str::to_owned);
    words.finish()?;
    action(Help { word })
}

impl Action for Help {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let text = help(self.word.as_deref())?;
        session.console.print(&text);
        Ok(())
    }
}

/// The list of commands, or what there is to tell about one.
///
/// # Errors
///
/// If the word names none.
pub fn help(word: Option<&str>) -> Result<String, Unknown> {
    word.map_or_else(|| Ok(list()), |word| find(word).map(page))
}

fn list() -> String {
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for group in Group::ALL {
        text.push_str(&format!("\n{}:\n", group.title()));
        for command in COMMANDS.iter().filter(|command| command.group == group) {
            let line = format!("    {:<width$}  {}\n", command.name, command.summary);
            text.push_str(&fold(&line, COLUMNS, width.saturating_add(6)));
        }
    }
    text.push_str("\nhelp <command> tells more. Enough of a name to be unique will do, such as listU.\n\n");
    text
}

/// What `help` tells about one command.
pub(super) fn page(command: &Command) -> String {
    let page = format!(
        "\n{summary}\n\nDescription\n===========\n{description}\n\nSyntax: {name} {arguments}\n\
         Example: {example}\nWho: {who}\n{approvals}\n",
        summary = command.summary,
        description = fold(&command.description.replace('\n', " "), COLUMNS, 0),
        name = command.name,
        arguments = command.arguments,
        example = command.example,
        who = who(command.access),
        approvals = approvals(command.service),
    );
    fold(&page.replace(" \n", "\n"), COLUMNS, 8)
}

fn approvals(service: Option<Service>) -> String {
    let Some(service) = service else { return String::new() };
    let (number, name) = (service.number(), service.name());
    let is_of_key = matches!(service, Service::UseKey | Service::ManageKey);
    let when = if is_of_key { "if the key has an M value" } else { "once its M value is set" };
    format!("Approvals: service {number} ({name}), {when}\n")
}

/// Who may run a command.
#[must_use]
pub fn who(access: Option<Access>) -> &'static str {
    match access {
        None => "everybody; the HSMs are not asked",
        Some(Access::Public) => "everybody, also in limited commands mode",
        Some(Access::Anyone) => "everybody, but not in limited commands mode",
        Some(Access::LoggedIn) => "everybody who is logged in",
        Some(Access::Officer) => "a CO",
        Some(Access::OfficerOrSelf) => "a CO, and everybody for oneself",
        Some(Access::Oneself) => "a CO or a CU, for oneself",
        Some(Access::CryptoUser) => "a CU",
        Some(Access::Overseer) => "a CO or the AU",
        Some(Access::User) => "a CU, a CO or the AU",
        Some(Access::ByAttribute) => "the CU who owns the key; a CO for OBJ_ATTR_TRUSTED",
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, list, page};
    use crate::cmu::{Words, find};

    #[test]
    fn every_example_is_a_command_with_right_arguments() {
        for command in COMMANDS {
            let (word, arguments) = Words::split(command.example).unwrap();
            assert_eq!(find(word).unwrap().name, command.name);
            assert!((command.parse)(arguments).is_ok(), "{}", command.example);
            assert!(page(command).contains(command.name));
        }
    }

    #[test]
    fn everything_fits_on_a_screen() {
        for text in COMMANDS.iter().map(|command| page(command)).chain([list()]) {
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None);
        }
    }

    #[test]
    fn every_command_refuses_too_many_arguments() {
        for command in COMMANDS {
            let line = format!("{} x y z v w", command.example);
            let (_, arguments) = Words::split(&line).unwrap();
            assert!((command.parse)(arguments).is_err(), "{line}");
        }
    }
}
