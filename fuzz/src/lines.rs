//! Lines that a person types: nothing that may be a password is shown, kept or offered.

use cloudhsm::cmu::{self, Known};
use cloudhsm::console::Completion;
use cloudhsm::kmu;
use cloudhsm::protocol::user::UserType;

/// A password that no command's definition contains.
const CANARY: &str = "Zq7xWvJ9";

/// What a tool does with its lines.
struct Tool {
    mask: fn(&str) -> String,
    recall: fn(&str) -> String,
    is_public: fn(&str) -> bool,
    complete: fn(&str) -> Completion,
    hint: fn(&str) -> Option<String>,
}

const CMU: Tool = Tool {
    mask: cmu::mask,
    recall: cmu::recall,
    is_public: cmu::is_public,
    complete: |line| cmu::complete(line, &Known::default()),
    hint: cmu::hint,
};

const KMU: Tool = Tool {
    mask: kmu::mask,
    recall: kmu::recall,
    is_public: kmu::is_public,
    complete: kmu::complete,
    hint: kmu::hint,
};

pub fn run(bytes: &[u8]) {
    let Ok(line) = str::from_utf8(bytes) else { return };
    // A console takes them for line ends.
    if line.len() > 300 || line.contains(['\n', '\r']) || line.contains(CANARY) {
        return;
    }
    [CMU, KMU].iter().for_each(|tool| any(tool, line));
    login_of_cmu(line);
    login_of_kmu(line);
}

/// What holds for every line.
fn any(tool: &Tool, line: &str) {
    let masked = (tool.mask)(line);
    assert_eq!(masked.chars().count(), line.chars().count());
    for (end, _) in line.char_indices() {
        let beginning = &line[..end];
        assert!(masked.starts_with(&(tool.mask)(beginning)), "{beginning:?} of {line:?} is {masked:?}");
    }
    let recalled = (tool.recall)(line);
    assert!(is_of_shown_words(&recalled, line, &masked), "recalled of {line:?}: {recalled:?}");
    assert!(!(tool.is_public)(line) || (masked == line && recalled == line));
    assert!((tool.hint)(line).is_none_or(|hint| !hint.trim().is_empty()));
    (tool.complete)(line);
}

/// Whether every word of a recalled line is one that the mask shows, or the option that asks for the password.
fn is_of_shown_words(recalled: &str, line: &str, masked: &str) -> bool {
    let words = line.split_ascii_whitespace().zip(masked.split_ascii_whitespace());
    let mut shown = words.filter(|(word, masked)| word == masked).map(|(word, _)| word);
    recalled.split_ascii_whitespace().all(|word| word == "-hpswd" || shown.any(|shown| shown == word))
}

/// The canary as the password of any line that takes one.
fn login_of_cmu(line: &str) {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some(Ok(command)) = words.first().map(|word| cmu::find(word)) else { return };
    let Some(secret) = command.secret else { return };
    let is_in_order = words.get(1).is_some_and(|word| UserType::parse(word) != UserType::Unknown);
    if !is_in_order || words.len() < secret {
        return;
    }
    words.truncate(words.len().min(secret + 3));
    let before = words[..secret].join(" ") + " ";
    if let Completion::Words(offered) = (CMU.complete)(&before) {
        assert_eq!(offered, ["-hpswd", "-env", "-file", "-fd"], "{before:?}");
    } else {
        panic!("a file is offered for a password: {before:?}");
    }
    words.insert(secret, CANARY);
    must_hide(&CMU, &words.join(" "));
    // A password with a blank in it.
    words.insert(secret, "first");
    must_hide(&CMU, &words.join(" "));
}

/// The canary after `-p`, wherever that is in a login.
fn login_of_kmu(line: &str) {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some((&"loginHSM", arguments)) = words.split_first() else { return };
    for at in 0..=arguments.len() {
        let (before, after) = arguments.split_at(at);
        let line = [&["loginHSM"], before, &["-p", CANARY], after].concat().join(" ");
        must_hide(&KMU, &line);
    }
}

fn must_hide(tool: &Tool, line: &str) {
    assert!(!(tool.mask)(line).contains(CANARY), "{line:?} is shown");
    assert!(!(tool.recall)(line).contains(CANARY), "{line:?} is recalled");
    assert!(!(tool.is_public)(line), "{line:?} is public");
    assert!((tool.hint)(line).is_none_or(|hint| !hint.contains(CANARY)));
}
