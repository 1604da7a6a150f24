//! A page, as far as Markdown matters here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A Markdown file.
#[derive(Clone)]
pub(crate) struct Page {
    /// From the project's folder.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Those of commands, in order.
    pub(crate) blocks: Vec<Block>,
}

/// Commands, and what the page shows of their output.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) script: String,
    pub(crate) shown: Option<String>,
}

impl Page {
    /// README.md first, then all others.
    pub(crate) fn all() -> Vec<Self> {
        let found = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path().display().to_string());
        let docs: BTreeSet<String> = found.collect();
        let first = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned);
        first.into_iter().chain(docs).map(Self::read).collect()
    }

    fn read(path: String) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut page = Self { path, text, blocks: Vec::new() };
        let mut blocks: Vec<Block> = Vec::new();
        let mut last = "";
        for (language, content) in fences(&page.path, page.by_hand()) {
            match language {
                "sh" => blocks.push(Block { script: content, shown: None }),
                "text" if last == "sh" => blocks.last_mut().unwrap().shown = Some(content),
                "rust" => {}
                other => panic!("{}: a block of {other:?} that nothing checks:\n{content}", page.path),
            }
            last = language;
        }
        page.blocks = blocks;
        page
    }

    /// Without what tests/docs.rs generates and checks.
    pub(crate) fn by_hand(&self) -> &str {
        self.text.split("<!-- Below: generated").next().unwrap()
    }

    /// Those into the project, from its folder.
    pub(crate) fn links(&self) -> impl Iterator<Item = String> {
        let folder = Path::new(&self.path).parent().unwrap();
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target).filter(|target| !target.contains("://")).map(move |target| {
            match target.strip_prefix('#') {
                Some(_) => format!("{}{target}", self.path),
                None => plain(&folder.join(target)),
            }
        })
    }

    /// The names of its headings in links.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let names = headings.map(|line| line.trim_start_matches(['#', ' ']).to_lowercase());
        let is_kept = |letter: &char| letter.is_alphanumeric() || "_-".contains(*letter);
        names.map(|name| name.replace(' ', "-").chars().filter(is_kept).collect()).collect()
    }

    /// What stands between backticks in a line of prose.
    pub(crate) fn code_spans(&self) -> Vec<&str> {
        let prose = self.by_hand().split("```").step_by(2);
        prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
    }
}

/// The language and the lines of each fenced block.
fn fences<'text>(path: &str, text: &'text str) -> Vec<(&'text str, String)> {
    let (mut found, mut open) = (Vec::new(), None);
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (None, _) if line.contains("```") => panic!("{path}: a fence in a line: {line}"),
            (None, None) => {}
            (None, Some((_, content))) => *content = format!("{content}{line}\n"),
            (Some(language), None) => open = Some((language, String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
        }
    }
    assert!(open.is_none(), "{path}: the last block has no end");
    found
}

/// Without `..`
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{}", path.display()),
            Component::Normal(_) | Component::CurDir | Component::RootDir | Component::Prefix(_) => {
                plain.push(part);
            }
        }
    }
    plain.display().to_string()
}
