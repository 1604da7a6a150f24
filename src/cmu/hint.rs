//! What is still to be typed of a line, read from the command's own definition.

use super::complete::slots;
use super::find;
use super::password::READ;

/// The arguments that could follow, as the definition writes them.
#[must_use]
pub fn hint(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let command = find(words.next()?).ok()?;
    let arguments: Vec<&str> = words.collect();
    let rest = match next(&slots(command.arguments), &arguments)? {
        Next::Slot(slot) => from(command.arguments, slot),
        Next::Place(place) => place,
    };
    let blank = if line.ends_with(|at: char| at.is_ascii_whitespace()) { "" } else { " " };
    Some(format!("{blank}{rest}"))
}

/// What comes next.
enum Next<'a> {
    /// This argument.
    Slot(&'a str),
    /// The place of the password, such as `PATH`.
    Place(&'a str),
}

fn next<'a>(slots: &[&'a str], arguments: &[&str]) -> Option<Next<'a>> {
    let mut slots = slots.iter();
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        // An option that is left out has nothing in its place.
        let slot = slots.find(|slot| slot.starts_with('<') || slot == &word)?;
        if slot.starts_with("<password") && READ.contains(word) && arguments.next().is_none() {
            return place(slot, word).map(Next::Place);
        }
    }
    slots.next().map(|slot| Next::Slot(slot))
}

/// What stands behind the option in `<password |-env NAME |-file PATH>`.
fn place<'a>(slot: &'a str, option: &str) -> Option<&'a str> {
    let mut ways = slot.trim_matches(['<', '>']).split('|');
    ways.find_map(|way| way.strip_prefix(option)).map(str::trim)
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
