//! The arguments of a definition, such as `<user-type> <user-name> [<output-file>]`, and which of them comes next.

use super::password::READ;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// This argument, as the definition has it: in angle brackets, or an option to be typed as it stands there.
    Slot(&'a str),
    /// The place of the password, such as `PATH` behind `-file`.
    Source(&'a str),
}

/// What comes after these arguments; `None` if nothing may.
pub(super) fn next<'a>(definition: &'a str, arguments: &[&str]) -> Option<Next<'a>> {
    let mut slots = slots(definition).into_iter();
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        // An option that is left out has nothing in its place.
        let slot = slots.find(|slot| slot.starts_with('<') || slot == word)?;
        if slot.starts_with("<password") && READ.contains(word) && arguments.next().is_none() {
            return source(slot, word).map(Next::Source);
        }
    }
    slots.next().map(Next::Slot)
}

/// One for each word: `<user-type> [<output-file>]` has two. Square brackets only say that one can be left out.
fn slots(definition: &str) -> Vec<&str> {
    let (mut slots, mut start, mut depth) = (Vec::new(), None, 0_usize);
    for (at, character) in definition.char_indices() {
        match character {
            '<' => depth = depth.saturating_add(1),
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_between = depth == 0 && (character.is_whitespace() || matches!(character, '[' | ']'));
        match start {
            None if !is_between => start = Some(at),
            Some(from) if is_between => {
                slots.extend(definition.get(from..at));
                start = None;
            }
            None | Some(_) => {}
        }
    }
    slots.extend(start.and_then(|from| definition.get(from..)));
    slots
}

/// What stands behind the option in `<password |-env NAME |-file PATH>`.
fn source<'a>(slot: &'a str, option: &str) -> Option<&'a str> {
    let mut ways = slot.trim_matches(['<', '>']).split('|');
    ways.find_map(|way| way.strip_prefix(option)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::{Next, next, slots};

    #[test]
    fn an_argument_is_a_word_or_what_its_brackets_hold() {
        assert_eq!(slots("<a> <b |-c |d> [-2fa </x/y>]"), ["<a>", "<b |-c |d>", "-2fa", "</x/y>"]);
        assert_eq!(slots("[server <server-number>]"), ["server", "<server-number>"]);
        assert!(slots("").is_empty());
    }

    #[test]
    fn options_that_are_left_out_are_passed_over() {
        assert_eq!(next("[-k] <key> [<file>]", &[]), Some(Next::Slot("-k")));
        assert_eq!(next("[-k] <key> [<file>]", &["-k"]), Some(Next::Slot("<key>")));
        assert_eq!(next("[-k] <key> [<file>]", &["7"]), Some(Next::Slot("<file>")));
        assert_eq!(next("[-k] <key> [<file>]", &["-k", "7", "x"]), None);
        assert_eq!(next("<password |-fd N> [-2fa </x>]", &["-fd"]), Some(Next::Source("N")));
        assert_eq!(next("<password |-fd N> [-2fa </x>]", &["-fd", "3"]), Some(Next::Slot("-2fa")));
    }
}
