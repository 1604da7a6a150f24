//! What `configure` says when it changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Files;
use crate::cluster::Cluster;
use crate::process::{configure, must_be_installed, run, text};

#[test]
fn a_missing_file_is_named_with_the_command_that_makes_it() {
    for (name, template) in [(".client", "client"), (".cmu", "cmu")] {
        let files = Files::new();
        fs::remove_file(files.path(name)).unwrap();
        let path = files.path(name);
        let path = text(&path);
        let refused = files.refuse(&["-a", "10.7.7.7"]);
        let command = format!("configure --template {template} > {path}");
        assert_eq!(refused, format!("configure: {path}: there is no such file\n`{command}` makes one\n"));
    }
}

#[test]
fn what_is_no_configuration_is_not_changed() {
    for (name, content, reason) in [
        (".cmu", "{", "EOF while parsing an object"),
        (".cmu", "{\"servers\": []}", "no server is enabled"),
        (".cmu", "{\"servers\": [{\"name\": \"a\"}]}", "servers[0]: missing field `hostname`"),
        (".cmu", "{\"servers\": [{\"hostname\": \"a\"}],}", "trailing comma"),
        (".client", "[]", "invalid"),
        (".client", "\u{0}", "expected value"),
    ] {
        let files = Files::new();
        fs::write(files.path(name), content).unwrap();
        let refused = files.refuse(&["-a", "10.7.7.7"]);
        let path = files.path(name);
        assert!(refused.starts_with(&format!("configure: {}: ", path.display())), "{refused}");
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn a_directory_is_no_file() {
    let files = Files::new();
    fs::remove_file(&files.console).unwrap();
    fs::create_dir(&files.console).unwrap();
    let refused = files.refuse(&["-a", "10.7.7.7"]);
    assert!(refused.contains(&format!("{}: Is a directory", files.console.display())), "{refused}");
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let files = Files::new();
    fs::set_permissions(files.folder(), fs::Permissions::from_mode(0o555)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let before = files.snapshot();
    let mut command = held_back(copy.path());
    command.args(["-a", "10.7.7.7", "--client-config", text(&files.client)]);
    command.args(["--cmu-config", text(&files.console)]);
    let refused = run(&mut command, "").with_code(1);
    assert_eq!(refused.stdout, "");
    let reason = format!("configure: {}: cannot be replaced: Permission denied", files.client.display());
    assert!(refused.stderr.starts_with(&reason), "{}", refused.stderr);
    assert_eq!(files.snapshot(), before);
}

/// `configure` as somebody whom permissions hold back, unlike root.
fn held_back(folder: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return configure(&[]);
    }
    must_be_installed("setpriv");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.join("configure");
    // Written by another process: one that this process has open for writing cannot be run.
    let copied = Command::new("cp").args([env!("CARGO_BIN_EXE_configure"), text(&program)]).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups", text(&program)]);
    command
}

#[test]
fn an_hsm_that_does_not_answer_is_told() {
    let cluster = Cluster::new(2);
    let files = Files::of(&cluster);
    let (address, port) = (cluster.address(0), cluster.port.to_string());
    let refused = files.refuse(&["--cmu", &address, "--port", &port]);
    let reason = format!("configure: {address}:{port}: ");
    assert!(refused.starts_with(&reason) && refused.contains("Connection refused"), "{refused}");
}

#[test]
fn an_hsm_that_proves_nothing_is_not_asked() {
    let (cluster, other) = (Cluster::new(2), Cluster::new(1));
    let _daemon = cluster.run();
    let (address, port) = (cluster.address(0), cluster.port.to_string());
    let files = Files::of(&other);
    let unproved =
        format!("configure: {address}:{port}: the server has not proved that it belongs to the cluster");
    let refused = files.refuse(&["--cmu", &address, "--port", &port]);
    assert_eq!(
        refused,
        format!("{unproved} (Certificate ERROR: [unable to get local issuer certificate])\n")
    );
    let ca = other.path("customerCA.crt");
    fs::remove_file(&ca).unwrap();
    let refused = files.refuse(&["--cmu", &address, "--port", &port]);
    let missing = "partition owner certificate not exist at given path";
    assert_eq!(refused, format!("{unproved} ({missing}, {})\n", ca.display()));
}

#[test]
fn wrong_usage_is_told_apart() {
    let files = Files::new();
    for wrong in [
        &[][..],
        &["-a"],
        &["-a", ""],
        &["-a", "10.7.7.7 "],
        &["-a", "10.7.7.7", "-m"],
        &["-a", "10.7.7.7", "--cmu", "10.7.7.7"],
        &["-a", "10.7.7.7", "--port", "0"],
        &["-i", "1"],
        &["--ssl", "--pkey", "a"],
        &["--pkey", "a", "--cert", "b"],
        &["--unknown"],
    ] {
        let before = files.snapshot();
        let ended = files.configure(wrong).with_code(2);
        assert_eq!(ended.stdout, "", "{wrong:?}");
        assert_eq!(files.snapshot(), before, "{wrong:?}");
    }
    run(&mut configure(&["--template", "hsmd"]), "").with_code(2);
}
