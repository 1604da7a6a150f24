//! Folders that are not, or no longer, an HSM's: each is refused by name, and left as it is.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::Cluster;
use crate::process::{Ended, Process, hsmd, run, text};

#[test]
fn a_damaged_store_is_refused_and_never_taken_for_an_empty_one() {
    for (how, damage) in [
        ("emptied", (|path| cut(path, 0)) as fn(&Path)),
        ("cut to one page", |path| cut(path, 4096)),
        ("cut in half", |path| cut(path, length(path) / 2)),
        ("with another magic number", |path| overwrite(path, 0, b"SQLite format 3")),
        ("with another header", |path| overwrite(path, 0, &[0xa5; 4096])),
        ("with other pages", |path| {
            overwrite(path, 4096, &[0xa5].repeat(usize::try_from(length(path)).unwrap() - 4096));
        }),
        ("replaced by a text", |path| fs::write(path, "users: none\n").unwrap()),
    ] {
        for signal in ["-TERM", "-KILL"] {
            let cluster = Cluster::new(1);
            stop(cluster.run(), signal);
            let store = cluster.path("hsm0/hsm.redb");
            damage(&store);
            let refused = refused(&cluster.path("hsm0"));
            assert!(refused.contains(text(&store)), "{how}: {refused}");
            assert!(refused.contains("not an HSM's store, or damaged"), "{how}: {refused}");
        }
    }
}

#[test]
fn a_store_that_somebody_altered_is_refused() {
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    cluster.play("loginHSM CO mallory guess123\nloginHSM CO mallory guess456\n").with_code(1);
    stop(daemon, "-TERM");
    let (folder, store) = (cluster.path("hsm0"), cluster.path("hsm0/hsm.redb"));
    run(&mut hsmd(&["audit", text(&folder)]), "").with_code(0);
    let mut bytes = fs::read(&store).unwrap();
    for at in (0..bytes.len() - 7).filter(|at| bytes[*at..].starts_with(b"mallory")).collect::<Vec<_>>() {
        bytes[at..at + 7].copy_from_slice(b"nobody_");
    }
    fs::write(&store, bytes).unwrap();
    let audit = run(&mut hsmd(&["audit", text(&folder)]), "").with_code(1).stderr;
    assert!(audit.contains("not an HSM's store, or damaged"), "{audit}");
    assert!(audit.contains(text(&folder)), "{audit}");
}

#[test]
fn a_missing_file_is_named_and_not_made_again() {
    let cluster = Cluster::new(2);
    for file in ["hsm.redb", "cluster.key", "cluster.crt", "customerCA.crt"] {
        let (path, aside) = (cluster.path("hsm1").join(file), cluster.path("aside"));
        fs::rename(&path, &aside).unwrap();
        let refused = refused(&cluster.path("hsm1"));
        assert!(refused.contains(text(&cluster.path("hsm1"))), "{refused}");
        assert!(refused.contains(&format!("{file} is missing")), "{refused}");
        fs::rename(&aside, &path).unwrap();
    }
    let settings = cluster.path("hsm1/hsmd.json");
    fs::remove_file(settings).unwrap();
    let whole = refused(&cluster.path(""));
    assert!(whole.contains("hsm1") && whole.contains("hsmd.json is missing"), "{whole}");
    let alone = refused(&cluster.path("hsm1"));
    assert!(alone.contains("hsmd.json is missing"), "{alone}");
}

#[test]
fn a_cluster_that_lacks_an_hsm_is_refused() {
    let cluster = Cluster::new(3);
    for lost in ["hsm2", "hsm1", "hsm0"] {
        fs::remove_dir_all(cluster.path(lost)).unwrap();
        let refused = refused(&cluster.path(""));
        assert!(refused.contains(text(&cluster.path(""))), "{refused}");
    }
}

#[test]
fn what_others_may_read_is_refused_with_the_remedy() {
    let cluster = Cluster::new(1);
    for (name, private) in [("hsm0/cluster.key", 0o600), ("hsm0/hsm.redb", 0o600), ("hsm0", 0o700)] {
        let path = cluster.path(name);
        fs::set_permissions(&path, Permissions::from_mode(private | 0o044)).unwrap();
        let refused = refused(&cluster.path("hsm0"));
        assert!(refused.contains(&format!("`chmod go= {}`", text(&path))), "{refused}");
        fs::set_permissions(&path, Permissions::from_mode(private)).unwrap();
    }
    cluster.run();
}

#[test]
fn wrong_settings_are_refused_with_the_path_of_the_key() {
    let cluster = Cluster::new(1);
    let path = cluster.path("hsm0/hsmd.json");
    let right = fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        ("\"max_connections\": 900", "\"max_connections\": \"many\"", "max_connections"),
        ("\"iterations\": 2", "\"iterations\": 0", "password_hash"),
        ("\"node_id\": 0", "\"node_id\": -1", "members[0].node_id"),
        ("{", "[", "hsmd.json"),
        ("\"client_ca\"", "\"clientca\"", "clientca"),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{from}");
        fs::write(&path, wrong).unwrap();
        let refused = failure(&["run", text(&cluster.path("hsm0"))]).stderr;
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert!(refused.contains(text(&cluster.path("hsm0"))), "{refused}");
    }
}

#[test]
fn settings_that_are_a_pipe_are_refused_and_not_waited_for() {
    let cluster = Cluster::new(1);
    let path = cluster.path("hsm0/hsmd.json");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600", text(&path)]).status().unwrap().success());
    let refused = failure(&["run", text(&cluster.path("hsm0"))]).stderr;
    assert!(refused.contains(&format!("{}: ", text(&path))) && refused.contains("not a file"), "{refused}");
}

#[test]
fn other_folders_files_and_nothing_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("foreign")).unwrap();
    fs::write(path("foreign/notes.txt"), "mine").unwrap();
    fs::write(path("file"), "mine").unwrap();
    for (name, reason) in [
        ("empty", "neither an HSM's folder"),
        ("foreign", "neither an HSM's folder"),
        ("file", "Not a directory"),
        ("absent", "no such folder"),
    ] {
        let before = contents(home.path());
        let refused = failure(&["run", text(&path(name))]);
        assert!(refused.stderr.contains(text(&path(name))), "{}", refused.stderr);
        assert!(refused.stderr.contains(reason), "{name}: {}", refused.stderr);
        assert!(failure(&["audit", text(&path(name))]).stderr.contains(text(&path(name))), "{name}");
        assert_eq!(contents(home.path()), before, "{name}");
    }
}

#[test]
fn init_touches_nothing_that_is_there_and_leaves_nothing_if_it_fails() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("foreign")).unwrap();
    fs::write(path("foreign/notes.txt"), "mine").unwrap();
    fs::write(path("file"), "mine").unwrap();
    let before = contents(home.path());
    for name in ["foreign", "file"] {
        for arguments in [&["init"][..], &["cluster", "init", "--dir"]] {
            let refused = failure(&[arguments, &[text(&path(name))]].concat());
            assert!(refused.stderr.contains(text(&path(name))), "{}", refused.stderr);
        }
    }
    for wrong in [["--nodes", "0"], ["--nodes", "33"], ["--net", "255.255.255.254"]] {
        failure(&[&["cluster", "init", "--dir", text(&path("new"))][..], &wrong].concat());
    }
    assert_eq!(contents(home.path()), before);
}

/// Asserts that neither running nor reading the folder is possible or makes a file, and returns why.
fn refused(folder: &Path) -> String {
    let before = contents(folder);
    let audit = failure(&["audit", text(folder)]);
    assert!(audit.stderr.contains(text(folder)), "{}", audit.stderr);
    let refused = failure(&["run", text(folder)]);
    assert!(refused.stderr.contains(text(folder)), "{}", refused.stderr);
    assert!(contents(folder).keys().eq(before.keys()), "{}", folder.display());
    refused.stderr
}

fn failure(arguments: &[&str]) -> Ended {
    let failed = run(&mut hsmd(arguments), "").with_code(1);
    assert_eq!(failed.stdout, "");
    failed
}

/// Everything in a folder, byte for byte.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        }
        let bytes = path.is_file().then(|| fs::read(&path).unwrap());
        found.insert(path, bytes);
    }
    found
}

fn stop(daemon: Process, signal: &str) {
    daemon.signal(signal);
    daemon.end();
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}
