//! Which characters of a line nobody may see, which lines come back, and which may go to a file.

use super::walk::{Role, Walk};
use super::{Argument, Command, Given, Kind, Layout, PROMPTED, Table, split};

impl<A: ?Sized> Table<A> {
    /// Shows a line with a `*` for each character that may be of a password, whatever is wrong with the line.
    ///
    /// It keeps the number of characters, and what is shown of a line's beginning is the beginning of what is shown of the
    /// line. As much of a hidden word stays as begins like a flag that may stand there.
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

    /// The line that arrow-up brings back: it asks for the password. With `*` in its place, Enter would try those as the
    /// password, and five tries lock the user.
    #[must_use]
    pub fn recall(&self, line: &str) -> String {
        let mut reader = Reader::new(self);
        let (mut kept, mut place) = (Vec::new(), None);
        for word in line.split_ascii_whitespace() {
            let is_whole = reader.shown(word) == word.chars().count();
            // Without the password its flag would take the next word for one.
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

    /// Whether a file may hold the line: a command with right arguments, none of which may be a password.
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

    /// Whether no argument can be a password in the wrong place. The word after `-env` or `-2fa` may be one: where order
    /// counts, nothing may follow what asks for the password. Nor is what names no command the name of one.
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
    /// A command with a secret, or a word that may be meant as one.
    Secret(Walk),
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
            Stage::Secret(walk) => match self.table.layout {
                Layout::InOrder => in_order(walk, word).unwrap_or(all),
                Layout::ByFlag => by_flag(walk, word).unwrap_or(all),
            },
        }
    }

    /// A misspelt command may be any that takes a password.
    fn named(&self, word: &str) -> Stage {
        let command = match self.table.find(word) {
            Ok(command) if std::ptr::eq(command, self.table.help) => return Stage::Name,
            Ok(command) => Some(command),
            Err(_) => self.table.iter().find(|command| command.secret().is_some()),
        };
        match command.filter(|command| command.secret().is_some()) {
            Some(command) => Stage::Secret(Walk::new(self.table.layout, command.arguments)),
            None => Stage::Public,
        }
    }

    fn awaits_secret(&self) -> bool {
        match &self.stage {
            Stage::Name | Stage::Public => false,
            Stage::Secret(walk) => walk.open.is_some_and(|argument| argument.kind.is_secret()),
        }
    }
}

/// From the password on everything is hidden that may be a part of it; `None` shows the word. Without a user type
/// everything has moved up by one.
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

/// Hides every word that is no flag and not the value of one that takes another value; `None` shows the word.
fn by_flag(walk: &mut Walk, word: &str) -> Option<usize> {
    let is_flag = word.starts_with('-');
    // A value is missing, and what follows the flag may be the password.
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

/// How many characters the word has in common with the flag that it begins like.
fn alike(arguments: &[Argument], word: &str) -> usize {
    let common =
        |flag: &str| word.chars().zip(flag.chars()).take_while(|(left, right)| left == right).count();
    arguments.iter().filter_map(|argument| argument.flag).map(common).max().unwrap_or_default()
}
