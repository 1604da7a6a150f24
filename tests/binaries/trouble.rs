//! Disks that are full or cannot be written, and an `hsmd` that is suspended.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::cluster::{CO_PASSWORD, Cluster, listed};
use crate::metrics::{endpoint, get, page};
use crate::process::{Process, hsmd, keys, run, text};

/// Lets files grow no longer than the store is, or without limit.
fn limit_files(daemon: &Process, size: Option<u64>) {
    let limit = Rlimit { current: size, maximum: None };
    prlimit(Pid::from_raw(daemon.id().cast_signed()), Resource::Fsize, limit).unwrap();
}

/// An `hsmd` that a limit does not end.
fn limitable(arguments: &[&str]) -> Process {
    let ignoring = ["-c", "trap '' XFSZ; exec \"$@\"", "-", env!("CARGO_BIN_EXE_hsmd")];
    let daemon = Process::start(Command::new("sh").args(ignoring).args(arguments));
    daemon.wait_for_log("ready");
    daemon
}

#[test]
fn a_full_disk_ends_changes_until_there_is_space_and_nothing_else() {
    let cluster = Cluster::activated(1);
    let (dir, address, hsm) = (cluster.path(""), endpoint(&cluster), cluster.path("hsm0"));
    let daemon = limitable(&["run", text(&dir), "--metrics", &address]);
    let mut console = cluster.logged_in();
    console.command("createUser CU alice crypto12\ny");
    assert_eq!(get(&cluster, "/health").body, "ok\n");

    limit_files(&daemon, Some(fs::metadata(hsm.join("hsm.redb")).unwrap().len()));
    // Refused, and recorded.
    let again = "createUser CU alice crypto12\ny\nA";
    let full = (0..500).any(|_| console.command(again).contains("The change could not be stored"));
    assert!(full);
    let health = get(&cluster, "/health");
    assert!(health.head.starts_with("HTTP/1.1 503 "), "{}", health.head);
    let reason = ": the store failed, as on a full disk; no changes until it works again, reads go on\n";
    assert!(health.body.ends_with(reason), "{}", health.body);
    let seen = page(&cluster);
    assert_eq!((seen.each("hsmd_up"), seen.each("hsmd_takes_changes")), (vec![1], vec![0]));
    assert_eq!(seen.each("hsmd_store_failures_total"), [1]);
    assert!(console.command("createUser CU bob crypto12\ny\nA").contains("The change could not be stored"));
    let users = ["1 CO admin", "2 AU app_user", "3 CU alice"].map(str::to_owned);
    assert_eq!(listed(&console.command("listUsers")), [users]);
    assert!(run(&mut hsmd(&["audit", text(&hsm)]), "").with_code(0).stdout.contains("CN_CREATE_USER"));
    let backup = dir.join("full.backup");
    run(&mut hsmd(&["backup", text(&hsm), "--out", text(&backup)]), "").with_code(0);

    limit_files(&daemon, None);
    let made = console.command("createUser CU bob crypto12\ny");
    assert!(made.contains("createUser success"), "{made}");
    assert_eq!(get(&cluster, "/health").body, "ok\n");
    assert_eq!(listed(&console.command("listUsers"))[0].len(), 4);
    drop(console);
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    run(&mut hsmd(&["audit", text(&hsm)]), "").with_code(0);
}

/// The second HSM's disk is full when the first one makes the key.
#[test]
fn a_key_is_copied_once_the_other_disk_has_space() {
    let cluster = Cluster::activated(2);
    let (_first, second) = (cluster.run_hsm(0), limitable(&["run", text(&cluster.path("hsm1"))]));
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    let mut tool = Process::start(&mut keys(&[text(&cluster.config())]));
    tool.send("loginHSM -u CU -s alice -p crypto12\n");
    tool.wait_for("Node id 1 and err state 0x00000000");
    limit_files(&second, Some(0));
    tool.send("genSymKey -t 31 -s 32 -l some -min_srv 2 -timeout 600\n");
    tool.wait_for("Checking key status (1 seconds)..");
    limit_files(&second, None);
    tool.wait_for("Cfm3GenerateSymmetricKey returned: 0x00 : HSM Return: SUCCESS");
    tool.send("exit\n");
    assert_eq!(tool.wait().code, Some(0));
}

#[test]
fn a_suspended_hsmd_is_not_waited_for() {
    let cluster = Cluster::activated(1);
    let (daemon, hsm) = (cluster.run(), cluster.path("hsm0"));
    daemon.signal("-STOP");
    let begun = Instant::now();
    let out = cluster.path("backup");
    let commands: [&[&str]; 3] = [
        &["backup", text(&hsm), "--out", text(&out)],
        &["audit", text(&hsm)],
        &["unlock", text(&hsm), "CO", "admin"],
    ];
    let asking: Vec<_> = commands.iter().map(|command| Process::start(&mut hsmd(command))).collect();
    for one in asking {
        let failed = one.end().with_code(1).stderr;
        let line = format!(
            "hsmd: {}: the running HSM does not answer: no answer for 10 s; is it suspended?\n",
            text(&hsm)
        );
        assert_eq!(failed, line);
    }
    assert!(begun.elapsed() > Duration::from_secs(9));
    daemon.signal("-CONT");
    run(&mut hsmd(commands[0]), "").with_code(0);
}

/// A folder that only shows, at another place, what is in this one; gone when dropped.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    /// `None` where mounting is not permitted.
    fn mount(folder: &Path, at: &'a Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mount =
            |arguments: &[&str]| Command::new("mount").args(arguments).output().unwrap().status.success();
        let is_mounted = mount(&["--bind", text(folder), text(at)]);
        let mounted = is_mounted.then_some(Self(at))?;
        mount(&["-o", "remount,bind,ro", text(at)]).then_some(mounted)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).output();
    }
}

/// `hsmd` without root's power to write what it may not.
fn powerless(arguments: &[&str]) -> Command {
    if !rustix::process::getuid().is_root() {
        return hsmd(arguments);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-dac_override", env!("CARGO_BIN_EXE_hsmd")]).args(arguments);
    command
}

#[test]
fn what_cannot_be_written_is_read_and_named() {
    let cluster = Cluster::activated(1);
    let (hsm, at) = (cluster.path("hsm0"), cluster.path("mounted"));
    cluster.run().kill();
    if let Some(_mounted) = ReadOnly::mount(&hsm, &at) {
        is_read_and_named(&cluster, &at, "Read-only file system");
    }
    fs::set_permissions(hsm.join("hsm.redb"), Permissions::from_mode(0o400)).unwrap();
    is_read_and_named(&cluster, &hsm, "Permission denied");
}

fn is_read_and_named(cluster: &Cluster, folder: &Path, cause: &str) {
    let audit = run(&mut powerless(&["audit", text(folder)]), "").with_code(0).stdout;
    assert!(audit.contains("CN_CHANGE_PSWD"), "{audit}");
    let out = cluster.path(cause);
    run(&mut powerless(&["backup", text(folder), "--out", text(&out)]), "").with_code(0);
    run(&mut hsmd(&["check-backup", text(&out)]), "").with_code(0);
    for command in [&["run", text(folder)][..], &["unlock", text(folder), "CO", "admin"]] {
        let refused = run(&mut powerless(command), "").with_code(1).stderr;
        assert!(refused.ends_with(&format!("hsm.redb: {cause}\n")), "{refused}");
        assert!(!refused.contains("damaged"), "{refused}");
    }
}
