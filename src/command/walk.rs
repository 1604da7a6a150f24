//! Which argument each word of a line is, and which could come next.

use super::{Argument, Kind, Layout, Need};

/// The words of a line that have been read so far.
pub(super) struct Walk {
    layout: Layout,
    pub(super) arguments: &'static [Argument],
    /// Those that could still come; where order does not count, all.
    rest: &'static [Argument],
    /// The argument whose flag was the last word, and whose value comes next.
    pub(super) open: Option<&'static Argument>,
    given: Vec<&'static Argument>,
}

/// What a word is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    Flag(&'static Argument),
    Value(&'static Argument),
    /// It belongs to no argument.
    Stray,
}

/// What comes next.
pub(super) enum Next {
    /// The value of this argument.
    Value(&'static Argument),
    /// The first of these, or where order does not count any of them.
    Arguments(Vec<&'static Argument>),
}

impl Walk {
    pub(super) fn new(layout: Layout, arguments: &'static [Argument]) -> Self {
        Self { layout, arguments, rest: arguments, open: None, given: Vec::new() }
    }

    pub(super) fn take(&mut self, word: &str) -> Role {
        if let Some(argument) = self.open.take() {
            // Not a value that was forgotten, such as the file in `-out -wk`. A password may look like a flag.
            let is_forgotten = self.layout == Layout::ByFlag
                && !argument.kind.is_secret()
                && matches!(flagged(self.arguments, word), Role::Flag(_));
            if !is_forgotten {
                return Role::Value(argument);
            }
        }
        let role = match self.layout {
            Layout::InOrder => self.take_in_order(word),
            Layout::ByFlag => flagged(self.arguments, word),
        };
        match role {
            Role::Flag(argument) => {
                self.open = Some(argument).filter(|argument| argument.kind != Kind::Switch);
                self.given.push(argument);
            }
            Role::Value(argument) => self.given.push(argument),
            Role::Stray => {}
        }
        role
    }

    /// Passes over a flag that is left out.
    fn take_in_order(&mut self, word: &str) -> Role {
        while let Some((argument, rest)) = self.rest.split_first() {
            self.rest = rest;
            match (flagged(std::slice::from_ref(argument), word), argument.flag) {
                (Role::Flag(argument), _) => return Role::Flag(argument),
                (_, None) => return Role::Value(argument),
                (_, Some(_)) => {}
            }
        }
        Role::Stray
    }

    pub(super) fn next(&self) -> Next {
        match (self.open, self.layout) {
            (Some(argument), _) => Next::Value(argument),
            (None, Layout::InOrder) => Next::Arguments(self.rest.iter().collect()),
            (None, Layout::ByFlag) => {
                let missing = self.rest.iter().filter(|argument| !self.has(argument));
                let (required, optional): (Vec<_>, Vec<_>) =
                    missing.partition(|argument| argument.need == Need::Required);
                Next::Arguments([required, optional].concat())
            }
        }
    }

    /// Whether an argument is given, or another in its place.
    fn has(&self, argument: &'static Argument) -> bool {
        argument.choices().any(|choice| self.given.iter().any(|given| given.is(choice)))
    }

    /// Leaves the next argument out if the word cannot be meant as its value.
    pub(super) fn pass_over_unless_fits(&mut self, word: &str) {
        if let (None, Some((argument, rest))) = (self.open, self.rest.split_first())
            && argument.flag.is_none()
            && !argument.kind.fits(word)
        {
            self.rest = rest;
        }
    }

    /// Whether a secret could still come.
    pub(super) fn has_secret_ahead(&self) -> bool {
        self.rest.iter().any(|argument| argument.kind.is_secret())
    }
}

/// The argument, or its alternative, that has this flag.
fn flagged(arguments: &'static [Argument], word: &str) -> Role {
    let mut choices = arguments.iter().flat_map(Argument::choices);
    choices.find(|choice| choice.flag == Some(word)).map_or(Role::Stray, Role::Flag)
}

#[cfg(test)]
mod tests {
    use super::{Argument, Kind, Layout, Next, Role, Walk};
    use crate::command::PROMPT;

    const LIST: &[Argument] = &[
        Argument::switch("-k"),
        Argument::word("key", Kind::Handle),
        Argument::word("password", Kind::Password).or(&[PROMPT, FD]),
        Argument::option("server", "number", Kind::Server, ""),
    ];

    const FD: Argument = Argument::flag("-fd", "N", Kind::Number, "");

    /// The argument of each word, with an `=` before a value and a `?` for none.
    fn walked(layout: Layout, line: &str) -> (String, Walk) {
        let mut walk = Walk::new(layout, LIST);
        let roles = line.split_ascii_whitespace().map(|word| match walk.take(word) {
            Role::Flag(argument) => argument.flag.unwrap().to_owned(),
            Role::Value(argument) => format!("={}", argument.name),
            Role::Stray => "?".to_owned(),
        });
        (roles.collect::<Vec<_>>().join(" "), walk)
    }

    #[test]
    fn a_flag_that_is_left_out_is_passed_over() {
        for (line, expected) in [
            ("-k 7 secret server 0", "-k =key =password server =number"),
            ("7 secret server 0", "=key =password server =number"),
            ("7 -hpswd server 0 x", "=key -hpswd server =number ?"),
            ("7 -fd 3 x server 0", "=key -fd =N ? ? ?"),
            ("7 -fd server", "=key -fd =N"),
        ] {
            assert_eq!(walked(Layout::InOrder, line).0, expected, "{line}");
        }
    }

    #[test]
    fn flags_come_in_any_order() {
        assert_eq!(walked(Layout::ByFlag, "server 0 x -k -fd 3 -k").0, "server =number ? -k -fd =N -k");
    }

    #[test]
    fn what_comes_next_is_a_value_or_what_is_not_given() {
        let next = |layout, line| match walked(layout, line).1.next() {
            Next::Value(argument) => format!("={}", argument.name),
            Next::Arguments(arguments) => {
                arguments.into_iter().map(Argument::syntax).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(next(Layout::InOrder, "7"), "<password |-hpswd |-fd N> [server <number>]");
        assert_eq!(next(Layout::InOrder, "7 -fd"), "=N");
        assert_eq!(next(Layout::InOrder, "7 secret x"), "");
        assert_eq!(next(Layout::ByFlag, "server 0 -hpswd"), "<key> [-k]");
    }
}
