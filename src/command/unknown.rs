//! What may be shown of a line that names no command.

use std::mem;

use super::PROMPTED;
use super::lookup::LONGEST;

/// Whether a name may be meant for a command with a password, of this tool or of the console, where passwords have no
/// flag.
pub(super) fn is_like_secret(name: &str) -> bool {
    if name.len() > LONGEST {
        return true;
    }
    let name = name.to_lowercase();
    let parts = ["log", "user", "usr", "pass", "psw", "pwd", "pbe"];
    let whole = ["loginhsm", "createuser", "changepswd", "genpbekey"];
    parts.iter().any(|part| name.contains(part))
        || whole.iter().any(|whole| strsim::damerau_levenshtein(&name, whole) <= 2)
}

/// How much of a word to show; `None` is all. What is attached to a flag for a password is hidden, and all that follows.
pub(super) fn unknown(is_secret: &mut bool, word: &str) -> Option<usize> {
    let flag = SECRET_FLAGS.iter().find(|flag| word.to_lowercase().starts_with(**flag));
    let was_secret = mem::replace(is_secret, *is_secret || flag.is_some());
    if was_secret { Some(0) } else { flag.map(|flag| flag.len()) }
}

/// As they begin, in lower case.
const SECRET_FLAGS: [&str; 3] = ["-p", "--p", PROMPTED];
