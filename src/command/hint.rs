//! What is still to be typed of a line.

use super::walk::{Next, Walk};
use super::{Argument, Layout, Table};

impl<A: ?Sized> Table<A> {
    /// The value that comes next, or the arguments that could follow, as a syntax line shows them.
    #[must_use]
    pub fn hint(&self, line: &str) -> Option<String> {
        let mut words = line.split_ascii_whitespace();
        let command = self.find(words.next()?).ok()?;
        let mut walk = Walk::new(self.layout, command.arguments);
        for word in words {
            walk.take(word);
        }
        let rest = match walk.next() {
            Next::Value(argument) => self.value(command.arguments, argument),
            Next::Arguments(arguments) => {
                arguments.into_iter().map(Argument::syntax).collect::<Vec<_>>().join(" ")
            }
        };
        let blank = if line.ends_with(|at: char| at.is_ascii_whitespace()) { "" } else { " " };
        (!rest.is_empty()).then(|| format!("{blank}{rest}"))
    }

    /// Within brackets a value has none of its own.
    fn value(&self, arguments: &[Argument], argument: &Argument) -> String {
        let is_within = self.layout == Layout::InOrder && !arguments.iter().any(|other| other.is(argument));
        if is_within { argument.name.to_owned() } else { argument.label() }
    }
}

#[cfg(test)]
mod tests {
    use crate::command::Table;
    use crate::{cmu, kmu};

    #[test]
    fn what_is_missing_is_shown_after_the_cursor() {
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
            assert_eq!(cmu::COMMANDS.hint(line).as_deref(), Some(expected), "{line}");
        }
        for line in
            ["", "l", "nonsense ", "listUsers", "deleteUser CU alice", "deleteUser CU alice x", "info x"]
        {
            assert_eq!(cmu::COMMANDS.hint(line), None, "{line}");
        }
    }

    #[test]
    fn a_flag_is_followed_by_its_value_and_the_rest_in_any_order() {
        for (line, expected) in [
            ("deleteKey ", "-k <key handle>"),
            ("deleteKey -k", " <key handle>"),
            ("loginHSM -u CU ", "{ -p <password> | -hpswd } -s <username>"),
            ("loginHSM -u CU -hpswd ", "-s <username>"),
            ("loginHSM -u CU -s alice -p ", "<password>"),
        ] {
            assert_eq!(kmu::COMMANDS.hint(line).as_deref(), Some(expected), "{line}");
        }
        for line in ["", "nonsense ", "listUsers", "deleteKey -k 7"] {
            assert_eq!(kmu::COMMANDS.hint(line), None, "{line}");
        }
    }

    #[test]
    fn the_hint_of_a_name_is_the_rest_of_its_syntax_line() {
        fn check<A: ?Sized>(table: &Table<A>) {
            for command in table.iter() {
                let hint = table.hint(command.name).unwrap_or_default();
                assert_eq!(format!("{}{hint}", command.name), command.syntax());
            }
        }
        check(cmu::COMMANDS);
        check(kmu::COMMANDS);
    }
}
