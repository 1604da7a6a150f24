//! What a command is.

use super::{Flags, Printed, Session, Usage};
use crate::protocol::Access;

/// One thing a person may type.
pub struct Command {
    /// As it is typed, in full; case counts.
    pub name: &'static str,
    /// Where the list of commands has it.
    pub section: Section,
    /// What the list of commands says of it, in the original's words.
    pub summary: &'static str,
    /// A sentence or two for `<command> -h`.
    pub description: &'static str,
    /// What it takes.
    pub options: &'static [Opt],
    /// What it takes and has in common with others.
    pub shared: &'static [Opt],
    /// A line to copy.
    pub example: &'static str,
    /// Who may run it, as the HSM decides; `None` if it asks no HSM.
    pub access: Option<Access>,
    /// Reads the arguments; nothing is asked, shown or sent before that is done.
    pub parse: fn(&Flags<'_>) -> Result<Box<dyn Action>, Usage>,
}

/// A part of the list of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Of the program itself.
    Program,
    /// Logins and users.
    Admin,
    /// What others have to approve.
    Quorum,
    /// Making pairs.
    AsymmetricKeys,
    /// Making secret keys.
    SymmetricKeys,
    /// Finding, changing, deleting.
    KeyManagement,
    /// Masked objects.
    KeyTransfer,
    /// Using keys.
    Crypto,
    /// What explains numbers.
    Explanations,
}

/// An option of a command.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// With its dash.
    pub flag: &'static str,
    /// What stands behind it, if anything does.
    pub value: Option<&'static str>,
    /// What it is, where an error says that it is missing.
    pub what: &'static str,
    /// For `<command> -h`.
    pub text: &'static str,
    /// Whether the command does without it.
    pub need: Need,
}

/// Whether an option has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has.
    Required,
    /// The command does without.
    Optional,
    /// It, or the option of this name.
    Unless(&'static str),
}

impl Opt {
    /// An option with a value that has to be there.
    #[must_use]
    pub const fn required(
        flag: &'static str,
        value: &'static str,
        what: &'static str,
        text: &'static str,
    ) -> Self {
        Self { flag, value: Some(value), what, text, need: Need::Required }
    }

    /// An option with a value.
    #[must_use]
    pub const fn optional(
        flag: &'static str,
        value: &'static str,
        what: &'static str,
        text: &'static str,
    ) -> Self {
        Self { flag, value: Some(value), what, text, need: Need::Optional }
    }

    /// An option without a value.
    #[must_use]
    pub const fn switch(flag: &'static str, text: &'static str) -> Self {
        Self { flag, value: None, what: "", text, need: Need::Optional }
    }

    fn word(&self) -> String {
        match self.value {
            Some(value) => format!("{} {value}", self.flag),
            None => self.flag.to_owned(),
        }
    }
}

impl Command {
    /// Everything it takes, in the order of its help.
    pub fn all_options(&self) -> impl Iterator<Item = &'static Opt> {
        self.options.iter().chain(self.shared)
    }

    /// Its options in one line.
    #[must_use]
    pub fn arguments(&self) -> String {
        self.missing(&[])
    }

    /// The options in one line that are not among these words.
    #[must_use]
    pub fn missing(&self, words: &[&str]) -> String {
        let (required, optional) = self.syntax_without(words);
        required.into_iter().chain(optional).collect::<Vec<_>>().join(" ")
    }

    /// What it needs and what it does without, as its help shows them.
    #[must_use]
    pub fn syntax(&self) -> (Vec<String>, Vec<String>) {
        self.syntax_without(&[])
    }

    fn syntax_without(&self, given: &[&str]) -> (Vec<String>, Vec<String>) {
        let (mut required, mut optional) = (Vec::new(), Vec::new());
        for option in self.all_options() {
            let word = option.word();
            if given.contains(&option.flag) {
                continue;
            }
            match option.need {
                Need::Required => required.push(word),
                Need::Unless(other) if given.contains(&other) => {}
                Need::Unless(other) => {
                    let instead = self.all_options().find(|option| option.flag == other);
                    let other = instead.map_or(other.to_owned(), Opt::word);
                    required.push(format!("{{ {word} | {other} }}"));
                }
                Need::Optional if self.replaces(option.flag) => {}
                Need::Optional => optional.push(format!("[{word}]")),
            }
        }
        (required, optional)
    }

    /// Whether this option stands in the place of another one.
    fn replaces(&self, flag: &str) -> bool {
        self.all_options().any(|option| matches!(option.need, Need::Unless(other) if other == flag))
    }
}

/// A command with its arguments, ready to run.
pub trait Action {
    /// Runs it, and returns what is left to print.
    ///
    /// # Errors
    ///
    /// If it did not do all it was asked.
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed;
}

/// Lets a command hand its actions out.
pub(super) fn action(action: impl Action + 'static) -> Result<Box<dyn Action>, Usage> {
    Ok(Box::new(action))
}
