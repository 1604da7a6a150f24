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
        let arguments = match (next, self.table.layout) {
            (Next::Value(argument), _) => return self.values(argument.kind),
            (Next::Arguments(all), Layout::ByFlag) => all,
            (Next::Arguments(all), Layout::InOrder) => all.into_iter().take(1).collect(),
        };
        let mut words = Vec::new();
        for argument in arguments {
            if argument.flag.is_none() {
                match self.values(argument.kind) {
                    Completion::Words(values) => words.extend(values),
                    Completion::Path => return Completion::Path,
                }
            }
            words.extend(argument.choices().filter_map(|choice| choice.flag).map(str::to_owned));
        }
        Completion::Words(words)
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
        let mut types = self.said.iter().filter_map(|(role, word)| match role {
            Role::Value(Argument { kind: Kind::UserType, .. }) => Some(UserType::parse(word)),
            Role::Value(Argument { kind: Kind::Service, .. }) => {
                let service = word.parse().ok().and_then(Service::numbered)?;
                Some(if service.is_of_key() { UserType::Cu } else { UserType::Co })
            }
            Role::Value(_) | Role::Flag(_) | Role::Stray => None,
        });
        types.next_back().unwrap_or(UserType::Unknown)
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

#[cfg(test)]
mod tests {
    use super::{Argument, Completion, Kind, Known, Table};
    use crate::cmu::COMMANDS;
    use crate::command::Command;
    use crate::kmu;
    use crate::protocol::user::{UserId, UserRow, UserType};

    #[test]
    fn each_place_has_its_words() {
        let known = Known::default();
        known.servers(2);
        known.users(0, vec![row(1, UserType::Co, "admin"), row(3, UserType::Cu, "alice")]);
        known.users(1, vec![row(1, UserType::Co, "admin"), row(4, UserType::Cu, "alice")]);
        for (line, expected) in [
            ("loginHSM ", "CO CU PRECO AU"),
            ("login C", "CO CU PRECO AU"),
            ("loginHSM CO ", "admin"),
            ("loginHSM PCO ", "admin"),
            ("deleteUser CU a", "alice"),
            ("deleteUser AU ", ""),
            ("getToken 3 ", "admin"),
            ("getToken 6 ", "alice"),
            ("loginHSM CO admin ", "-hpswd -env -file -fd"),
            ("loginHSM CO admin secret ", "-2fa"),
            ("server ", "0 1"),
            ("info ", "server"),
            ("info server ", "0 1"),
            ("syncUser ", "1 3 4"),
            ("syncUser 3 ", "0 1"),
            ("findAllKeys ", "1 3 4"),
            ("shareKey 7 ", "3 4"),
            ("shareKey 7 3", "3 4"),
            ("shareKey 7 3,", "3,4"),
            ("shareKey 7 9,3,4", "9,3,4"),
            ("shareKey 7 3,4,", ""),
            ("getMValue ", "3 4 5 6"),
            ("loginHSM CO admin -file /x ", "-2fa"),
            ("loginHSM CO admin -env ", ""),
            ("getKeyInfo ", "-k"),
            ("listUsers ", ""),
            ("nonsense ", ""),
        ] {
            let Completion::Words(words) = COMMANDS.complete(line, &known) else {
                panic!("{line} does not end in a path")
            };
            assert_eq!(words.join(" "), expected, "{line}");
        }
        for line in
            ["approveToken ", "getToken 3 me x", "loginHSM CO a b -2fa ", "loginHSM CO a -file ", "getCert /"]
        {
            assert!(matches!(COMMANDS.complete(line, &known), Completion::Path), "{line}");
        }
        let Completion::Words(all) = COMMANDS.complete("", &known) else { panic!("commands are no paths") };
        assert_eq!(all.len(), COMMANDS.iter().count());
    }

    #[test]
    fn who_is_gone_and_what_is_no_word_is_not_offered() {
        let known = Known::default();
        let offered = || match COMMANDS.complete("loginHSM CU ", &known) {
            Completion::Words(words) => words.join(" "),
            Completion::Path => panic!("users are no paths"),
        };
        known.users(0, vec![row(3, UserType::Cu, "alice"), row(4, UserType::Cu, "\x1b[2Jbob")]);
        assert_eq!(offered(), "alice");
        known.users(0, vec![row(5, UserType::Cu, "carol")]);
        assert_eq!(offered(), "carol");
    }

    fn row(id: u32, user_type: UserType, name: &str) -> UserRow {
        UserRow {
            id: UserId(id),
            user_type,
            name: name.to_owned(),
            quorum_key: false,
            login_failures: 0,
            second_factor: false,
        }
    }

    #[test]
    fn attributes_are_offered_by_number_and_name_if_the_command_takes_them() {
        let offered = |line: &str| match COMMANDS.complete(line, &Known::default()) {
            Completion::Words(words) => words,
            Completion::Path => panic!("{line} does not end in a path"),
        };
        for (line, numbers) in [
            ("setAttribute 6 ", "1 3 134 260 261 262 263 264 266 268 370 528"),
            (
                "getAttribute 6 ",
                "0 1 2 3 134 256 258 259 260 261 262 263 264 266 268 355 288 289 290 353 354 356 357 370 371 528 \
                 1073742353 1073742354 512",
            ),
        ] {
            let numbered = format!("{line}1");
            assert_eq!(offered(&numbered).join(" "), numbers);
            let names = offered(line);
            assert_eq!(names.len(), numbers.split(' ').count());
            assert!(names.contains(&"OBJ_ATTR_LABEL".to_owned()));
            assert_eq!(names.contains(&"OBJ_ATTR_ALL".to_owned()), line.starts_with("get"));
            assert_eq!(names.contains(&"OBJ_ATTR_CLASS".to_owned()), line.starts_with("get"));
        }
    }

    /// A word that could be such a value.
    fn sample(kind: Kind) -> &'static str {
        match kind {
            Kind::Switch => "",
            Kind::UserType => "CU",
            Kind::UserName => "alice",
            Kind::UserId | Kind::UserIds | Kind::Handle | Kind::Service | Kind::Number => "3",
            Kind::Server => "0",
            Kind::Attribute | Kind::SettableAttribute => "OBJ_ATTR_LABEL",
            Kind::Command => "help",
            Kind::File | Kind::Password | Kind::Text => "x",
        }
    }

    /// The line up to the value of the last argument.
    fn before(name: &str, arguments: &[Argument]) -> String {
        let (last, others) = arguments.split_last().unwrap();
        let given =
            others.iter().flat_map(|argument| [argument.flag.unwrap_or_default(), sample(argument.kind)]);
        let words = [name].into_iter().chain(given).chain(last.flag).filter(|word| !word.is_empty());
        words.map(|word| format!("{word} ")).collect()
    }

    fn check<A: ?Sized>(table: &Table<A>, command: &Command<A>, arguments: &[Argument], known: &Known) {
        let (line, argument) = (before(command.name, arguments), arguments.last().unwrap());
        let offered = match table.complete(&line, known) {
            Completion::Path => None,
            Completion::Words(words) => Some(words),
        };
        match argument.kind {
            Kind::File => assert_eq!(offered, None, "{line}"),
            Kind::Password | Kind::Handle | Kind::Number | Kind::Text => {
                let instead = if argument.flag.is_none() { argument.instead } else { &[] };
                let flags = instead.iter().filter_map(|other| other.flag.map(str::to_owned));
                assert_eq!(offered, Some(flags.collect()), "{line}");
            }
            Kind::Switch => {}
            kind => assert!(offered.unwrap().iter().any(|word| word == sample(kind)), "{line}"),
        }
    }

    fn check_all<A: ?Sized>(table: &Table<A>) {
        let known = Known::default();
        known.servers(1);
        known.users(0, ["CU", "CO"].map(|name| row(3, UserType::parse(name), "alice")).to_vec());
        for command in table.iter() {
            for end in 1..=command.arguments.len() {
                check(table, command, &command.arguments[..end], &known);
            }
        }
    }

    #[test]
    fn flags_are_offered_that_are_not_given_and_files_after_theirs() {
        let offered = |line: &str| match kmu::COMMANDS.complete(line, &Known::default()) {
            Completion::Words(words) => Some(words),
            Completion::Path => None,
        };
        assert!(offered("gen").unwrap().contains(&"genSymKey".to_owned()));
        assert_eq!(offered("deleteKey ").unwrap(), ["-k"]);
        assert_eq!(offered("loginHSM -u CU ").unwrap(), ["-p", "-hpswd", "-s"]);
        assert_eq!(offered("loginHSM -u CU -hpswd ").unwrap(), ["-s"]);
        assert_eq!(offered("xyzzy "), Some(Vec::new()));
        for line in ["sign -f /tm", "extractMaskedObject -o 6 -out ", "findKey -m "] {
            assert_eq!(offered(line), None, "{line}");
        }
    }

    #[test]
    fn every_argument_is_completed_by_its_kind() {
        check_all(COMMANDS);
        check_all(kmu::COMMANDS);
    }
}
