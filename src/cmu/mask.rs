//! Which characters of a line nobody may see.

use super::lookup::find;
use super::password::PROMPTED;
use crate::protocol::user::UserType;

/// The argument that is a password in every command that has one; also where one is looked for in a line whose
/// command is misspelt.
const USUAL: usize = 3;

/// Shows a command line with a `*` for each character of a password.
///
/// It keeps the number of characters, and the mask of a line's beginning is the beginning of its mask. What may
/// be a password is masked: everything behind it, too, and in a line without a user type the word before. The
/// word `-hpswd` stays, and so does as much of a password as begins like it.
#[must_use]
pub fn mask(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut words = Arguments::default();
    for word in line.split_inclusive(|character: char| character.is_ascii_whitespace()) {
        let text = word.trim_end_matches(|character: char| character.is_ascii_whitespace());
        if words.is_secret(text) {
            masked.push_str(&mask_word(text));
        } else {
            masked.push_str(text);
        }
        masked.push_str(word.get(text.len()..).unwrap_or_default());
    }
    masked
}

/// The line that arrow-up brings back: from the first masked word on it asks for the password. With `*` in its
/// place, Enter would try those as the password, and five tries lock the user.
#[must_use]
pub fn recall(line: &str) -> String {
    let mut words = Arguments::default();
    let kept: Vec<&str> = line.split_ascii_whitespace().take_while(|word| !words.is_secret(word)).collect();
    let is_whole = kept.len() == line.split_ascii_whitespace().count();
    if is_whole { line.to_owned() } else { [kept.as_slice(), &[PROMPTED]].concat().join(" ") }
}

/// The words of a line that have been seen.
#[derive(Default)]
struct Arguments {
    count: usize,
    /// The first argument that may be a password; 0 if none may.
    secret: usize,
}

impl Arguments {
    /// Takes the next word, and says whether it is to be masked.
    fn is_secret(&mut self, word: &str) -> bool {
        if word.is_empty() {
            return false;
        }
        match self.count {
            0 => self.secret = find(word).map_or(USUAL, |command| command.secret.unwrap_or_default()),
            // Without its first argument everything has moved up by one.
            1 if self.secret > 0 && UserType::parse(word) == UserType::Unknown => self.secret -= 1,
            _ => {}
        }
        let argument = self.count;
        self.count = self.count.saturating_add(1);
        argument > 0 && self.secret > 0 && argument >= self.secret
    }
}

fn mask_word(word: &str) -> String {
    let common = word.chars().zip(PROMPTED.chars()).take_while(|(left, right)| left == right).count();
    word.chars().enumerate().map(|(at, character)| if at < common { character } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{mask, recall};
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
        assert_eq!(recall("deleteUser  CU alice"), "deleteUser  CU alice");
    }

    proptest! {
        #[test]
        fn the_mask_of_a_beginning_is_the_beginning_of_the_mask(line in "(loginHSM|createU|foo|help)( [A-Za-z*-]{0,9}){0,5}", at in 0usize..60) {
            let whole: Vec<char> = mask(&line).chars().collect();
            prop_assert_eq!(whole.len(), line.chars().count());
            let beginning: String = line.chars().take(at).collect();
            let part: Vec<char> = mask(&beginning).chars().collect();
            prop_assert!(whole.starts_with(&part));
        }
    }
}
