//! What could come next in a line, by the commands' own definitions.

use super::{COMMANDS, find};
use crate::console::Completion;

/// What could be the word at the end of the line: a command, or one of its options.
#[must_use]
pub fn complete(line: &str) -> Completion {
    let mut words = line.split_ascii_whitespace();
    let is_first = !line.trim_start().contains(|at: char| at.is_ascii_whitespace());
    if is_first {
        return Completion::Words(COMMANDS.iter().map(|command| command.name.to_owned()).collect());
    }
    let command = words.next().and_then(find);
    let is_whole = line.ends_with(|at: char| at.is_ascii_whitespace());
    let before = if is_whole { words.next_back() } else { words.rev().nth(1) };
    match (command, before) {
        (Some(_), Some("-out" | "-f" | "-tf")) => Completion::Path,
        (Some(command), _) => {
            Completion::Words(command.all_options().map(|option| option.flag.to_owned()).collect())
        }
        (None, _) => Completion::Words(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Completion, complete};

    #[test]
    fn commands_options_and_files_are_offered_in_their_places() {
        let Completion::Words(all) = complete("gen") else { panic!("commands") };
        assert!(all.contains(&"genSymKey".to_owned()));
        let Completion::Words(options) = complete("deleteKey ") else { panic!("options") };
        assert_eq!(options, ["-k"]);
        assert!(matches!(complete("sign -f /tm"), Completion::Path));
        assert!(matches!(complete("extractMaskedObject -o 6 -out "), Completion::Path));
        assert!(matches!(complete("xyzzy "), Completion::Words(words) if words.is_empty()));
    }
}
