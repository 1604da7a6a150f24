//! One argument of a command.

use crate::console::PROMPTED;
use crate::protocol::user::UserType;

/// What a command takes: declared once, listed in the command and read by its declaration.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The value, as syntax lines show it between brackets.
    pub name: &'static str,
    /// The word before the value, such as `-k` or `server`.
    pub flag: Option<&'static str>,
    /// What the value is.
    pub kind: Kind,
    /// Whether it has to be given.
    pub need: Need,
    /// As usage errors name it.
    pub what: &'static str,
    /// One line for a page that lists the arguments; empty where the description explains them.
    pub help: &'static str,
    /// What may be given in its place.
    pub instead: &'static [Self],
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no value, only the flag.
    Switch,
    /// CO, CU and the like.
    UserType,
    /// The name of a user, of the type or service that is given before.
    UserName,
    /// The id of a user.
    UserId,
    /// Ids of CUs, separated by commas.
    UserIds,
    /// The handle of a key.
    Handle,
    /// The number of a configured server.
    Server,
    /// The number of a quorum service.
    Service,
    /// The name or number of an attribute, or of all of them.
    Attribute,
    /// The name or number of an attribute that somebody may set.
    SettableAttribute,
    /// The name of a command.
    Command,
    /// A path.
    File,
    /// A password, which nobody may see.
    Password,
    /// Digits.
    Number,
    /// Any other word.
    Text,
}

/// Whether an argument has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The command does not run without it.
    Required,
    /// The command does without.
    Optional,
}

/// Asks for the password.
pub const PROMPT: Argument = Argument::switch(PROMPTED).help("asks for the password without showing it");

impl Argument {
    /// A value without a flag.
    #[must_use]
    pub const fn word(name: &'static str, kind: Kind) -> Self {
        Self { name, flag: None, kind, need: Need::Required, what: name, help: "", instead: &[] }
    }

    /// A flag with a value; `what` names it in errors.
    #[must_use]
    pub const fn flag(flag: &'static str, name: &'static str, kind: Kind, what: &'static str) -> Self {
        Self { flag: Some(flag), what, ..Self::word(name, kind) }
    }

    /// A flag with a value that the command does without.
    #[must_use]
    pub const fn option(flag: &'static str, name: &'static str, kind: Kind, what: &'static str) -> Self {
        Self::flag(flag, name, kind, what).optional()
    }

    /// A flag alone.
    #[must_use]
    pub const fn switch(flag: &'static str) -> Self {
        Self::option(flag, "", Kind::Switch, "")
    }

    /// The same, and the command does without.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { need: Need::Optional, ..self }
    }

    /// The same, explained.
    #[must_use]
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same, or one of these in its place.
    #[must_use]
    pub const fn or(self, instead: &'static [Self]) -> Self {
        Self { instead, ..self }
    }

    /// It and what may be given in its place.
    pub fn choices(&'static self) -> impl Iterator<Item = &'static Self> {
        [self].into_iter().chain(self.instead)
    }

    /// As a syntax line shows it: `-k <key-handle>`, `[<file>]`, `<password |-hpswd>`, `{ -p <password> | -hpswd }`.
    #[must_use]
    pub fn syntax(&self) -> String {
        let instead = |joint: &str, word: fn(&Self) -> String| -> String {
            self.instead.iter().map(|other| format!("{joint}{}", word(other))).collect()
        };
        let syntax = match (self.flag, self.instead) {
            (_, []) => self.with_flag(&self.label()),
            (None, _) => format!("<{}{}>", self.name, instead(" |", |other| other.with_flag(other.name))),
            (Some(_), _) => {
                let others = instead(" | ", |other| other.with_flag(&other.label()));
                format!("{{ {}{others} }}", self.with_flag(&self.label()))
            }
        };
        match self.need {
            Need::Required => syntax,
            Need::Optional => format!("[{syntax}]"),
        }
    }

    /// Its value, as syntax lines show it.
    pub(super) fn label(&self) -> String {
        if self.kind == Kind::Switch { String::new() } else { format!("<{}>", self.name) }
    }

    fn with_flag(&self, value: &str) -> String {
        let words = [self.flag.unwrap_or_default(), value];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Whether both are one argument, however they are explained.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.flag, self.name) == (other.flag, other.name)
    }
}

impl Kind {
    /// Whether nobody may see the value.
    pub(super) fn is_secret(self) -> bool {
        self == Self::Password
    }

    /// Whether this word may be meant as such a value. Many type user types in small letters.
    pub(super) fn fits(self, word: &str) -> bool {
        self != Self::UserType || UserType::parse(&word.to_ascii_uppercase()) != UserType::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::{Argument, Kind, PROMPT};

    const ENV: Argument = Argument::flag("-env", "NAME", Kind::Text, "");

    #[test]
    fn an_argument_is_shown_as_it_is_typed() {
        let key = Argument::flag("-k", "key handle", Kind::Handle, "");
        let typed = Argument::flag("-p", "password", Kind::Password, "");
        for (argument, expected) in [
            (Argument::word("file", Kind::File), "<file>"),
            (Argument::word("file", Kind::File).optional(), "[<file>]"),
            (key, "-k <key handle>"),
            (key.optional(), "[-k <key handle>]"),
            (Argument::switch("-nex"), "[-nex]"),
            (Argument::word("password", Kind::Password).or(&[PROMPT, ENV]), "<password |-hpswd |-env NAME>"),
            (typed.or(&[PROMPT]), "{ -p <password> | -hpswd }"),
            (key.or(&[ENV]).optional(), "[{ -k <key handle> | -env <NAME> }]"),
        ] {
            assert_eq!(argument.syntax(), expected);
        }
    }
}
