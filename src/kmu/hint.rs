//! What is still to be typed of a line, read from the command's own definition.

use super::find;

/// The value of the option that was typed last, or the options that could follow.
#[must_use]
pub fn hint(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let command = find(words.next()?)?;
    let given: Vec<&str> = words.collect();
    let option = |flag: &str| command.all_options().find(|option| option.flag == flag);
    let value = given.last().and_then(|word| option(word)?.value);
    let rest = value.map_or_else(|| command.missing(&given), str::to_owned);
    let blank = if line.ends_with(|at: char| at.is_ascii_whitespace()) { "" } else { " " };
    (!rest.is_empty()).then(|| format!("{blank}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn what_is_missing_is_shown_behind_the_cursor() {
        for (line, expected) in [
            ("deleteKey ", "-k <key handle>"),
            ("deleteKey -k", " <key handle>"),
            ("loginHSM -u CU ", "{ -p <password> | -hpswd } -s <username>"),
            ("loginHSM -u CU -hpswd ", "-s <username>"),
            ("loginHSM -u CU -s alice -p ", "<password>"),
        ] {
            assert_eq!(hint(line).as_deref(), Some(expected), "{line}");
        }
        for line in ["", "nonsense ", "listUsers", "deleteKey -k 7"] {
            assert_eq!(hint(line), None, "{line}");
        }
    }
}
