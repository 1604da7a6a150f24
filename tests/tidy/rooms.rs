//! Which folder or file of `src/` may use which others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files;
use crate::paths::{begins_with, paths};

/// A folder or file of `src/`.
struct Room {
    name: &'static str,
    /// Rooms, or modules of them, that it may use.
    inside: &'static str,
    /// What it may use of [`RESTRICTED`].
    outside: &'static str,
}

/// From the bottom up: a room may use only rooms that stand before it.
const ROOMS: &[Room] = &[
    Room { name: "protocol", inside: "", outside: "" },
    Room { name: "outcome", inside: "", outside: "" },
    Room { name: "interrupt", inside: "", outside: "tokio" },
    Room { name: "waiting", inside: "", outside: "std::time tokio" },
    Room { name: "foreign", inside: "", outside: "" },
    Room { name: "files", inside: "", outside: "rustix std::fs std::io" },
    Room { name: "generate", inside: "", outside: "clap std::io" },
    Room { name: "crypto", inside: "protocol", outside: "" },
    Room { name: "hsm", inside: "protocol", outside: "" },
    Room { name: "config", inside: "files protocol", outside: "std::fs" },
    Room { name: "signing", inside: "files protocol", outside: "aws_lc_rs::rand std::fs std::io" },
    Room {
        name: "wire",
        inside: "files protocol",
        outside: "rustls std::io std::net std::time tokio tokio_rustls",
    },
    Room {
        name: "console",
        inside: "foreign interrupt protocol",
        outside: "clap rustix rustyline signal_hook std::env std::fs std::io std::process std::thread std::time",
    },
    Room { name: "command", inside: "console protocol", outside: "std::time" },
    Room { name: "common", inside: "command files foreign protocol", outside: "" },
    Room {
        name: "cluster",
        inside: "config interrupt protocol wire",
        outside: "aws_lc_rs::rand std::net std::time tokio",
    },
    Room {
        name: "configure",
        inside: "cluster config files protocol wire",
        outside: "std::fs std::io tempfile",
    },
    Room {
        name: "hsmd",
        inside: "config crypto files hsm protocol wire",
        outside: "aws_lc_rs::rand hyper redb rustix rustls std::fs std::io std::net std::thread std::time tempfile \
            tokio tokio_rustls tokio_util",
    },
    Room {
        name: "service",
        inside: "files hsm hsmd protocol wire::pem_file",
        outside: "aws_lc_rs::rand hyper rustix std::fs std::io std::net std::time tokio tokio_util",
    },
    Room {
        name: "dev",
        inside: "cluster config files hsmd protocol wire",
        outside: "std::fs std::io std::net std::thread tempfile tokio",
    },
    Room {
        name: "cmu",
        inside: "cluster command common console files foreign interrupt outcome protocol signing waiting wire::anchor",
        outside: "std::env std::thread std::time tokio",
    },
    Room {
        name: "kmu",
        inside: "cluster command common console crypto files foreign interrupt outcome protocol signing waiting",
        outside: "aws_lc_rs::rand std::fs std::io std::time tokio",
    },
    Room { name: "shell", inside: "cluster cmu command console kmu outcome", outside: "clap" },
    Room { name: "transcript", inside: "cluster cmu console interrupt protocol shell", outside: "tokio" },
    Room {
        name: "bin",
        inside: "cluster cmu command config configure console dev files generate hsm hsmd interrupt kmu outcome protocol \
            service shell signing transcript wire",
        outside: "clap signal_hook std::env std::fs std::io std::net std::process std::time tokio",
    },
];

/// What does input or output, tells the time, makes random bytes or runs beside other code.
const RESTRICTED: &str = "aws_lc_rs::rand clap hyper redb rustix rustls rustyline signal_hook std::env std::fs std::io \
    std::net std::process std::thread std::time tempfile tokio tokio_rustls tokio_util";

#[test]
fn rooms_use_what_their_rows_allow_and_all_of_it() {
    let wrong: Vec<String> = ROOMS.iter().flat_map(complaints).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn complaints(room: &Room) -> Vec<String> {
    let mut unused: BTreeSet<&str> =
        [room.inside, room.outside].into_iter().flat_map(str::split_whitespace).collect();
    let mut wrong = Vec::new();
    for (file, text) in room.files() {
        for path in paths(&file, &text) {
            let Some((path, allowed)) = room.asks_for(&path) else { continue };
            match entry_of(allowed, path) {
                Some(entry) => drop(unused.remove(entry)),
                None => wrong.push(format!("{} uses {path}", file.display())),
            }
        }
    }
    wrong.extend(unused.into_iter().map(|entry| format!("{} does not use {entry}", room.name)));
    wrong
}

impl Room {
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut found = files(Path::new("src"), "rs");
        let folder = Path::new("src").join(self.name);
        found.retain(|(path, _)| path.starts_with(&folder) || *path == folder.with_extension("rs"));
        found
    }

    /// A path that an entry of the row must allow, and the entries that could.
    fn asks_for<'a>(&self, path: &'a str) -> Option<(&'a str, &'static str)> {
        match path.strip_prefix("crate::") {
            Some(inside) => (!begins_with(inside, self.name)).then_some((inside, self.inside)),
            None => entry_of(RESTRICTED, path).map(|_| (path, self.outside)),
        }
    }
}

/// The entry that a path begins with.
fn entry_of(entries: &'static str, path: &str) -> Option<&'static str> {
    entries.split_whitespace().find(|entry| begins_with(path, entry))
}

#[test]
fn every_room_has_its_row_after_those_that_it_uses() {
    let found = fs::read_dir("src").unwrap().map(|entry| entry.unwrap().path().with_extension(""));
    let mut found: BTreeSet<String> =
        found.map(|path| path.file_name().unwrap().to_string_lossy().into()).collect();
    assert!(found.remove("lib"), "it only names the rooms");
    let rows: BTreeSet<String> = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    let odd: Vec<_> = found.symmetric_difference(&rows).collect();
    assert!(odd.is_empty(), "rooms without a row, or rows without a room: {odd:?}");
    for (at, room) in ROOMS.iter().enumerate() {
        let is_before = |entry: &&str| ROOMS[..at].iter().any(|before| begins_with(entry, before.name));
        let later: Vec<_> = room.inside.split_whitespace().filter(|entry| !is_before(entry)).collect();
        assert!(later.is_empty(), "{} must come after {later:?}", room.name);
    }
}
