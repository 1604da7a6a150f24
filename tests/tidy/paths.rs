//! The paths that a source names. Comments, documentation and texts name none, and tests are left out.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The paths of a file of `src/`, each from its beginning on: `crate::room::module::Item` or `package::Item`. Programs
/// are the room `bin`, and so is what they call `crate`.
pub(crate) fn paths(file: &Path, text: &str) -> BTreeSet<String> {
    let mut reader = Reader { module: module_of(file), paths: BTreeSet::new() };
    reader.read(text.parse().unwrap());
    reader.paths
}

/// `a/b` of `src/a/b.rs` and of `src/a/b/mod.rs`.
fn module_of(file: &Path) -> Vec<String> {
    let module = file.strip_prefix("src").unwrap().with_extension("");
    let names = module.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

struct Reader {
    /// The module that is read.
    module: Vec<String>,
    paths: BTreeSet<String>,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        while let Some((first, behind)) = rest.split_first() {
            rest = match (first, behind) {
                (TokenTree::Punct(hash), [TokenTree::Group(attribute), item @ ..])
                    if hash.as_char() == '#' && is_test(attribute) =>
                {
                    after_item(item)
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), TokenTree::Group(body), rest @ ..])
                    if word == "mod" =>
                {
                    self.module.push(name.to_string());
                    self.read(body.stream());
                    self.module.pop();
                    rest
                }
                // Not `impl Trait + use<'a>`.
                (TokenTree::Ident(word), [next, ..]) if word == "use" && !is_punct(next, '<') => {
                    let length = behind.iter().take_while(|token| !is_punct(token, ';')).count();
                    self.read_tree(&[], &behind[..length]);
                    &behind[length..]
                }
                (TokenTree::Ident(_), _) => {
                    let (path, rest) = segments(rest);
                    if path.len() > 1 {
                        self.note(&path);
                    }
                    rest
                }
                (TokenTree::Group(group), _) => {
                    self.read(group.stream());
                    behind
                }
                (TokenTree::Punct(_) | TokenTree::Literal(_), _) => behind,
            };
        }
    }

    /// A branch of a `use`, behind what is common to several.
    fn read_tree(&mut self, before: &[String], branch: &[TokenTree]) {
        let colons = branch.iter().take_while(|token| is_punct(token, ':')).count();
        let (path, rest) = segments(&branch[colons..]);
        let path = [before, &path].concat();
        let Some(TokenTree::Group(branches)) = rest.first() else { return self.note(&path) };
        let branches: Vec<TokenTree> = branches.stream().into_iter().collect();
        branches.split(|token| is_punct(token, ',')).for_each(|branch| self.read_tree(&path, branch));
    }

    fn note(&mut self, path: &[String]) {
        let program = self.module.first().is_some_and(|room| room == "bin");
        let ups = path.iter().take_while(|name| *name == "super").count();
        let (root, rest) = match path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            None => return,
            Some(("crate", rest)) if program => (&self.module[..1], rest),
            Some(("crate", rest)) => (&[][..], rest),
            Some(("cloudhsm", rest)) if program => (&[][..], rest),
            Some(("self", rest)) => (&self.module[..], rest),
            Some(("super", _)) => (&self.module[..self.module.len() - ups], &path[ups..]),
            Some(_) => {
                self.paths.insert(path.join("::"));
                return;
            }
        };
        self.paths.insert([&["crate".to_owned()], root, rest].concat().join("::"));
    }
}

/// The names between `::` that the tokens begin with, and what follows.
fn segments(tokens: &[TokenTree]) -> (Vec<String>, &[TokenTree]) {
    let (mut names, mut rest) = (Vec::new(), tokens);
    while let [TokenTree::Ident(name), behind @ ..] = rest {
        names.push(name.to_string());
        rest = match behind {
            [one, two, next @ ..] if is_punct(one, ':') && is_punct(two, ':') => next,
            _ => return (names, behind),
        };
    }
    (names, rest)
}

/// `cfg(test)`
fn is_test(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// What follows the item: its body, or a semicolon, ends it.
fn after_item(item: &[TokenTree]) -> &[TokenTree] {
    let ends = |token: &TokenTree| {
        let is_body = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        is_body || is_punct(token, ';')
    };
    let end = item.iter().position(ends).map_or(item.len(), |at| at + 1);
    &item[end..]
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Whether a path is this one, or leads on from it.
pub(crate) fn begins_with(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn every_path_is_read_and_no_other_text() {
    let source = r#"
        //! crate::comment
        use std::{fs, io::{self, Write as _}};
        use super::super::up;
        #[cfg(test)]
        use crate::{tests_only::a, b};
        /// [`crate::documentation`]
        #[derive(package::Derived)]
        pub fn inline(a: &crate::argument::Type) -> Vec::<u8> {
            let text = "crate::text"; // crate::comment
            other::call!(crate::argument_of_macro::CONSTANT, self.field);
            text.tokio();
        }
        mod nested { use super::beside; use super::super::above; }
        #[cfg(test)]
        mod tests { use crate::tests_only; fn test() { tokio::spawn(()); } }
        use ::tokio::net;
        fn last() -> impl Sized + use<'a> { crate::last() }
    "#;
    let expected = [
        "crate::a::above",
        "crate::a::b::beside",
        "crate::argument::Type",
        "crate::argument_of_macro::CONSTANT",
        "crate::last",
        "crate::up",
        "other::call",
        "package::Derived",
        "std::fs",
        "std::io::Write",
        "std::io::self",
        "tokio::net",
    ];
    let read = |file: &str| paths(Path::new(file), source).into_iter().collect::<Vec<_>>();
    assert_eq!(read("src/a/b.rs"), expected);
    assert_eq!(read("src/a/b/mod.rs"), expected);
    let program =
        paths(Path::new("src/bin/tool/part.rs"), "use crate::{a, cloudhsm}; cloudhsm::hsm::Hsm").into_iter();
    assert_eq!(program.collect::<Vec<_>>(), ["crate::bin::a", "crate::bin::cloudhsm", "crate::hsm::Hsm"]);
}
