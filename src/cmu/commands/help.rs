//! `help`

use crate::cmu::{Action, COMMANDS, Command, Session, Stop};
use crate::command::{Argument, Given, Group, Kind, Permission, Unknown};
use crate::console::fold;
use crate::protocol::Access;

pub(in crate::cmu) static COMMAND: Command = Command {
    name: "help",
    arguments: &[WORD],
    summary: "List the commands, or explain one",
    description: "Works without a connection.",
    example: "help createUser",
    permission: None,
    build: |given| Ok(Box::new(Help { word: given.maybe(&WORD, Given::text)? })),
};

const WORD: Argument = Argument::word("command", Kind::Command).optional();

/// What fits on the usual terminal.
const COLUMNS: usize = 80;

struct Help {
    word: Option<String>,
}

impl Action for Help {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let text = help(self.word.as_deref())?;
        session.console.print(&text);
        Ok(())
    }
}

/// The list of commands, or the page of one.
///
/// # Errors
///
/// If the word is not the name of a command.
pub fn help(word: Option<&str>) -> Result<String, Unknown> {
    word.map_or_else(|| Ok(list()), |word| COMMANDS.find(word).map(page))
}

fn list() -> String {
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Group { title, commands } in COMMANDS.groups {
        text.push_str(&format!("\n{title}:\n"));
        for command in *commands {
            let line = format!("    {:<width$}  {}\n", command.name, command.summary);
            text.push_str(&fold(&line, COLUMNS, width.saturating_add(6)));
        }
    }
    text.push_str("\nhelp <command> explains one. A unique prefix of a name is enough, such as listU.\n\n");
    text
}

/// The page of one command.
#[must_use]
pub fn page(command: &Command) -> String {
    let page = format!(
        "\n{summary}\n\nDescription\n===========\n{description}\n\nSyntax: {syntax}\n\
         Example: {example}\n{demands}\n",
        summary = command.summary,
        description = fold(&command.description.replace('\n', " "), COLUMNS, 0),
        syntax = command.syntax(),
        example = command.example,
        demands = demands(command.permission),
    );
    fold(&page, COLUMNS, 8)
}

/// Who may run a command, and what has to be approved.
#[must_use]
pub fn demands(permission: Option<Permission>) -> String {
    format!("Who: {}\n{}", who(permission), approvals(permission))
}

fn approvals(permission: Option<Permission>) -> String {
    let Some(service) = permission.and_then(|permission| permission.service) else { return String::new() };
    let (number, name) = (service.number(), service.name());
    let when = if service.is_of_key() { "if the key has an M value" } else { "once its M value is set" };
    format!("Approvals: service {number} ({name}), {when}\n")
}

fn who(permission: Option<Permission>) -> &'static str {
    match permission.map(|permission| permission.access) {
        None => "anyone; no HSM is contacted",
        Some(Access::Public) => "anyone, even in limited commands mode",
        Some(Access::Anyone) => "anyone, but not in limited commands mode",
        Some(Access::LoggedIn) => "any user who is logged in",
        Some(Access::Officer) => "a CO",
        Some(Access::OfficerOrSelf) => "a CO, or any user for themselves",
        Some(Access::Oneself) => "a CO or a CU, for themselves",
        Some(Access::CryptoUser) => "a CU",
        Some(Access::Overseer) => "a CO or the AU",
        Some(Access::User) => "a CU, a CO or the AU",
        Some(Access::ByAttribute) => "the CU who owns the key; a CO for OBJ_ATTR_TRUSTED",
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, list, page};

    #[test]
    fn everything_fits_on_a_screen() {
        for text in COMMANDS.iter().map(page).chain([list()]) {
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None);
        }
    }
}
