//! What could come next in a line: read from the commands' own definitions, and from what the servers know.

use super::slots::{Next, next};
use super::{COMMANDS, Command, Known, find};
use crate::console::Completion;
use crate::protocol::attribute::{ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME, Attribute, SetBy};
use crate::protocol::user::UserType;

/// What could be the word at the end of the line.
#[must_use]
pub fn complete(line: &str, known: &Known) -> Completion {
    let (before, word) = line.rsplit_once(|at: char| at.is_ascii_whitespace()).unwrap_or(("", line));
    let typed: Vec<&str> = before.split_ascii_whitespace().collect();
    let Some((first, arguments)) = typed.split_first() else { return names() };
    let Ok(command) = find(first) else { return Completion::Words(Vec::new()) };
    match next(command.arguments, arguments) {
        Some(Next::Slot(slot)) => Place { command, arguments, word, known }.complete(slot),
        Some(Next::Source("PATH")) => Completion::Path,
        Some(Next::Source(_)) | None => Completion::Words(Vec::new()),
    }
}

fn names() -> Completion {
    Completion::Words(COMMANDS.iter().map(|command| command.name.to_owned()).collect())
}

/// Where the cursor is.
struct Place<'a> {
    command: &'a Command,
    /// Those before the word.
    arguments: &'a [&'a str],
    /// As far as it is typed.
    word: &'a str,
    known: &'a Known,
}

impl Place<'_> {
    fn complete(&self, slot: &str) -> Completion {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let words: Vec<String> = match slot.trim_matches(['<', '>']) {
            "user-type" => words(&["CO", "CU", "PRECO", "AU"]),
            "user-name" => self.known.names(self.user_type()).into_iter().collect(),
            "user-id" => self.known.ids(|_| true).iter().map(ToString::to_string).collect(),
            "user-ids" => self.sharers(),
            // Never anything that could be a password.
            slot if slot.starts_with("password") => words(&["-hpswd", "-env", "-file", "-fd"]),
            "command" => return names(),
            "service" => words(&["3", "4", "5", "6"]),
            option if option == slot => words(&[option]),
            "server-number" => (0..self.known.server_count()).map(|number| number.to_string()).collect(),
            "attribute-id" => self.attributes(),
            slot if ["file", "token", "public-key", "/"].iter().any(|part| slot.contains(part)) => {
                return Completion::Path;
            }
            _ => Vec::new(),
        };
        Completion::Words(words)
    }

    /// Of the user whose name comes next: it is said before the name, or who gets tokens of the service has it.
    fn user_type(&self) -> UserType {
        match self.arguments.last() {
            Some(&("3" | "4")) => UserType::Co,
            Some(&("5" | "6")) => UserType::Cu,
            Some(word) => UserType::parse(word),
            None => UserType::Unknown,
        }
    }

    /// The list as far as it is typed, with one more of those whom keys are shared with.
    fn sharers(&self) -> Vec<String> {
        let list = self.word.rfind(',').and_then(|comma| self.word.get(..=comma)).unwrap_or_default();
        let ids = self.known.ids(|user| user.user_type == UserType::Cu);
        let ids = ids.iter().map(ToString::to_string);
        ids.filter(|id| list.split(',').all(|there| there != id)).map(|id| format!("{list}{id}")).collect()
    }

    /// Those that the command takes: by their names, or by their numbers once a digit is typed. Side by side, sorted, the
    /// two would read as a table that is wrong.
    fn attributes(&self) -> Vec<String> {
        let sets = self.command.name == super::commands::set_attribute::COMMAND.name;
        let fitting = Attribute::ALL.iter().filter(|attribute| !sets || attribute.set_by() != SetBy::Nobody);
        let all = Some((ALL_ATTRIBUTES, ALL_ATTRIBUTES_NAME)).filter(|_| !sets);
        let both = fitting.map(|attribute| (attribute.number(), attribute.name())).chain(all);
        let is_numbered = self.word.starts_with(|at: char| at.is_ascii_digit());
        both.map(|(number, name)| if is_numbered { number.to_string() } else { name.to_owned() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Completion, complete};
    use crate::cmu::{COMMANDS, Known};
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
            let Completion::Words(words) = complete(line, &known) else { panic!("{line} is no path") };
            assert_eq!(words.join(" "), expected, "{line}");
        }
        for line in
            ["approveToken ", "getToken 3 me x", "loginHSM CO a b -2fa ", "loginHSM CO a -file ", "getCert /"]
        {
            assert!(matches!(complete(line, &known), Completion::Path), "{line}");
        }
        let Completion::Words(all) = complete("", &known) else { panic!("commands are no paths") };
        assert_eq!(all.len(), COMMANDS.len());
    }

    #[test]
    fn who_is_gone_and_what_is_no_word_is_not_offered() {
        let known = Known::default();
        let offered = || match complete("loginHSM CU ", &known) {
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
        let offered = |line: &str| match complete(line, &Known::default()) {
            Completion::Words(words) => words,
            Completion::Path => panic!("{line} is no path"),
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
}
