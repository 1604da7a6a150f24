//! The main job: a cluster is made, served, activated and used, and is still there after a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::cluster::{Cluster, listed, unused_net};
use crate::process::{Process, console, hsmd, must_be_installed, run, text};

/// From the PRECO of a new HSM to a user that is gone again, with each password used once it is set.
const LIFE: &str = "\
loginHSM PRECO admin password
changePswd PRECO admin officer123
y
createUser CU alice crypto1
y
createUser CO bob officer456
y
listUsers
logoutHSM
loginHSM CU alice crypto1
changePswd CU alice crypto2
y
logoutHSM
loginHSM CU alice crypto2
logoutHSM
loginHSM CO admin officer123
deleteUser CU alice
listUsers
quit
";

const COMMANDS_OF_LIFE: [(&str, usize); 5] =
    [("loginHSM", 4), ("logoutHSM", 3), ("changePswd", 2), ("createUser", 2), ("deleteUser", 1)];

const FILES_OF_AN_HSM: [&str; 10] = [
    "cluster.crt",
    "cluster.hardware.crt",
    "cluster.key",
    "customerCA.crt",
    "family.key",
    "hardware.crt",
    "hsm.redb",
    "hsmd.json",
    "manufacturerRoot.crt",
    "master.key",
];

#[test]
fn cluster_init_makes_the_documented_files_for_their_owner_only() {
    let cluster = Cluster::new(3);
    let mut expected = vec![
        "700 .".to_owned(),
        "600 ./cloudhsm_mgmt_util.cfg".to_owned(),
        "600 ./customerCA.crt".to_owned(),
        "700 ./owner".to_owned(),
        "600 ./owner/customerCA.key".to_owned(),
    ];
    for node in 0..3 {
        expected.push(format!("700 ./hsm{node}"));
        expected.extend(FILES_OF_AN_HSM.map(|file| format!("600 ./hsm{node}/{file}")));
    }
    let mut found = modes(&cluster.path(""), ".");
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_users_whole_life_plays_from_a_file_and_survives_a_restart() {
    let cluster = Cluster::new(3);
    let daemon = cluster.run();
    let played = cluster.play(LIFE).with_code(0);
    for (command, times) in COMMANDS_OF_LIFE {
        for node in 0..3 {
            let line = format!("{command} success on server {node}({})\n", cluster.address(node));
            assert_eq!(played.stdout.matches(&line).count(), times, "{line}{}", played.stdout);
        }
    }
    let first = ["1 CO admin", "2 AU app_user", "3 CU alice", "4 CO bob"];
    let last = ["1 CO admin", "2 AU app_user", "4 CO bob"];
    assert_eq!(listed(&played.stdout), [[first.as_slice(); 3], [last.as_slice(); 3]].concat());
    assert!(played.stdout.ends_with("aws-cloudhsm>quit\ndisconnecting from servers, please wait...\n"));
    assert_eq!(played.stderr, "");

    daemon.signal("-TERM");
    daemon.end().with_code(0);
    let _daemon = cluster.run();
    let again = cluster.play("listUsers\nloginHSM CO bob officer456\nlistUsers\n").with_code(0);
    assert_eq!(listed(&again.stdout), [last.as_slice(); 6]);
}

#[test]
fn a_config_that_jq_rewrote_still_works() {
    must_be_installed("jq");
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    for arguments in [&["."][..], &["-c", "."], &["-S", "--tab", ".comment = \"ours\" | .servers[].zone = 1"]]
    {
        let rewritten = Command::new("jq").args(arguments).arg(cluster.config()).output().unwrap();
        assert!(rewritten.status.success());
        fs::write(cluster.config(), rewritten.stdout).unwrap();
        let played = cluster.play("listUsers\n").with_code(0);
        assert_eq!(listed(&played.stdout).len(), 2);
    }
}

#[test]
fn init_makes_one_hsm_that_runs_and_is_managed_by_its_own_config() {
    let (home, (net, port)) = (tempfile::tempdir().unwrap(), unused_net());
    let folder = home.path().join("hsm");
    let listen = format!("{net}.1:{port}");
    run(&mut hsmd(&["init", text(&folder), "--listen", &listen, "--node-id", "7"]), "").with_code(0);
    let daemon = Process::start(&mut hsmd(&["run", text(&folder)]));
    daemon.wait_for_log("ready");
    let config = folder.join("cloudhsm_mgmt_util.cfg");
    let played = run(&mut console(&[text(&config)]), "listUsers\n").with_code(0);
    assert_eq!(listed(&played.stdout), [["1 PRECO admin", "2 AU app_user"]]);
}

/// The permissions and path of everything in a folder, the folder first.
fn modes(path: &Path, name: &str) -> Vec<String> {
    let metadata = fs::metadata(path).unwrap();
    let mut found = vec![format!("{:03o} {name}", metadata.permissions().mode() & 0o7777)];
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            found.extend(modes(&entry.path(), &format!("{name}/{}", text(Path::new(&entry.file_name())))));
        }
    }
    found
}
