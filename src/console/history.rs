//! Where the lines of a person are kept for later sessions.

use std::env;
use std::path::PathBuf;

/// The file for the lines of this program: in the folder that the XDG base directory specification has for it,
/// `$XDG_STATE_HOME`, or `~/.local/state`. `None` for whoever has no home.
#[must_use]
pub fn history_file(program: &str) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("cloudhsm").join(format!("{program}_history")))
}
