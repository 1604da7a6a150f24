//! Finding a command by what is typed.

use super::{Command, Names, Table};

/// Why a word is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Several names begin with it.
    #[error("Ambiguous command {word}: {}", .names.join(", "))]
    Ambiguous {
        /// What was typed.
        word: String,
        /// What it could mean.
        names: Vec<&'static str>,
    },
    /// No name begins with it.
    #[error("Unknown command {word}\n{}help lists all commands", suggestion(*.nearest))]
    Nothing {
        /// What was typed.
        word: String,
        /// A name that differs by little.
        nearest: Option<&'static str>,
    },
}

/// No misspelt name is longer, in bytes. What is, such as a file pasted at the prompt, would be compared at each key.
pub(super) const LONGEST: usize = 64;

impl<A: ?Sized> Table<A> {
    /// The command that a word names.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub fn find(&self, word: &str) -> Result<&'static Command<A>, Unknown> {
        // Whole names first: that is what scripts type, and each line is looked up several times.
        if let Some(command) = self.named(word) {
            return Ok(command);
        }
        let matching: Vec<_> = match self.names {
            Names::Exact(aliases) => {
                let meant = aliases.iter().filter(|(alias, _)| *alias == word);
                meant.filter_map(|(_, name)| self.named(name)).collect()
            }
            Names::Prefix => self.beginning_with(word),
        };
        match matching.as_slice() {
            [only] => Ok(only),
            [] => Err(Unknown::Nothing { word: word.to_owned(), nearest: self.nearest(word) }),
            several => {
                let names = several.iter().map(|command| command.name).collect();
                Err(Unknown::Ambiguous { word: word.to_owned(), names })
            }
        }
    }

    fn named(&self, name: &str) -> Option<&'static Command<A>> {
        self.iter().find(|command| command.name == name)
    }

    /// In alphabetical order.
    fn beginning_with(&self, prefix: &str) -> Vec<&'static Command<A>> {
        let mut matching: Vec<_> = self.iter().filter(|command| command.name.starts_with(prefix)).collect();
        matching.sort_by_key(|command| command.name.to_lowercase());
        matching
    }

    fn nearest(&self, word: &str) -> Option<&'static str> {
        if word.len() > LONGEST {
            return None;
        }
        let word = word.to_lowercase();
        let names = self.iter().map(|command| (command.name.to_lowercase(), command.name));
        let by_distance =
            names.map(|(lower, name)| (strsim::damerau_levenshtein(&word, &lower), lower, name));
        let (distance, _, name) = by_distance.min()?;
        (distance <= 2.max(name.len() / 4)).then_some(name)
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("Did you mean {name}? ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Unknown};
    use crate::cmu::COMMANDS;
    use crate::kmu;

    #[test]
    fn the_originals_abbreviations_are_unique() {
        for (word, name) in [
            ("listU", "listUsers"),
            ("logout", "logoutHSM"),
            ("login", "loginHSM"),
            ("q", "quit"),
            ("findAllKey", "findAllKeys"),
        ] {
            assert_eq!(COMMANDS.find(word).map(|command| command.name), Ok(name), "{word}");
        }
    }

    #[test]
    fn names_are_unique_and_none_begins_another() {
        for command in COMMANDS.iter() {
            let begun = COMMANDS.iter().filter(|other| other.name.starts_with(command.name)).count();
            assert_eq!(begun, 1, "{}", command.name);
        }
    }

    #[test]
    fn a_beginning_of_several_names_is_refused_with_all_of_them() {
        let Err(Unknown::Ambiguous { names, .. }) = COMMANDS.find("log") else { panic!("log is ambiguous") };
        assert_eq!(names, ["loginHSM", "logoutHSM"]);
    }

    #[test]
    fn a_misspelt_name_suggests_the_nearest() {
        for (word, name) in
            [("lisstUsers", "listUsers"), ("LISTUSERS", "listUsers"), ("creatUser", "createUser")]
        {
            let Err(Unknown::Nothing { nearest, .. }) = COMMANDS.find(word) else {
                panic!("{word} is unknown")
            };
            assert_eq!(nearest, Some(name));
        }
        assert!(matches!(COMMANDS.find("xyzzy"), Err(Unknown::Nothing { nearest: None, .. })));
        // Minutes, if it were compared.
        assert!(COMMANDS.find(&"x".repeat(10_000_000)).is_err());
        let longest = COMMANDS.iter().map(|command| command.name.len()).max();
        assert!(longest.is_some_and(|longest| longest * 2 < LONGEST));
    }

    #[test]
    fn exact_names_are_typed_in_full_or_by_their_aliases() {
        let found = |word| kmu::COMMANDS.find(word).map(|command| command.name).ok();
        assert_eq!(found("genSymKey"), Some("genSymKey"));
        assert_eq!(found("rsaGenKeyPair"), Some("genRSAKeyPair"));
        for word in ["genSym", "gensymkey", ""] {
            assert_eq!(found(word), None, "{word}");
        }
    }
}
