//! Finding a command by its name, or by enough of it.

use super::{COMMANDS, Command};

/// Why a word is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// It begins several names.
    #[error("Ambiguous command {word}: {}", .names.join(", "))]
    Ambiguous {
        /// What was typed.
        word: String,
        /// What it could mean.
        names: Vec<&'static str>,
    },
    /// It begins none.
    #[error("Unknown command {word}\n{}help lists all commands", suggestion(*.nearest))]
    Nothing {
        /// What was typed.
        word: String,
        /// A name that differs by little.
        nearest: Option<&'static str>,
    },
}

/// The command that a word names: in full, or by a beginning that no other command has.
///
/// # Errors
///
/// If there is none, or more than one.
pub fn find(word: &str) -> Result<&'static Command, Unknown> {
    if let Some(exact) = COMMANDS.iter().find(|command| command.name == word) {
        return Ok(exact);
    }
    let matching: Vec<_> = COMMANDS.iter().filter(|command| command.name.starts_with(word)).collect();
    match matching.as_slice() {
        [only] => Ok(only),
        [] => Err(Unknown::Nothing { word: word.to_owned(), nearest: nearest(word) }),
        several => {
            let names = several.iter().map(|command| command.name).collect();
            Err(Unknown::Ambiguous { word: word.to_owned(), names })
        }
    }
}

/// No misspelt name is longer, in bytes. What is, such as a file pasted at the prompt, would be compared at each key.
const LONGEST: usize = 64;

fn nearest(word: &str) -> Option<&'static str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    let nearest = COMMANDS.iter().map(|command| command.name).min_by_key(|name| distance(name))?;
    (distance(nearest) <= 2.max(nearest.len() / 4)).then_some(nearest)
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("Did you mean {name}? ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, LONGEST, Unknown, find};

    #[test]
    fn the_originals_abbreviations_are_unique() {
        for (word, name) in [
            ("listU", "listUsers"),
            ("logout", "logoutHSM"),
            ("login", "loginHSM"),
            ("q", "quit"),
            ("findAllKey", "findAllKeys"),
        ] {
            assert_eq!(find(word).map(|command| command.name), Ok(name), "{word}");
        }
    }

    #[test]
    fn names_are_unique_and_none_begins_another() {
        for command in COMMANDS {
            let begun = COMMANDS.iter().filter(|other| other.name.starts_with(command.name)).count();
            assert_eq!(begun, 1, "{}", command.name);
        }
    }

    #[test]
    fn a_beginning_of_several_names_is_refused_with_all_of_them() {
        let Err(Unknown::Ambiguous { names, .. }) = find("log") else { panic!("log is ambiguous") };
        assert_eq!(names, ["loginHSM", "logoutHSM"]);
    }

    #[test]
    fn a_misspelt_name_suggests_the_nearest() {
        for (word, name) in
            [("lisstUsers", "listUsers"), ("LISTUSERS", "listUsers"), ("creatUser", "createUser")]
        {
            let Err(Unknown::Nothing { nearest, .. }) = find(word) else { panic!("{word} is unknown") };
            assert_eq!(nearest, Some(name));
        }
        assert!(matches!(find("xyzzy"), Err(Unknown::Nothing { nearest: None, .. })));
        // Minutes, if it were compared.
        assert!(find(&"x".repeat(10_000_000)).is_err());
        let longest = COMMANDS.iter().map(|command| command.name.len()).max();
        assert!(longest.is_some_and(|longest| longest * 2 < LONGEST));
    }
}
