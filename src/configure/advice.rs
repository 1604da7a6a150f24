//! Which HSMs a configuration lacks, and how to add them.

use std::path::Path;

use super::CONSOLE_FILE;
use crate::cluster::Unlisted;
use crate::protocol::message::PORT;

/// One line with their names and the command that adds them.
#[must_use]
pub fn advice(path: &Path, unlisted: &Unlisted) -> String {
    let names = unlisted.members.iter().map(|member| match member.port {
        PORT => member.hostname.clone(),
        port => format!("{}:{port}", member.hostname),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let mut command = format!("configure --cmu {}", unlisted.asked.hostname);
    if unlisted.asked.port != PORT {
        command.push_str(&format!(" --port {}", unlisted.asked.port));
    }
    if path != Path::new(CONSOLE_FILE) {
        command.push_str(&format!(" --cmu-config {}", path.display()));
    }
    format!("the cluster has HSMs that {} lacks: {names}; `{command}` adds them", path.display())
}
