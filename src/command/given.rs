//! The arguments of one line, read by their declarations.

use std::str::FromStr;

use super::walk::{Role, Walk};
use super::{Argument, Layout, Need};
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserId;

/// What a line gives a command.
pub struct Given<'a> {
    layout: Layout,
    arguments: &'static [Argument],
    /// What is given, each with its value, if it takes one and it is there.
    words: Vec<(&'static Argument, Option<&'a str>)>,
    surplus: Option<&'a str>,
}

/// What is wrong with the arguments, or that they ask for help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Usage {
    /// A value is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A required flag is missing, or its value, or the value is not a number.
    #[error("{what} ({flag}) is missing.")]
    MissingFlag {
        /// As errors name it.
        what: &'static str,
        /// With its dash.
        flag: &'static str,
    },
    /// There are too many.
    #[error("too many arguments")]
    TooMany,
    /// One is not what it should be.
    #[error("{word:?} is not {expected}")]
    Invalid {
        /// What was typed.
        word: String,
        /// What could have been.
        expected: &'static str,
    },
    /// A word belongs to no flag.
    #[error("the arguments are not understood")]
    NotUnderstood,
    /// The command has no such flag.
    #[error("Unknown option {0}")]
    Unknown(String),
    /// A flag is given twice.
    #[error("{0} is given twice")]
    Repeated(String),
    /// They contradict each other, or a value is out of range.
    #[error("{0}")]
    Wrong(&'static str),
    /// [`HELP`] is given.
    #[error("help is asked for")]
    Asked,
}

/// The flag that asks for a command's page, where arguments are laid out by flag.
pub const HELP: &str = "-h";

impl<'a> Given<'a> {
    /// Splits a line at blanks and sorts its words by the arguments.
    ///
    /// By flag, all words are checked here. In order, errors come when an argument is asked for: the first argument that is
    /// wrong is reported, whether it is missing or not a number.
    pub(crate) fn read(layout: Layout, arguments: &'static [Argument], line: &'a str) -> Result<Self, Usage> {
        let mut given = Self { layout, arguments, words: Vec::new(), surplus: None };
        if layout == Layout::ByFlag && line.split_ascii_whitespace().any(|word| word == HELP) {
            return Err(Usage::Asked);
        }
        let mut walk = Walk::new(layout, arguments);
        for word in line.split_ascii_whitespace() {
            given.add(walk.take(word), word)?;
        }
        match layout {
            Layout::InOrder => Ok(given),
            Layout::ByFlag => given.must_be_whole(walk.open).map(|()| given),
        }
    }

    fn add(&mut self, role: Role, word: &'a str) -> Result<(), Usage> {
        match (role, self.layout) {
            (Role::Stray, Layout::ByFlag) => return Err(self.unknown(word)),
            (Role::Stray, Layout::InOrder) => self.surplus = self.surplus.or(Some(word)),
            (Role::Flag(argument), _) if self.has(argument) => return Err(Usage::Repeated(word.to_owned())),
            (Role::Flag(argument), _) => self.words.push((argument, None)),
            (Role::Value(argument), _) if argument.flag.is_none() => self.words.push((argument, Some(word))),
            (Role::Value(_), _) => {
                if let Some((_, value)) = self.words.last_mut() {
                    *value = Some(word);
                }
            }
        }
        Ok(())
    }

    /// A flag is named, unless it can be a password behind a flag that it runs into.
    fn unknown(&self, word: &str) -> Usage {
        let has_secret =
            self.arguments.iter().flat_map(Argument::choices).any(|choice| choice.kind.is_secret());
        match word.starts_with('-') && !has_secret {
            true => Usage::Unknown(word.to_owned()),
            false => Usage::NotUnderstood,
        }
    }

    fn must_be_whole(&self, open: Option<&Argument>) -> Result<(), Usage> {
        let is_left_out = |argument: &&'static Argument| {
            argument.need == Need::Required && !argument.choices().any(|choice| self.has(choice))
        };
        let missing = open.or_else(|| self.arguments.iter().find(is_left_out));
        missing.map_or(Ok(()), |argument| Err(self.missing(argument)))
    }

    /// Whether an argument is given.
    pub(crate) fn has(&self, argument: &Argument) -> bool {
        self.find(argument).is_some()
    }

    /// Whether the command has an argument.
    pub(crate) fn takes(&self, argument: &Argument) -> bool {
        self.arguments.iter().flat_map(Argument::choices).any(|declared| declared.is(argument))
    }

    /// What `read` makes of an argument, if that is given.
    pub(crate) fn maybe<T>(
        &self,
        argument: &Argument,
        read: fn(&Self, &Argument) -> Result<T, Usage>,
    ) -> Result<Option<T>, Usage> {
        if self.has(argument) { read(self, argument).map(Some) } else { Ok(None) }
    }

    /// A value as it was typed.
    pub(crate) fn word(&self, argument: &Argument) -> Result<&'a str, Usage> {
        self.find(argument).flatten().ok_or_else(|| self.missing(argument))
    }

    /// A value as it was typed, to be kept.
    pub(crate) fn text(&self, argument: &Argument) -> Result<String, Usage> {
        self.word(argument).map(str::to_owned)
    }

    /// A value in decimal digits.
    pub(crate) fn number<N: FromStr>(&self, argument: &Argument) -> Result<N, Usage> {
        self.number_in(argument, self.word(argument)?)
    }

    /// The handle of a key.
    pub(crate) fn handle(&self, argument: &Argument) -> Result<KeyHandle, Usage> {
        self.number(argument).map(KeyHandle)
    }

    /// User ids that are separated by commas.
    pub(crate) fn users(&self, argument: &Argument) -> Result<Vec<UserId>, Usage> {
        let words = self.word(argument)?.split(',');
        words.map(|word| self.number_in(argument, word).map(UserId)).collect()
    }

    /// 1, for yes, or 0.
    pub(crate) fn is_one(&self, argument: &Argument) -> Result<bool, Usage> {
        match self.word(argument)? {
            "0" => Ok(false),
            "1" => Ok(true),
            word => Err(self.invalid(argument, word, "0 or 1")),
        }
    }

    /// The first word that belongs to no argument.
    pub(crate) fn surplus(&self) -> Option<&'a str> {
        self.surplus
    }

    /// That a word is not what is expected as the value of an argument.
    pub(crate) fn invalid(&self, argument: &Argument, word: &str, expected: &'static str) -> Usage {
        match self.layout {
            Layout::InOrder => Usage::Invalid { word: word.to_owned(), expected },
            Layout::ByFlag => self.missing(argument),
        }
    }

    /// Everything that is given, with its value.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static Argument, &'a str)> {
        self.words.iter().filter_map(|(argument, value)| Some((*argument, (*value)?)))
    }

    fn number_in<N: FromStr>(&self, argument: &Argument, word: &str) -> Result<N, Usage> {
        let digits = Some(word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| self.invalid(argument, word, "a number"))
    }

    fn missing(&self, argument: &Argument) -> Usage {
        match (self.layout, argument.flag) {
            (Layout::ByFlag, Some(flag)) => Usage::MissingFlag { what: argument.what, flag },
            (Layout::InOrder, _) | (Layout::ByFlag, None) => Usage::Missing(argument.what),
        }
    }

    /// An argument that is given, with its value.
    fn find(&self, argument: &Argument) -> Option<Option<&'a str>> {
        debug_assert!(self.takes(argument), "{argument:?} is not declared");
        self.words.iter().find(|(given, _)| given.is(argument)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Argument, Given, Layout, Usage};
    use crate::command::Kind;
    use crate::protocol::user::UserId;

    const KEY: Argument = Argument::word("key", Kind::Handle);
    const USERS: Argument = Argument::option("-u", "ids", Kind::UserIds, "User ids");
    const OTHER: Argument = Argument::flag("-o", "", Kind::Text, "");

    fn in_order(line: &str) -> Given<'_> {
        Given::read(Layout::InOrder, &[KEY, USERS], line).unwrap()
    }

    fn by_flag(line: &str) -> Result<Given<'_>, Usage> {
        Given::read(Layout::ByFlag, &[USERS, OTHER], line)
    }

    #[test]
    fn values_are_read_by_their_declarations() {
        let given = in_order("7 -u 3,4 more");
        assert_eq!(given.number(&KEY), Ok(7));
        assert_eq!(given.users(&USERS), Ok(vec![UserId(3), UserId(4)]));
        assert_eq!(given.surplus(), Some("more"));
        assert_eq!(by_flag("-o x").unwrap().maybe(&USERS, Given::users), Ok(None));
    }

    #[test]
    fn what_is_missing_or_not_a_number_is_named_as_the_layout_has_it() {
        let invalid = |word: &str, expected| Some(Usage::Invalid { word: word.to_owned(), expected });
        assert_eq!(in_order("").number::<u32>(&KEY), Err(Usage::Missing("key")));
        assert_eq!(in_order("7 -u").users(&USERS), Err(Usage::Missing("User ids")));
        for word in ["x", "-1", "+1", "4294967296"] {
            assert_eq!(in_order(word).number::<u32>(&KEY).err(), invalid(word, "a number"), "{word}");
        }
        assert_eq!(in_order("7 -u 3,x").users(&USERS).err(), invalid("x", "a number"));
        assert_eq!(in_order("2").is_one(&KEY).err(), invalid("2", "0 or 1"));
        let missing = Err(Usage::MissingFlag { what: "User ids", flag: "-u" });
        assert_eq!(by_flag("-o x -u 3,x").unwrap().users(&USERS), missing);
        assert_eq!(by_flag("-o x -u").map(|_| ()).err(), missing.err());
    }

    #[test]
    fn flags_are_known_given_once_and_complete() {
        let refused = |line| by_flag(line).map(|_| ()).err();
        assert_eq!(refused("-o x y"), Some(Usage::NotUnderstood));
        assert_eq!(refused("-o x -o y"), Some(Usage::Repeated("-o".to_owned())));
        assert_eq!(refused("-u 3"), Some(Usage::MissingFlag { what: "", flag: "-o" }));
        assert_eq!(refused("x -h"), Some(Usage::Asked));
        assert_eq!(refused("-u 3 -o x"), None);
    }

    #[test]
    #[should_panic(expected = "is not declared")]
    fn an_argument_that_is_not_declared_cannot_be_read() {
        drop(in_order("7").text(&OTHER));
    }
}
