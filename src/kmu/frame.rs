//! The lines that all commands build their output from.

use super::{Code, State};

/// The result line of a call of the original's library: `Cfm3DeleteKey returned: 0x00 : HSM Return: SUCCESS`. A few calls
/// have kept the prefix of an older library, `Cfm2`, and are named with it.
pub(super) fn returned(call: &str, code: Code) -> String {
    let prefix = if call.starts_with("Cfm2") { "" } else { "Cfm3" };
    line(&format!("{prefix}{call} returned: 0x{:02x} : {}", code.0, code.meaning()))
}

/// The status block: one line for each node.
pub(super) fn status(states: &[State]) -> String {
    let mut block = line("Cluster Error Status");
    for (node, code) in states {
        block.push_str(&format!("\tNode id {node} and err state 0x{:08x} : {}\n", code.0, code.meaning()));
    }
    block
}

/// An indented line after an empty one.
pub(super) fn line(text: &str) -> String {
    format!("\n\t{text}\n")
}
