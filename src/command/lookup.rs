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
const LONGEST: usize = 64;

impl<A: ?Sized> Table<A> {
    /// The command that a word names.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub fn find(&self, word: &str) -> Result<&'static Command<A>, Unknown> {
        let matching = match self.names {
            Names::Exact(aliases) => {
                let name = aliases.iter().find(|(alias, _)| *alias == word).map_or(word, |(_, name)| name);
                self.matching(|other| other == name)
            }
            // No name is a prefix of another.
            Names::Prefix => self.matching(|other| other.starts_with(word)),
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

    /// In the order of the alphabet.
    fn matching(&self, is_meant: impl Fn(&str) -> bool) -> Vec<&'static Command<A>> {
        let mut matching: Vec<_> = self.iter().filter(|command| is_meant(command.name)).collect();
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
