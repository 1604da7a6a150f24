//! Which characters of a line nobody may see.

use super::commands::help;
use super::{Flags, find};

/// Shows a command line with a `*` for each character of a password.
///
/// It keeps the number of characters, and the mask of a line's beginning is the beginning of its mask. In a login,
/// and in a line that is no command, every word is masked that is no option and does not follow `-u` or `-s`
/// directly.
#[must_use]
pub fn mask(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut words = Words::default();
    for word in line.split_inclusive(|character: char| character.is_ascii_whitespace()) {
        let text = word.trim_end_matches(|character: char| character.is_ascii_whitespace());
        let shown = words.shown(text);
        masked.extend(text.chars().enumerate().map(|(at, letter)| if at < shown { letter } else { '*' }));
        masked.push_str(word.get(text.len()..).unwrap_or_default());
    }
    masked
}

/// The line that arrow-up brings back: it asks for the password. With `*` in its place, Enter would try those as the
/// password, and five tries lock the user.
#[must_use]
pub fn recall(line: &str) -> String {
    let mut words = Words::default();
    let is_kept = |word: &&str| words.shown(word) >= word.chars().count() && *word != SECRET;
    let kept: Vec<&str> = line.split_ascii_whitespace().filter(is_kept).collect();
    if kept.len() == line.split_ascii_whitespace().count() {
        return line.to_owned();
    }
    let asked: Vec<&str> = kept.into_iter().filter(|word| *word != PROMPTED).chain([PROMPTED]).collect();
    asked.join(" ")
}

/// Whether everybody may see the line: it is a command with right arguments, none of which may be a password.
#[must_use]
pub fn is_public(line: &str) -> bool {
    let line = line.trim();
    let (word, arguments) = line.split_once(|at: char| at.is_ascii_whitespace()).unwrap_or((line, ""));
    let Some(command) = find(word) else { return false };
    let is_understood = Flags::parse(command, arguments).is_ok_and(|flags| (command.parse)(&flags).is_ok());
    is_understood && mask(line) == line && recall(line) == line && !line.contains(char::is_control)
}

const SECRET: &str = "-p";
const PROMPTED: &str = "-hpswd";
/// The options of a login whose values are no secret.
const SHOWN: [&str; 2] = ["-u", "-s"];

/// The words of a line that have been seen.
#[derive(Default)]
struct Words {
    seen: Seen,
    may_hold_a_secret: bool,
}

#[derive(Default, PartialEq)]
enum Seen {
    #[default]
    Nothing,
    /// What comes next belongs to it, and is no secret.
    Option,
    /// What comes next is a password.
    Password,
    /// What comes next should be an option.
    Other,
}

impl Words {
    /// Takes the next word, and says how many of its characters may be shown.
    fn shown(&mut self, word: &str) -> usize {
        let everything = word.chars().count();
        if word.is_empty() {
            return 0;
        }
        // What it is asked about may be the beginning of a whole line.
        if self.seen == Seen::Nothing && word == help::COMMAND.name {
            return everything;
        }
        if self.seen == Seen::Nothing {
            self.may_hold_a_secret = find(word).is_none_or(|command| command.name == "loginHSM");
            self.seen = Seen::Other;
            return everything;
        }
        if !self.may_hold_a_secret {
            return everything;
        }
        match self.seen {
            Seen::Password => {
                self.seen = Seen::Other;
                0
            }
            Seen::Nothing | Seen::Option | Seen::Other if word.starts_with(SECRET) => {
                self.seen = if word == SECRET { Seen::Password } else { Seen::Other };
                SECRET.len()
            }
            Seen::Nothing | Seen::Option | Seen::Other if word.starts_with('-') => {
                self.seen = if SHOWN.contains(&word) { Seen::Option } else { Seen::Other };
                everything
            }
            Seen::Option => {
                self.seen = Seen::Other;
                everything
            }
            Seen::Nothing | Seen::Other => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_public, mask, recall};
    use proptest::prelude::*;

    #[test]
    fn passwords_are_masked_however_the_line_is_written() {
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
        ] {
            assert_eq!(mask(line), expected);
        }
    }

    #[test]
    fn a_recalled_line_asks_for_the_password() {
        assert_eq!(recall("loginHSM -u CU -p crypto12 -s alice"), "loginHSM -u CU -s alice -hpswd");
        assert_eq!(recall("loginHSM -u CU -s alice -hpswd"), "loginHSM -u CU -s alice -hpswd");
        assert_eq!(recall("genSymKey -t 31  -l p"), "genSymKey -t 31  -l p");
    }

    #[test]
    fn a_line_is_public_if_it_is_understood_and_holds_no_password() {
        for line in ["listUsers", "loginHSM -u CU -s alice -hpswd", " genSymKey -t 31 -s 32 -l p"] {
            assert!(is_public(line), "{line}");
        }
        for line in
            ["", "crypto12", "loginHSM -u CU -s alice -p crypto12", "loginHSM -u CU -p", "listUsers crypto12"]
        {
            assert!(!is_public(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_mask_can_be_shown_as_the_line_is_typed(line in "(loginHSM|find|x)( -p| -u| -hpswd| -?[a-p]{1,3}| ){0,6}") {
            let whole = mask(&line);
            prop_assert_eq!(whole.chars().count(), line.chars().count());
            for end in 0..=line.len() {
                prop_assert!(whole.starts_with(&mask(&line[..end])), "{}", &line[..end]);
            }
        }
    }
}
