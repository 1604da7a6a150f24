//! What Tab may put where the cursor is.

use std::fs;
use std::path::Path;
use std::rc::Rc;

/// What could go on from the word that the cursor is at the end of.
pub enum Completion {
    /// One of these words.
    Words(Vec<String>),
    /// A path.
    Path,
}

/// Completes the line up to the cursor. It must offer nothing for a secret.
pub type Complete = Rc<dyn Fn(&str) -> Completion>;

/// Where the last word of a line begins, and the words that go on from it. A whole word has a blank behind it, so that
/// the next one can follow.
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

/// Folders end with a slash, to be gone on from. Names with blanks are no words of a line.
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
    fn words_that_go_on_are_offered_whole() {
        let words = || Completion::Words(["listUsers", "listTokens", "quit"].map(str::to_owned).to_vec());
        let expected = vec!["listTokens ".to_owned(), "listUsers ".to_owned()];
        assert_eq!(candidates("list", words()), (0, expected));
        assert_eq!(candidates("help  q", words()), (6, vec!["quit ".to_owned()]));
        assert_eq!(candidates("help x", words()), (5, Vec::new()));
    }

    #[test]
    fn folders_go_on_and_hidden_files_have_to_be_meant() {
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
