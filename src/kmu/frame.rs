//! The lines that every command's output is made of.

use super::{Code, State};

/// How a call of the original's library went: `Cfm3DeleteKey returned: 0x00 : HSM Return: SUCCESS`.
pub(super) fn returned(call: &str, code: Code) -> String {
    line(&format!("Cfm3{call} returned: 0x{:02x} : {}", code.0, text(code)))
}

/// How it went on each node.
pub(super) fn status(states: &[State]) -> String {
    let mut block = line("Cluster Error Status");
    for (node, code) in states {
        block.push_str(&format!("\tNode id {node} and err state 0x{:08x} : {}\n", code.0, text(*code)));
    }
    block
}

/// A line with a blank one above it.
pub(super) fn line(text: &str) -> String {
    format!("\n\t{text}\n")
}

/// Text from an HSM that may be an impostor, for one line of the session.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

fn text(code: Code) -> &'static str {
    code.text().unwrap_or("Unknown error code")
}
