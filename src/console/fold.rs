//! Text on a screen that is narrower than the text.
//!
//! The tables that [`fit`] narrows are printed by commands, byte for byte as the original prints them: a library that lays
//! out tables would need their cells, which only the finished text has.

use textwrap::{Options, WordSplitter, fill};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks lines that are wider than this at blanks; continuation lines are indented by `indent` blanks. Blanks at the end of
/// a line go.
#[must_use]
pub fn fold(text: &str, columns: usize, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let words = Options::new(columns).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    let options = words.subsequent_indent(&indent);
    text.split('\n').map(|line| fill(line, &options)).collect::<Vec<_>>().join("\n")
}

/// Narrows tables that are too wide: their cells are separated by tabs, or by two blanks or more. Other lines are left for
/// the terminal to wrap, so that they can be copied whole.
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
        fitted.push_str(line);
    }
    fitted.push_str(&fit_table(&table, columns));
    fitted
}

/// The text, cut with an ellipsis if it is wider than `room`.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut column = 0_usize;
    let fits = |character: &char| {
        column = column.saturating_add(character.width().unwrap_or(0));
        column < room
    };
    text.chars().take_while(fits).chain(['\u{2026}']).collect()
}

fn fit_table(rows: &[&str], columns: usize) -> String {
    if rows.iter().all(|row| width(row) <= columns) {
        return rows.concat();
    }
    let widths = widths(rows, columns);
    rows.iter().map(|row| set(row, &widths, columns)).collect()
}

/// A row of a table with columns of these widths. Cells for which there is no room continue below.
fn set(row: &str, widths: &[usize], columns: usize) -> String {
    let (mut set, mut column) = (String::new(), 0_usize);
    for (cell, width) in cells(row).zip(widths) {
        if column > 0 && column.saturating_add(cell.width()) > columns {
            set.truncate(set.trim_end().len());
            set.push_str("\n    ");
            column = 4;
        }
        let width = cell.width().max(*width).saturating_add(2);
        set.push_str(cell);
        set.push_str(&" ".repeat(width.saturating_sub(cell.width())));
        column = column.saturating_add(width);
    }
    format!("{}\n", set.trim_end())
}

/// The width of each column, at most that of the screen: one huge cell must not widen all rows.
fn widths(rows: &[&str], columns: usize) -> Vec<usize> {
    let mut widths = Vec::new();
    for (at, cell) in rows.iter().flat_map(|row| cells(row).enumerate()) {
        let width = cell.width().min(columns);
        match widths.get_mut(at) {
            Some(widest) => *widest = width.max(*widest),
            None => widths.push(width),
        }
    }
    widths
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    let cells = line.split('\t').flat_map(|cell| cell.split("  "));
    cells.map(str::trim).filter(|cell| !cell.is_empty())
}

/// In columns, with a tab stop at every eighth.
fn width(line: &str) -> usize {
    line.trim_end().split_inclusive('\t').fold(0_usize, |column, part| {
        let end = column.saturating_add(part.trim_end_matches('\t').width());
        if part.ends_with('\t') { (end / 8).saturating_add(1).saturating_mul(8) } else { end }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_continue_below() {
        assert_eq!(fold("  one two three four\n", 14, 6), "  one two\n      three\n      four\n");
        assert_eq!(fold("name  one two three", 14, 6), "name  one two\n      three");
        assert_eq!(fold("unbreakable\nshort\n", 5, 2), "unbreakable\nshort\n");
        assert_eq!(fold("as it  is \n", 80, 4), "as it  is\n");
    }

    #[test]
    fn only_wide_tables_change() {
        let long = "a long line with words\n\ta tab and a long line with words\n";
        for text in ["", "\n", "no end", "blanks  \n", "\ttab\n", "a\tb\n c\td\n", "continue(y/n)?", long] {
            assert_eq!(fit(text, 20), text);
        }
    }

    #[test]
    fn a_wide_table_is_narrowed() {
        let table = "Users:\n\n    User Id\t\tUser Type\t  2FA\n         1\t\tCO\t\t NO\n";
        assert_eq!(fit(table, 40), "Users:\n\nUser Id  User Type  2FA\n1        CO         NO\n");
        assert_eq!(fit(table, 80), table);
    }

    #[test]
    fn cells_continue_below_where_there_is_no_room() {
        let table = "Id\tName\tLoginState\n0\tserver\tLogged in as 'bob(CO)'\n";
        let set = "Id  Name    LoginState\n0   server\n    Logged in as 'bob(CO)'\n";
        assert_eq!(fit(table, 24), set);
    }

    #[test]
    fn a_huge_cell_or_row_costs_no_more_than_itself() {
        let huge = format!("a\t{}\tb\n", "x".repeat(1_000_000));
        let table = format!("{huge}{}", "1\t2\t3\n".repeat(1_000));
        assert!(fit(&table, 80).len() < 2 * table.len() + 1_000 * 100);
        let many = format!("{}\n{}\n", "x  ".repeat(300_000), "y  ".repeat(300_000));
        assert!(fit(&many, 80).len() < 2 * many.len());
    }

    #[test]
    fn a_text_is_cut_by_columns() {
        assert_eq!([cut("12345", 5), cut("123456", 5), cut("宽宽宽", 5)], ["12345", "1234…", "宽宽…"]);
    }
}
