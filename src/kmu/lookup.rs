//! Finding a command by its name: complete, and as it is written.

use super::{COMMANDS, Command};

/// The command of this name, or of its other name.
#[must_use]
pub fn find(word: &str) -> Option<&'static Command> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word, |(_, name)| name);
    COMMANDS.iter().copied().find(|command| command.name == name)
}

const ALIASES: &[(&str, &str)] = &[("rsaGenKeyPair", "genRSAKeyPair")];
