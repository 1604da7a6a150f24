//! What is still to be typed of a line, read from the command's own definition.

use super::find;
use super::slots::{Next, next};

/// The arguments that could follow, as the definition writes them.
#[must_use]
pub fn hint(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let command = find(words.next()?).ok()?;
    let arguments: Vec<&str> = words.collect();
    let rest = match next(command.arguments, &arguments)? {
        Next::Slot(slot) => from(command.arguments, slot),
        Next::Source(source) => source,
    };
    let blank = if line.ends_with(|at: char| at.is_ascii_whitespace()) { "" } else { " " };
    Some(format!("{blank}{rest}"))
}

/// The definition from this argument on, with the bracket that it opens and without those that are open already.
fn from<'a>(arguments: &'a str, slot: &str) -> &'a str {
    let start = arguments.find(slot).unwrap_or_default();
    let before = start.saturating_sub(1);
    let opens = arguments.get(before..start) == Some("[");
    let rest = arguments.get(if opens { before } else { start }..).unwrap_or_default();
    let is_whole = rest.matches('[').count() == rest.matches(']').count();
    if is_whole { rest } else { rest.trim_end_matches(']') }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn what_is_missing_is_shown_behind_the_cursor() {
        for (line, expected) in [
            (
                "createU",
                " <user-type> <user-name> <password |-hpswd |-env NAME |-file PATH |-fd N> [-2fa </path/to/authdata>]",
            ),
            ("deleteUser ", "<user-type> <user-name>"),
            ("deleteUser CU", " <user-name>"),
            ("deleteUser CU ", "<user-name>"),
            ("loginHSM CO admin -file ", "PATH"),
            ("loginHSM CO admin -file", " PATH"),
            ("loginHSM CO admin -file /x", " [-2fa </path/to/authdata>]"),
            ("loginHSM CO admin co12345 ", "[-2fa </path/to/authdata>]"),
            ("loginHSM CO admin co12345 -2fa ", "</path/to/authdata>"),
            ("getKeyInfo ", "[-k] <key-handle> [<output-file>]"),
            ("getKeyInfo -k ", "<key-handle> [<output-file>]"),
            ("getKeyInfo 6 ", "[<output-file>]"),
            ("info ", "[server <server-number>]"),
            ("info server ", "<server-number>"),
            ("syncKey 6 ", "<server-number>"),
        ] {
            assert_eq!(hint(line).as_deref(), Some(expected), "{line}");
        }
        for line in
            ["", "l", "nonsense ", "listUsers", "deleteUser CU alice", "deleteUser CU alice x", "info x"]
        {
            assert_eq!(hint(line), None, "{line}");
        }
    }
}
