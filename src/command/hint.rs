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
