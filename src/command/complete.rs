//! What could come next in a line, by the kind of the argument and by what the servers know.

use super::walk::{Next, Role, Walk};
use super::{Argument, Kind, Known, Layout, Table};
use crate::console::Completion;
use crate::protocol::attribute::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute, SetBy};
use crate::protocol::quorum::Service;
use crate::protocol::user::UserType;

impl<A: ?Sized> Table<A> {
    /// What could be the word at the end of the line.
    #[must_use]
    pub fn complete(&self, line: &str, known: &Known) -> Completion {
        let (before, word) = line.rsplit_once(|at: char| at.is_ascii_whitespace()).unwrap_or(("", line));
        let mut typed = before.split_ascii_whitespace();
        let Some(first) = typed.next() else { return Completion::Words(self.command_names()) };
        let Ok(command) = self.find(first) else { return Completion::Words(Vec::new()) };
        let mut walk = Walk::new(self.layout, command.arguments);
        let said = typed.map(|word| (walk.take(word), word)).collect();
        Place { table: self, said, word, known }.complete(walk.next())
    }

    fn command_names(&self) -> Vec<String> {
        self.iter().map(|command| command.name.to_owned()).collect()
    }
}

/// Where the cursor is.
struct Place<'a, A: ?Sized + 'static> {
    table: &'a Table<A>,
    /// The words before it, but for the command.
    said: Vec<(Role, &'a str)>,
    /// As far as it is typed.
    word: &'a str,
    known: &'a Known,
}

impl<A: ?Sized> Place<'_, A> {
    fn complete(&self, next: Next) -> Completion {
        let flags = |argument: &'static Argument| argument.choices().filter_map(|choice| choice.flag);
        let words = |flags: Vec<&str>| flags.into_iter().map(str::to_owned).collect();
        match (next, self.table.layout) {
            (Next::Value(argument), _) => self.values(argument.kind),
            (Next::Arguments(all), Layout::ByFlag) => {
                Completion::Words(words(all.into_iter().flat_map(flags).collect()))
            }
            (Next::Arguments(all), Layout::InOrder) => match all.first() {
                Some(argument) if argument.flag.is_none() && argument.kind != Kind::Password => {
                    self.values(argument.kind)
                }
                Some(argument) => Completion::Words(words(flags(argument).collect())),
                None => Completion::Words(Vec::new()),
            },
        }
    }

    fn values(&self, kind: Kind) -> Completion {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Completion::Words(match kind {
            Kind::UserType => words(&["CO", "CU", "PRECO", "AU"]),
            Kind::UserName => self.known.names(self.user_type()).into_iter().collect(),
            Kind::UserId => self.known.ids(|_| true).iter().map(ToString::to_string).collect(),
            Kind::UserIds => self.sharers(),
            Kind::Server => (0..self.known.server_count()).map(|number| number.to_string()).collect(),
            Kind::Service => words(&["3", "4", "5", "6"]),
            Kind::Attribute => self.attributes(|_| true, Some((ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME))),
            Kind::SettableAttribute => self.attributes(|attribute| attribute.set_by() != SetBy::Nobody, None),
            Kind::Command => self.table.command_names(),
            Kind::File => return Completion::Path,
            Kind::Password | Kind::Switch | Kind::Handle | Kind::Number | Kind::Text => Vec::new(),
        })
    }

    /// Type of the user whose name comes next: as it is given before or, for a token, as the service implies.
    fn user_type(&self) -> UserType {
        let types = self.said.iter().filter_map(|(role, word)| match role {
            Role::Value(Argument { kind: Kind::UserType, .. }) => Some(UserType::parse(word)),
            Role::Value(Argument { kind: Kind::Service, .. }) => {
                let service = word.parse().ok().and_then(Service::numbered)?;
                Some(if service.is_of_key() { UserType::Cu } else { UserType::Co })
            }
            Role::Value(_) | Role::Flag(_) | Role::Stray => None,
        });
        types.last().unwrap_or(UserType::Unknown)
    }

    /// The list as far as it is typed, with one more of those whom keys are shared with.
    fn sharers(&self) -> Vec<String> {
        let list = self.word.rfind(',').and_then(|comma| self.word.get(..=comma)).unwrap_or_default();
        let ids = self.known.ids(|user| user.user_type == UserType::Cu);
        let ids = ids.iter().map(ToString::to_string);
        ids.filter(|id| list.split(',').all(|there| there != id)).map(|id| format!("{list}{id}")).collect()
    }

    /// By their names, or by their numbers once a digit is typed. Sorted side by side, the two would read as a table that
    /// is wrong.
    fn attributes(&self, is_wanted: fn(&Attribute) -> bool, all: Option<(u32, &'static str)>) -> Vec<String> {
        let wanted = Attribute::ALL.iter().copied().filter(is_wanted);
        let both = wanted.map(|attribute| (attribute.number(), attribute.name())).chain(all);
        let is_numbered = self.word.starts_with(|at: char| at.is_ascii_digit());
        both.map(|(number, name)| if is_numbered { number.to_string() } else { name.to_owned() }).collect()
    }
}
