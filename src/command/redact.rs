//! Which characters of a line nobody may see, which lines come back, and which may go to a file.

use super::unknown::{is_like_secret, unknown};
use super::walk::{Role, Walk};
use super::{Argument, Command, Given, Kind, Layout, PROMPTED, Table, split};

impl<A: ?Sized> Table<A> {
    /// Shows a line with a `*` for each character that may belong to a password, even in a line that is wrong.
    ///
    /// The result has as many characters as the line, and a line can be shown as it is typed: what is shown of its
    /// beginning does not change. The part of a hidden word that could become a flag is shown.
    #[must_use]
    pub fn redact(&self, line: &str) -> String {
        let mut redacted = String::with_capacity(line.len());
        let mut reader = Reader::new(self);
        for word in line.split_inclusive(|at: char| at.is_ascii_whitespace()) {
            let text = word.trim_end_matches(|at: char| at.is_ascii_whitespace());
            let shown = reader.shown(text);
            redacted
                .extend(text.chars().enumerate().map(|(at, letter)| if at < shown { letter } else { '*' }));
            redacted.push_str(word.get(text.len()..).unwrap_or_default());
        }
        redacted
    }

    /// The line that arrow-up brings back: it asks for the password. With `*` instead, Enter would send those as the
    /// password, and five wrong passwords lock the user.
    #[must_use]
    pub fn recall(&self, line: &str) -> String {
        let mut reader = Reader::new(self);
        let (mut kept, mut place) = (Vec::new(), None);
        for word in line.split_ascii_whitespace() {
            let is_whole = reader.shown(word) == word.chars().count();
            // Its flag goes with the password, or the next word would be taken for one.
            if is_whole && !reader.awaits_secret() {
                kept.push(word);
            } else {
                place.get_or_insert(kept.len());
            }
        }
        let Some(place) = place else { return line.to_owned() };
        if !kept.contains(&PROMPTED) {
            let end = kept.len();
            kept.insert(if self.layout == Layout::InOrder { place } else { end }, PROMPTED);
        }
        kept.join(" ")
    }

    /// Whether the line may be kept in a file: a command with correct arguments, none of which can be a password.
    #[must_use]
    pub fn is_public(&self, line: &str) -> bool {
        let Some((word, arguments)) = split(line) else { return false };
        let Ok(command) = self.find(word) else { return false };
        self.read(command, arguments).is_ok()
            && self.has_no_stray_secret(command, arguments)
            && self.redact(line) == line
            && self.recall(line) == line
            && !line.contains(char::is_control)
    }

    /// Whether no argument can be a password in the wrong place. Where order counts, the word after `-env` or `-2fa` may be
    /// a mistyped one, so nothing may follow the flag that asks for it. A word for a command has to name one.
    fn has_no_stray_secret(&self, command: &Command<A>, arguments: &str) -> bool {
        let Ok(given) = Given::read(self.layout, command.arguments, arguments) else { return false };
        let is_no_name =
            |(argument, word): (&Argument, &str)| argument.kind == Kind::Command && self.find(word).is_err();
        let ends_with_prompt = arguments.split_ascii_whitespace().last() == Some(PROMPTED);
        let may_follow = self.layout == Layout::ByFlag || command.secret().is_none();
        !given.values().any(is_no_name) && (may_follow || ends_with_prompt)
    }
}

/// The words of a line that have been seen.
struct Reader<'t, A: ?Sized + 'static> {
    table: &'t Table<A>,
    stage: Stage,
}

enum Stage {
    /// The next word should name a command.
    Name,
    /// A command without a secret.
    Public,
    /// A command with a secret, or a misspelt one.
    Secret(Walk),
    /// No command, and not like one with a secret: its words are shown up to a flag for a password.
    Unknown {
        /// Whether that flag was among the words.
        is_secret: bool,
    },
}

impl<'t, A: ?Sized> Reader<'t, A> {
    fn new(table: &'t Table<A>) -> Self {
        Self { table, stage: Stage::Name }
    }

    /// Takes the next word, and returns how many of its characters may be shown.
    fn shown(&mut self, word: &str) -> usize {
        let all = word.chars().count();
        match &mut self.stage {
            _ if word.is_empty() => 0,
            Stage::Name => {
                self.stage = self.named(word);
                all
            }
            Stage::Public => all,
            Stage::Unknown { is_secret } => unknown(is_secret, word).unwrap_or(all),
            Stage::Secret(walk) => match self.table.layout {
                Layout::InOrder => in_order(walk, word).unwrap_or(all),
                Layout::ByFlag => by_flag(walk, word).unwrap_or(all),
            },
        }
    }

    /// A misspelt command is treated as one that takes a password. Where passwords have a flag, that is only necessary
    /// if it looks like one: its password may stand anywhere.
    fn named(&self, word: &str) -> Stage {
        let command = match self.table.find(word) {
            Ok(command) if std::ptr::eq(command, self.table.help) => return Stage::Name,
            Ok(command) => Some(command),
            Err(_) if self.table.layout == Layout::ByFlag && !is_like_secret(word) => {
                return Stage::Unknown { is_secret: false };
            }
            Err(_) => self.table.iter().find(|command| command.secret().is_some()),
        };
        match command.filter(|command| command.secret().is_some()) {
            Some(command) => Stage::Secret(Walk::new(self.table.layout, command.arguments)),
            None => Stage::Public,
        }
    }

    fn awaits_secret(&self) -> bool {
        match &self.stage {
            Stage::Name | Stage::Public | Stage::Unknown { .. } => false,
            Stage::Secret(walk) => walk.open.is_some_and(|argument| argument.kind.is_secret()),
        }
    }
}

/// How much of a word to show; `None` is all. From the password on, everything is hidden that could be part of it. A
/// user type that is missing moves it one word forward.
fn in_order(walk: &mut Walk, word: &str) -> Option<usize> {
    walk.pass_over_unless_fits(word);
    let role = walk.take(word);
    match role {
        _ if walk.has_secret_ahead() => None,
        Role::Flag(_) => None,
        Role::Value(argument) if argument.flag.is_some() => None,
        Role::Value(argument) if argument.kind.is_secret() => Some(alike(argument.instead, word)),
        Role::Value(_) | Role::Stray => Some(alike(walk.arguments, word)),
    }
}

/// How much of a word to show; `None` is all. Only flags, and values of flags that take no secret, are shown.
fn by_flag(walk: &mut Walk, word: &str) -> Option<usize> {
    let is_flag = word.starts_with('-');
    // The value is missing, and the word after this flag may be the password.
    if is_flag && walk.open.is_some_and(|argument| !argument.kind.is_secret()) {
        walk.open = None;
    }
    match walk.take(word) {
        Role::Value(argument) => argument.kind.is_secret().then_some(0),
        Role::Flag(_) => None,
        Role::Stray if is_flag => {
            let mut secrets = walk.arguments.iter().filter(|argument| argument.kind.is_secret());
            secrets.find_map(|secret| secret.flag.filter(|flag| word.starts_with(flag))).map(str::len)
        }
        Role::Stray => Some(0),
    }
}

/// How many characters the word shares with the beginning of a flag.
fn alike(arguments: &[Argument], word: &str) -> usize {
    let common =
        |flag: &str| word.chars().zip(flag.chars()).take_while(|(left, right)| left == right).count();
    arguments.iter().filter_map(|argument| argument.flag).map(common).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Argument, Kind, Layout, Table};
    use crate::cmu::COMMANDS;
    use crate::kmu;
    use proptest::prelude::*;

    #[test]
    fn passwords_are_hidden_however_the_line_is_written() {
        for (line, expected) in [
            ("loginHSM CO admin co12345", "loginHSM CO admin *******"),
            ("login  CO   admin  co12345 ", "login  CO   admin  ******* "),
            ("loginHSM admin co12345", "loginHSM admin *******"),
            ("loginhsm CO admin co12345", "loginhsm CO admin *******"),
            ("createUser CU alice pass word1", "createUser CU alice **** *****"),
            ("createUser cu alice crypto12", "createUser cu alice ********"),
            ("loginHSM CO admin -hpswd", "loginHSM CO admin -hpswd"),
            ("loginHSM CO admin -hidden12", "loginHSM CO admin -h*******"),
            ("loginHSM CO admin p\u{e4}ssw\u{f6}rd", "loginHSM CO admin ********"),
            ("loginHSM CO admin co12345 -2fa authdata", "loginHSM CO admin ******* -2fa authdata"),
            ("loginHSM CO admin -env PASSWORD", "loginHSM CO admin -env PASSWORD"),
            ("loginHSM CO admin -file /x -2fa y", "loginHSM CO admin -file /x -2fa y"),
            ("loginHSM CO admin -fd 3 more", "loginHSM CO admin -fd 3 ****"),
            ("loginHSM CO admin -fido123", "loginHSM CO admin -fi*****"),
            ("loginHSM CO admin -hpswd -2fa authdata", "loginHSM CO admin -hpswd -2fa authdata"),
            ("loginHSM admin co12345 -2fa authdata", "loginHSM admin ******* -2fa authdata"),
            ("loginHSM CO admin two words -2fa x", "loginHSM CO admin *** ***** -2fa *"),
            ("createUser CO a password -2fa x y", "createUser CO a ******** -2fa x *"),
            ("help loginHSM CO admin co12345", "help loginHSM CO admin *******"),
            ("listUsers", "listUsers"),
            ("deleteUser CU alice", "deleteUser CU alice"),
            ("findAllKeys 3 1 keys.txt", "findAllKeys 3 1 keys.txt"),
            ("getKeyInfo -k 7 key.txt", "getKeyInfo -k 7 key.txt"),
            ("getAttribute 7 512 key.txt", "getAttribute 7 512 key.txt"),
            ("setAttribute 7 3 label", "setAttribute 7 3 label"),
            ("shareKey 7 4,5 1", "shareKey 7 4,5 1"),
        ] {
            assert_eq!(COMMANDS.redact(line), expected);
        }
    }

    #[test]
    fn a_recalled_line_asks_for_the_password() {
        assert_eq!(COMMANDS.recall("loginHSM CO admin co12345"), "loginHSM CO admin -hpswd");
        assert_eq!(COMMANDS.recall("loginHSM CO admin -hpswd"), "loginHSM CO admin -hpswd");
        assert_eq!(COMMANDS.recall("createUser  CU alice two words"), "createUser CU alice -hpswd");
        assert_eq!(COMMANDS.recall("loginHSM CO admin co12345 -2fa x"), "loginHSM CO admin -hpswd -2fa x");
        assert_eq!(COMMANDS.recall("loginHSM CO admin -env  X -2fa x"), "loginHSM CO admin -env  X -2fa x");
        assert_eq!(COMMANDS.recall("loginHSM CO admin -hpswd  -2fa x"), "loginHSM CO admin -hpswd  -2fa x");
        assert_eq!(COMMANDS.recall("deleteUser  CU alice"), "deleteUser  CU alice");
    }

    #[test]
    fn a_line_is_public_if_it_is_understood_and_holds_no_password() {
        for line in ["listUsers", "login CO admin -hpswd", "createUser CU alice -hpswd", "help quit", "help"]
        {
            assert!(COMMANDS.is_public(line), "{line}");
        }
        for line in [
            "",
            "co12345",
            "loginHSM CO admin co12345",
            "login CO admin co12345",
            "loginHSM CO co12345",
            "loginHSM co12345 admin CO",
            "loginhsm CO admin -hpswd",
            "loginHSM CO admin -hpswd co12345",
            "listUsers co12345",
            "changePswd CO admin -2fa co12345",
            "changePswd CO admin -hpswd -2fa co12345",
            "loginHSM CO admin -env co12345",
            "loginHSM CO admin -file co12345",
            "help co12345",
            "setAttribute 7 3 \u{1b}[2J",
        ] {
            assert!(!COMMANDS.is_public(line), "{line}");
        }
    }

    #[test]
    fn passwords_are_hidden_with_flags_however_the_line_is_written() {
        for (line, expected) in [
            ("loginHSM -u CU -s alice -p crypto12", "loginHSM -u CU -s alice -p ********"),
            ("loginHSM -p crypto12 -u CU  -s alice ", "loginHSM -p ******** -u CU  -s alice "),
            ("loginHSM -p -crypto1 -s alice", "loginHSM -p ******** -s alice"),
            ("loginHSM -p two words -s alice", "loginHSM -p *** ***** -s alice"),
            ("loginHSM -s alice -pcrypto12", "loginHSM -s alice -p********"),
            ("loginHSM -u CU -s alice crypto12", "loginHSM -u CU -s alice ********"),
            ("loginHSM -u CU -s alice -hpswd crypto12", "loginHSM -u CU -s alice -hpswd ********"),
            ("loginhsm -u CU -p crypto12", "loginhsm -u CU -p ********"),
            ("loginHSM -u CU -s alice -P crypto12", "loginHSM -u CU -s alice -P ********"),
            ("loginHSM -u CU -s alice --p crypto12", "loginHSM -u CU -s alice --p ********"),
            ("loginHSM CU alice crypto12", "loginHSM ** ***** ********"),
            ("help loginHSM -u CU -p crypto12", "help loginHSM -u CU -p ********"),
            ("genSymKey -t 31 -s 32 -l x y", "genSymKey -t 31 -s 32 -l x y"),
            ("genKey -t 31 -l x y", "genKey -t 31 -l x y"),
            ("genKey 31 -p crypto12 -l x", "genKey 31 -p ******** ** *"),
            ("genKey -pcrypto12 x", "genKey -p******** *"),
            ("genKey -hpswd crypto12 x", "genKey -hpswd ******** *"),
            ("createUser CU alice crypto12", "createUser ** ***** ********"),
            ("changePwd CU alice crypto12", "changePwd ** ***** ********"),
        ] {
            assert_eq!(kmu::COMMANDS.redact(line), expected);
        }
    }

    #[test]
    fn a_recalled_line_with_flags_asks_for_the_password() {
        assert_eq!(
            kmu::COMMANDS.recall("loginHSM -u CU -p crypto12 -s alice"),
            "loginHSM -u CU -s alice -hpswd"
        );
        assert_eq!(kmu::COMMANDS.recall("loginHSM -u CU -s alice -hpswd"), "loginHSM -u CU -s alice -hpswd");
        assert_eq!(kmu::COMMANDS.recall("genSymKey -t 31  -l p"), "genSymKey -t 31  -l p");
    }

    #[test]
    fn a_line_with_flags_is_public_if_it_is_understood_and_holds_no_password() {
        for line in ["listUsers", "loginHSM -u CU -s alice -hpswd", " genSymKey -t 31 -s 32 -l p"] {
            assert!(kmu::COMMANDS.is_public(line), "{line}");
        }
        for line in
            ["", "crypto12", "loginHSM -u CU -s alice -p crypto12", "loginHSM -u CU -p", "listUsers crypto12"]
        {
            assert!(!kmu::COMMANDS.is_public(line), "{line}");
        }
    }

    const CANARY: &str = "Zq7xWvJ9";

    /// Arguments with a password wherever one may be, in right lines and in wrong ones.
    fn with_secret(layout: Layout, arguments: &[Argument]) -> Vec<String> {
        let given: Vec<String> = arguments.iter().map(given).collect();
        let mut lines = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            let (before, after) = (given[..at].join(" "), given[at + 1..].join(" "));
            let (this, flag) = (&given[at], argument.flag.unwrap_or_default());
            match (layout, argument.kind) {
                // Nothing else can be seen to be missing.
                (Layout::InOrder, Kind::UserType) => lines.push(after),
                (Layout::InOrder, _) => lines.push(format!("{before} {this}")),
                (Layout::ByFlag, _) => {
                    lines.extend([format!("{this} {after} {before}"), format!("{before} {flag} {after}")]);
                }
            }
        }
        lines.retain(|line| line.contains(CANARY));
        lines
    }

    fn given(argument: &Argument) -> String {
        let value = match argument.kind {
            Kind::UserType => "CO".to_owned(),
            // With a dash: it looks like a flag.
            Kind::Password => format!("-{CANARY} {CANARY}"),
            _ => "word".to_owned(),
        };
        argument.flag.map_or(value.clone(), |flag| format!("{flag} {value}"))
    }

    fn must_hide<A: ?Sized>(table: &Table<A>, line: &str) {
        let (redacted, recalled) = (table.redact(line), table.recall(line));
        assert!(!redacted.contains(CANARY) && !recalled.contains(CANARY), "{redacted}, {recalled}");
        assert!(!table.is_public(line), "{line}");
        assert!(table.hint(line).is_none_or(|hint| !hint.contains(CANARY)), "{line}");
    }

    fn check<A: ?Sized>(table: &Table<A>) {
        for command in table.iter() {
            assert_eq!(table.redact(command.example), command.example);
            assert!(table.is_public(command.example), "{}", command.example);
            let lines = with_secret(table.layout, command.arguments);
            assert_eq!(lines.is_empty(), command.secret().is_none(), "{}", command.name);
            for line in lines {
                let names = [command.name, "nonsense", "help nonsense", &format!("help {}", command.name)];
                names.iter().for_each(|name| must_hide(table, &format!("{name} {line}")));
            }
        }
    }

    #[test]
    fn every_password_is_hidden_wherever_it_is() {
        check(COMMANDS);
        check(kmu::COMMANDS);
    }

    proptest! {
        #[test]
        fn a_line_can_be_shown_as_it_is_typed(line in "(loginHSM|createU|foo|help)( (-2fa|-hpswd|-env|-fd|CO|[A-Za-z*-]{0,9})){0,6}", at in 0usize..60) {
            let whole: Vec<char> = COMMANDS.redact(&line).chars().collect();
            prop_assert_eq!(whole.len(), line.chars().count());
            let beginning: String = line.chars().take(at).collect();
            let part: Vec<char> = COMMANDS.redact(&beginning).chars().collect();
            prop_assert!(whole.starts_with(&part));
        }

        #[test]
        fn a_line_with_flags_can_be_shown_as_it_is_typed(line in "(loginHSM|find|x)( -p| -u| -hpswd| -?[a-p]{1,3}| ){0,6}") {
            let whole = kmu::COMMANDS.redact(&line);
            prop_assert_eq!(whole.chars().count(), line.chars().count());
            for end in 0..=line.len() {
                prop_assert!(whole.starts_with(&kmu::COMMANDS.redact(&line[..end])), "{}", &line[..end]);
            }
        }
    }
}
