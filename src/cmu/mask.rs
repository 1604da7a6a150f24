//! Which characters of a line nobody may see.

use std::mem;

use super::Words;
use super::commands::help;
use super::lookup::find;
use super::password::{PROMPTED, READ};
use super::second_factor::OPTION;
use crate::protocol::user::UserType;

/// The argument that is a password in every command that has one; also where one is looked for in a line whose
/// command is misspelt.
const USUAL: usize = 3;

/// What may stand in the place of a password.
const KNOWN: [&str; 4] = [PROMPTED, READ[0], READ[1], READ[2]];

/// Shows a command line with a `*` for each character of a password.
///
/// It keeps the number of characters, and the mask of a line's beginning is the beginning of its mask. What may
/// be a password is masked: everything behind it, too, and in a line without a user type the word before. The
/// word `-hpswd` stays, and behind the password `-2fa` and its path, and so does as much of a word as begins like the
/// one or the other in its place.
#[must_use]
pub fn mask(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut words = Arguments::default();
    for word in line.split_inclusive(|character: char| character.is_ascii_whitespace()) {
        let text = word.trim_end_matches(|character: char| character.is_ascii_whitespace());
        match words.next(text) {
            Place::Plain => masked.push_str(text),
            Place::Secret => masked.push_str(&mask_word(text, &KNOWN)),
            Place::Behind => masked.push_str(&mask_word(text, &[OPTION])),
        }
        masked.push_str(word.get(text.len()..).unwrap_or_default());
    }
    masked
}

/// The line that arrow-up brings back: from the first masked word on it asks for the password. With `*` in its
/// place, Enter would try those as the password, and five tries lock the user.
#[must_use]
pub fn recall(line: &str) -> String {
    let (mut words, mut kept, mut is_whole) = (Arguments::default(), Vec::new(), true);
    for word in line.split_ascii_whitespace() {
        match words.next(word) {
            Place::Plain => kept.push(word),
            Place::Behind if word == OPTION => kept.push(word),
            Place::Secret if READ.contains(&word) => kept.push(word),
            Place::Secret | Place::Behind if kept.last() == Some(&PROMPTED) => is_whole = false,
            Place::Secret | Place::Behind => {
                is_whole &= word == PROMPTED;
                kept.push(PROMPTED);
            }
        }
    }
    if is_whole { line.to_owned() } else { kept.join(" ") }
}

/// Whether a file may hold the line: it is a command with right arguments, none of which may be a password, and what takes
/// a password asks for it. Of what has a name, such as an environment variable, nobody knows that it is one.
#[must_use]
pub fn is_public(line: &str) -> bool {
    let Some((word, arguments)) = Words::split(line) else { return false };
    let Ok(command) = find(word) else { return false };
    let is_understood = (command.parse)(arguments).is_ok();
    let mut arguments = line.split_ascii_whitespace().skip(1);
    let is_named = match command.name {
        name if name == help::COMMAND.name => arguments.all(|word| find(word).is_ok()),
        _ => command.secret.is_none() || arguments.last() == Some(PROMPTED),
    };
    is_understood
        && is_named
        && mask(line) == line
        && recall(line) == line
        && !line.contains(char::is_control)
}

/// What a word may be.
enum Place {
    /// No secret.
    Plain,
    /// The password, where it belongs.
    Secret,
    /// What stands behind it: `-2fa`, or a part of a password with blanks in it.
    Behind,
}

/// What a word has behind it that is no secret.
#[derive(Default, PartialEq)]
enum Follows {
    #[default]
    Nothing,
    /// Where authentication data is.
    Path,
    /// Where the password is.
    Place,
}

/// The words of a line that have been seen.
#[derive(Default)]
struct Arguments {
    count: usize,
    /// What the word before has behind it.
    follows: Follows,
    /// The first argument that may be a password; 0 if none may.
    secret: usize,
}

impl Arguments {
    /// Takes the next word, and says what it may be.
    fn next(&mut self, word: &str) -> Place {
        if word.is_empty() {
            return Place::Plain;
        }
        match self.count {
            // What it is asked about may be the beginning of a whole line.
            0 if find(word).is_ok_and(|command| command.name == help::COMMAND.name) => return Place::Plain,
            0 => self.secret = find(word).map_or(USUAL, |command| command.secret.unwrap_or_default()),
            // Without its first argument everything has moved up by one.
            1 if self.secret > 0 && UserType::parse(word) == UserType::Unknown => self.secret -= 1,
            _ => {}
        }
        let argument = self.count;
        self.count = self.count.saturating_add(1);
        if argument == 0 || self.secret == 0 || argument < self.secret {
            return Place::Plain;
        }
        match mem::take(&mut self.follows) {
            Follows::Nothing => {}
            Follows::Path => return Place::Plain,
            Follows::Place => {
                // What comes behind a password comes behind this.
                self.secret = argument;
                return Place::Plain;
            }
        }
        if argument == self.secret {
            self.follows = if READ.contains(&word) { Follows::Place } else { Follows::Nothing };
            return Place::Secret;
        }
        let is_next = argument == self.secret.saturating_add(1);
        self.follows = if is_next && word == OPTION { Follows::Path } else { Follows::Nothing };
        Place::Behind
    }
}

/// As much as begins like the known word stays.
fn mask_word(word: &str, known: &[&str]) -> String {
    let common =
        |known: &&str| word.chars().zip(known.chars()).take_while(|(left, right)| left == right).count();
    let common = known.iter().map(common).max().unwrap_or_default();
    word.chars().enumerate().map(|(at, character)| if at < common { character } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{is_public, mask, recall};
    use proptest::prelude::*;

    #[test]
    fn passwords_are_masked_however_the_line_is_written() {
        for (line, expected) in [
            ("loginHSM CO admin co12345", "loginHSM CO admin *******"),
            ("login  CO   admin  co12345 ", "login  CO   admin  ******* "),
            ("loginHSM admin co12345", "loginHSM admin *******"),
            ("loginhsm CO admin co12345", "loginhsm CO admin *******"),
            ("createUser CU alice pass word1", "createUser CU alice **** *****"),
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
            assert_eq!(mask(line), expected);
        }
    }

    #[test]
    fn a_recalled_line_asks_for_the_password() {
        assert_eq!(recall("loginHSM CO admin co12345"), "loginHSM CO admin -hpswd");
        assert_eq!(recall("loginHSM CO admin -hpswd"), "loginHSM CO admin -hpswd");
        assert_eq!(recall("createUser  CU alice two words"), "createUser CU alice -hpswd");
        assert_eq!(recall("loginHSM CO admin co12345 -2fa x"), "loginHSM CO admin -hpswd -2fa x");
        assert_eq!(recall("loginHSM CO admin -env  X -2fa x"), "loginHSM CO admin -env  X -2fa x");
        assert_eq!(recall("loginHSM CO admin -hpswd  -2fa x"), "loginHSM CO admin -hpswd  -2fa x");
        assert_eq!(recall("deleteUser  CU alice"), "deleteUser  CU alice");
    }

    #[test]
    fn a_line_is_public_if_it_is_understood_and_holds_no_password() {
        for line in ["listUsers", "login CO admin -hpswd", "createUser CU alice -hpswd", "help quit", "help"]
        {
            assert!(is_public(line), "{line}");
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
            assert!(!is_public(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn the_mask_of_a_beginning_is_the_beginning_of_the_mask(line in "(loginHSM|createU|foo|help)( (-2fa|-hpswd|-env|-fd|CO|[A-Za-z*-]{0,9})){0,6}", at in 0usize..60) {
            let whole: Vec<char> = mask(&line).chars().collect();
            prop_assert_eq!(whole.len(), line.chars().count());
            let beginning: String = line.chars().take(at).collect();
            let part: Vec<char> = mask(&beginning).chars().collect();
            prop_assert!(whole.starts_with(&part));
        }
    }
}
