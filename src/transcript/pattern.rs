//! Expected lines that stand for several.

use std::collections::HashMap;

use similar::{DiffOp, TextDiff};

/// The line that stands for [`CAUTION`].
const SHORTHAND: &str = "[caution]\n";

/// The banner before a change, trailing blanks and the blank line after it included. It is written out a second time
/// here, so that the console's own is compared with it.
const CAUTION: &str = "\
*************************CAUTION********************************
This is a CRITICAL operation, should be done on all nodes in the
cluster. AWS does NOT synchronize these changes automatically with the \n\
nodes on which this operation is not executed or failed, please \n\
ensure this operation is executed on all nodes in the cluster.  \n\
****************************************************************

";

/// What was printed, with the expected line in place of each line that it matches. If the expectation has the
/// shorthand for the banner, so has what is returned.
#[must_use]
pub fn with_wildcards(expected: &str, printed: &str) -> String {
    let in_full = |line| if line == SHORTHAND { CAUTION } else { line };
    let full: String = expected.split_inclusive('\n').map(in_full).collect();
    let merged = merge(&full, printed);
    if merged == full {
        return expected.to_owned();
    }
    if full == expected { merged } else { merged.replace(CAUTION, SHORTHAND) }
}

fn merge(expected: &str, printed: &str) -> String {
    let diff = TextDiff::from_lines(expected, printed);
    let (old, new) = (diff.old_slices(), diff.new_slices());
    let (mut text, mut values) = (String::new(), HashMap::new());
    for op in diff.ops() {
        let lines = new.get(op.new_range()).unwrap_or_default();
        let DiffOp::Replace { .. } = op else {
            lines.iter().for_each(|line| push(&mut text, line));
            continue;
        };
        let mut patterns = old.get(op.old_range()).unwrap_or_default();
        for line in lines {
            let found = patterns.iter().position(|pattern| fits(pattern, line, &mut values));
            match found.and_then(|at| patterns.split_at_checked(at)) {
                Some((_, [pattern, rest @ ..])) => {
                    push(&mut text, pattern);
                    patterns = rest;
                }
                Some((_, [])) | None => push(&mut text, line),
            }
        }
    }
    text
}

/// Adds a line; the one before may be a transcript's last, without its end.
fn push(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        text.push('\n');
    }
    text.push_str(line);
}

/// Whether a line is the pattern with the value for each name, which the first line that has it gives.
fn fits(pattern: &str, line: &str, values: &mut HashMap<String, String>) -> bool {
    let named = pattern.split_once("[=").and_then(|(start, rest)| Some((start, rest.split_once(']')?)));
    let Some((start, (name, end))) = named else { return matches(pattern, line) };
    let Some(value) = line.strip_prefix(start).and_then(|line| line.strip_suffix(end)) else { return false };
    values.entry(name.to_owned()).or_insert_with(|| value.to_owned()) == value
}

/// Whether a line is the pattern with something, or nothing, for each `[..]`.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(mut tail) = line.strip_prefix(start) else { return false };
    let (pieces, end) = rest.rsplit_once("[..]").unwrap_or(("", rest));
    for piece in pieces.split("[..]") {
        // Its first place leaves most for the others: no other needs to be tried.
        let Some((_, behind)) = tail.split_once(piece) else { return false };
        tail = behind;
    }
    tail.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::{CAUTION, SHORTHAND, matches, with_wildcards};

    #[test]
    fn wildcards_stand_for_anything_within_a_line() {
        for (pattern, line, fits) in [
            ("0x[..]\n", "0x1a4b31\n", true),
            ("0x[..]\n", "1a4b31\n", false),
            ("a[..]b[..]c\n", "a1b2b3c\n", true),
            ("a[..]c\n", "a1b\n", false),
            ("[..]\n", "\n", true),
            ("ab[..]bc\n", "abc\n", false),
            // Hours, if all places of all pieces were tried.
            (&("[..]a".repeat(30) + "b\n"), &("a".repeat(60) + "\n"), false),
        ] {
            assert_eq!(matches(pattern, line), fits, "{pattern:?} {line:?}");
        }
        let expected = "same\n0x[..]\nend\n";
        assert_eq!(with_wildcards(expected, "same\n0xab\nend\n"), expected);
        assert_eq!(with_wildcards(expected, "same\nmore\n0xab\nend\n"), "same\nmore\n0x[..]\nend\n");
        assert_eq!(with_wildcards(expected, "same\nab\nend\n"), "same\nab\nend\n");
        assert_eq!(with_wildcards("[..]", "a\nb\n"), "[..]\nb\n");
    }

    #[test]
    fn a_name_stands_for_one_value() {
        let expected = "a\n0x[=k]\nb\n0x[=k]\n";
        assert_eq!(with_wildcards(expected, "a\n0x12\nb\n0x12\n"), expected);
        assert_eq!(with_wildcards(expected, "a\n0x12\nb\n0x13\n"), "a\n0x[=k]\nb\n0x13\n");
        assert_eq!(with_wildcards("[=k\n", "x\n"), "x\n");
    }

    #[test]
    fn a_line_stands_for_the_banner_to_the_byte() {
        let shown = |banner: &str| format!("a\n{banner}Do you?y\nb\n");
        let expected = shown(SHORTHAND);
        assert_eq!(with_wildcards(&expected, &shown(CAUTION)), expected);
        assert_eq!(with_wildcards(&shown(CAUTION), &shown(CAUTION)), shown(CAUTION));
        for wrong in ["", "x\n", &CAUTION.replace("  \n", "\n"), &CAUTION[..CAUTION.len() - 1], &CAUTION[1..]]
        {
            assert_eq!(with_wildcards(&expected, &shown(wrong)), shown(wrong));
        }
        let mixed = [&expected, &shown(CAUTION), &shown(&CAUTION.replace("  \n", "[..]\n")), &expected[..]];
        assert_eq!(with_wildcards(&mixed.concat(), &shown(CAUTION).repeat(4)), mixed.concat());
        // What is new is short, too.
        let twice = shown(CAUTION).repeat(2);
        assert_eq!(with_wildcards(&expected, &twice), expected.repeat(2));
        assert_eq!(with_wildcards("", &twice), twice);
    }
}
