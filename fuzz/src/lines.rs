//! Lines that a person types: nothing that may be a password is shown, kept or offered.

use cloudhsm::cmu;
use cloudhsm::command::{Kind, Known};
use cloudhsm::console::Completion;
use cloudhsm::kmu;
use cloudhsm::protocol::user::UserType;

/// A password that no command's definition contains.
const CANARY: &str = "Zq7xWvJ9";

/// What a tool does with its lines.
struct Tool {
    redact: fn(&str) -> String,
    recall: fn(&str) -> String,
    is_public: fn(&str) -> bool,
    complete: fn(&str) -> Completion,
    hint: fn(&str) -> Option<String>,
}

const CMU: Tool = Tool {
    redact: |line| cmu::COMMANDS.redact(line),
    recall: |line| cmu::COMMANDS.recall(line),
    is_public: |line| cmu::COMMANDS.is_public(line),
    complete: |line| cmu::COMMANDS.complete(line, &Known::default()),
    hint: |line| cmu::COMMANDS.hint(line),
};

const KMU: Tool = Tool {
    redact: |line| kmu::COMMANDS.redact(line),
    recall: |line| kmu::COMMANDS.recall(line),
    is_public: |line| kmu::COMMANDS.is_public(line),
    complete: |line| kmu::COMMANDS.complete(line, &Known::default()),
    hint: |line| kmu::COMMANDS.hint(line),
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
    let redacted = (tool.redact)(line);
    assert_eq!(redacted.chars().count(), line.chars().count());
    for (end, _) in line.char_indices() {
        let beginning = &line[..end];
        assert!(redacted.starts_with(&(tool.redact)(beginning)), "{beginning:?} of {line:?} is {redacted:?}");
    }
    let recalled = (tool.recall)(line);
    assert!(is_of_shown_words(&recalled, line, &redacted), "recalled of {line:?}: {recalled:?}");
    assert!(!(tool.is_public)(line) || (redacted == line && recalled == line));
    assert!((tool.hint)(line).is_none_or(|hint| !hint.trim().is_empty()));
    (tool.complete)(line);
}

/// Whether every word of a recalled line is one that is shown, or the flag that asks for the password.
fn is_of_shown_words(recalled: &str, line: &str, redacted: &str) -> bool {
    let words = line.split_ascii_whitespace().zip(redacted.split_ascii_whitespace());
    let mut shown = words.filter(|(word, redacted)| word == redacted).map(|(word, _)| word);
    recalled.split_ascii_whitespace().all(|word| word == "-hpswd" || shown.any(|shown| shown == word))
}

/// The canary as the password of any line that takes one.
fn login_of_cmu(line: &str) {
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some(Ok(command)) = words.first().map(|word| cmu::COMMANDS.find(word)) else { return };
    let Some(place) = command.arguments.iter().position(|argument| argument.kind == Kind::Password) else {
        return;
    };
    let secret = place + 1;
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
    assert!(!(tool.redact)(line).contains(CANARY), "{line:?} is shown");
    assert!(!(tool.recall)(line).contains(CANARY), "{line:?} is recalled");
    assert!(!(tool.is_public)(line), "{line:?} is public");
    assert!((tool.hint)(line).is_none_or(|hint| !hint.contains(CANARY)));
}
