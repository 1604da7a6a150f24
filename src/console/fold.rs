//! Text on a screen that is narrower than the text.

use unicode_width::UnicodeWidthStr;

/// Breaks lines that are wider than the screen at blanks; what goes on below has `indent` blanks before it.
#[must_use]
pub fn fold(text: &str, columns: usize, indent: usize) -> String {
    text.split_inclusive('\n').map(|line| fold_line(line, columns, indent)).collect()
}

/// As [`fold`], and sets tables closer that are too wide: their cells stand between tabs, or two blanks and more.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut fitted = String::with_capacity(text.len());
    let mut table = Vec::new();
    for line in text.split_inclusive('\n') {
        if cells(line).nth(1).is_some() {
            table.push(line);
            continue;
        }
        fitted.push_str(&fit_table(&table, columns));
        table.clear();
        let indent = width(line).saturating_sub(width(line.trim_start())).saturating_add(4);
        fitted.push_str(&fold_line(line, columns, indent));
    }
    fitted.push_str(&fit_table(&table, columns));
    fitted
}

fn fit_table(rows: &[&str], columns: usize) -> String {
    if rows.iter().all(|row| width(row) <= columns) {
        return rows.concat();
    }
    let widest =
        |at: usize| rows.iter().filter_map(|row| cells(row).nth(at)).map(UnicodeWidthStr::width).max();
    let widths: Vec<usize> = (0..).map_while(widest).collect();
    let set = |row: &&str| {
        let padded = cells(row).zip(&widths).map(|(cell, width)| {
            let padding = width.saturating_sub(cell.width());
            format!("{cell}{}", " ".repeat(padding))
        });
        let set = padded.collect::<Vec<_>>().join("  ");
        fold_line(&format!("{}\n", set.trim_end()), columns, 4)
    };
    rows.iter().map(set).collect()
}

/// What stands between tabs, or two blanks and more.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    let cells = line.split('\t').flat_map(|cell| cell.split("  "));
    cells.map(str::trim).filter(|cell| !cell.is_empty())
}

fn fold_line(line: &str, columns: usize, indent: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let (mut folded, mut column, mut blanks) = (String::new(), 0, String::new());
    for word in line.trim_end().split_inclusive([' ', '\t']) {
        let text = word.trim_end_matches([' ', '\t']);
        let is_begun = !folded.is_empty() && column > indent;
        if is_begun && !text.is_empty() && after(after(column, &blanks), text) > columns {
            folded.push('\n');
            blanks = " ".repeat(indent);
            column = 0;
        }
        folded.push_str(&blanks);
        folded.push_str(text);
        column = after(after(column, &blanks), text);
        word.get(text.len()..).unwrap_or_default().clone_into(&mut blanks);
    }
    folded.push_str(if line.ends_with('\n') { "\n" } else { "" });
    folded
}

/// In columns.
fn width(line: &str) -> usize {
    after(0, line.trim_end())
}

/// The column behind the text, with a tab stop at every eighth.
fn after(column: usize, text: &str) -> usize {
    text.split_inclusive('\t').fold(column, |column, part| {
        let end = column.saturating_add(part.trim_end_matches('\t').width());
        if part.ends_with('\t') { (end / 8).saturating_add(1).saturating_mul(8) } else { end }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_their_beginning() {
        let text = "short\n  one two three four\n";
        assert_eq!(fit(text, 14), "short\n  one two\n      three\n      four\n");
        assert_eq!(fold("name  one two three", 14, 6), "name  one two\n      three");
        assert_eq!(fold("unbreakable\n", 5, 2), "unbreakable\n");
        assert_eq!(fit(text, 80), text);
    }

    #[test]
    fn a_line_that_fits_is_not_touched() {
        for text in
            ["", "\n", "no end", "blanks  \n", "\ttab\n", "a\tb\n c\td\n", "Do you want to continue(y/n)?"]
        {
            assert_eq!(fit(text, 80), text);
        }
    }

    #[test]
    fn a_wide_table_is_set_closer() {
        let table = "Users:\n\n    User Id\t\tUser Type\t  2FA\n         1\t\tCO\t\t NO\n";
        assert_eq!(fit(table, 40), "Users:\n\nUser Id  User Type  2FA\n1        CO         NO\n");
        assert_eq!(fit(table, 80), table);
    }

    #[test]
    fn tabs_go_to_the_next_stop() {
        assert_eq!([width("\ta"), width("a\tb"), width("12345678\tb"), width("ab  \n")], [9, 9, 17, 2]);
    }
}
