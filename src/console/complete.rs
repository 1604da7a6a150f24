//! Completion with Tab.

use std::fs;
use std::path::Path;
use std::rc::Rc;

/// What the word at the cursor can become.
pub enum Completion {
    /// One of these words.
    Words(Vec<String>),
    /// A path.
    Path,
}

/// The completion of a line up to the cursor. It must offer nothing for a secret.
pub type Complete = Rc<dyn Fn(&str) -> Completion>;

/// The start of the last word of a line, and what may replace the word. A complete word gets a blank after it, so that
/// the next one can be typed at once.
pub(super) fn candidates(line: &str, completion: Completion) -> (usize, Vec<String>) {
    let start = line.rfind(|at: char| at.is_ascii_whitespace()).map_or(0, |at| at.saturating_add(1));
    let typed = line.get(start..).unwrap_or_default();
    let mut found = match completion {
        Completion::Words(words) => {
            let fitting = words.into_iter().filter(|word| word.starts_with(typed));
            fitting.map(|word| format!("{word} ")).collect()
        }
        Completion::Path => paths(typed),
    };
    found.sort_by_cached_key(|word| (word.trim_end().parse::<u64>().ok(), word.clone()));
    found.dedup();
    (start, found)
}

/// The paths that begin like this one. A folder gets a slash after it, so that its entries can follow. Names with blanks
/// are left out: a word of a line has none.
fn paths(typed: &str) -> Vec<String> {
    let (folder, name) = typed.split_at(typed.rfind('/').map_or(0, |at| at.saturating_add(1)));
    let place = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let entries = entries.filter_map(|entry| {
        let found = entry.file_name().into_string().ok()?;
        let is_folder = entry.path().is_dir();
        Some((found, is_folder))
    });
    let is_meant = |(found, _): &(String, bool)| {
        found.starts_with(name)
            && (name.starts_with('.') || !found.starts_with('.'))
            && !found.contains(|character: char| character.is_whitespace() || character.is_control())
    };
    let end = |is_folder| if is_folder { '/' } else { ' ' };
    entries.filter(is_meant).map(|(found, is_folder)| format!("{folder}{found}{}", end(is_folder))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Completion, candidates};

    #[test]
    fn matching_words_are_offered_whole() {
        let words = || Completion::Words(["listUsers", "listTokens", "quit"].map(str::to_owned).to_vec());
        let expected = vec!["listTokens ".to_owned(), "listUsers ".to_owned()];
        assert_eq!(candidates("list", words()), (0, expected));
        assert_eq!(candidates("help  q", words()), (6, vec!["quit ".to_owned()]));
        assert_eq!(candidates("help x", words()), (5, Vec::new()));
    }

    #[test]
    fn folders_end_with_a_slash_and_hidden_files_need_a_dot() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| format!("{}/{name}", folder.path().display());
        std::fs::create_dir(path("certs")).unwrap();
        for name in ["ca.crt", ".hidden", "with blank"] {
            std::fs::write(path(name), "").unwrap();
        }
        let found = |name: &str| candidates(&format!("x {}", path(name)), Completion::Path).1;
        assert_eq!(found(""), [path("ca.crt "), path("certs/")]);
        assert_eq!(found("ce"), [path("certs/")]);
        assert_eq!(found("."), [path(".hidden ")]);
        assert_eq!(found("none/"), Vec::<String>::new());
    }
}
