//! Backups and cloned clusters, by the programs as an operator runs them.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::{CO_PASSWORD, Cluster, listed, unused_net};
use crate::process::{Process, console, hsmd, must_be_installed, run, text};

/// Everything that a story makes beside its cluster's folder.
fn beside(cluster: &Cluster, name: &str) -> PathBuf {
    cluster.path("").parent().unwrap().join(name)
}

fn create(name: &str) -> String {
    format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU {name} crypto123\ny\n")
}

fn back_up(cluster: &Cluster, file: &Path) {
    let made = run(&mut hsmd(&["backup", text(&cluster.path("hsm0")), "--out", text(file)]), "").with_code(0);
    assert!(made.stdout.contains("keep the two apart"), "{}", made.stdout);
}

/// Makes a cloned cluster and runs it.
fn run_clone(cluster: &Cluster, file: &Path, nodes: &str) -> (PathBuf, Process) {
    let (folder, (net, port)) = (beside(cluster, "clone"), unused_net());
    let (net, port) = (format!("{net}.0"), port.to_string());
    let mut init = hsmd(&["cluster", "init", "--from-backup", text(file), "--nodes", nodes]);
    run(init.args(["--net", &net, "--port", &port, "--dir", text(&folder)]), "").with_code(0);
    let daemon = Process::start(&mut hsmd(&["run", text(&folder)]));
    daemon.wait_for_log("ready");
    (folder, daemon)
}

#[test]
fn a_backup_of_a_running_hsm_has_every_acknowledged_change_and_makes_a_clone() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let file = beside(&cluster, "backup");
    cluster.play(&create("alice")).with_code(0);
    back_up(&cluster, &file);
    cluster.play(&create("bob")).with_code(0);

    let checked = run(&mut hsmd(&["check-backup", text(&file)]), "").with_code(0);
    assert!(checked.stdout.contains("3 users, 0 keys"), "{}", checked.stdout);
    let (folder, _clone) = run_clone(&cluster, &file, "2");
    let config = folder.join("cloudhsm_mgmt_util.cfg");
    let login = format!("loginHSM CO admin {CO_PASSWORD}\nlistUsers\n");
    let session = run(&mut console(&[text(&config)]), &login).with_code(0).stdout;
    let users = ["1 CO admin", "2 AU app_user", "3 CU alice"].map(str::to_owned).to_vec();
    assert_eq!(listed(&session), [users.clone(), users]);
    // Its nodes go on where the original's end.
    let members = run(&mut console(&[text(&config)]), "getClusterInfo\n").stdout;
    assert!(members.contains("\n1\t\t") && members.contains("\n2\t\t"), "{members}");
}

#[test]
fn a_stopped_hsm_is_backed_up_and_a_spoilt_backup_is_refused() {
    let cluster = Cluster::activated(1);
    let (file, key) = (beside(&cluster, "backup"), beside(&cluster, "backup.key"));
    back_up(&cluster, &file);
    let again = run(&mut hsmd(&["backup", text(&cluster.path("hsm0")), "--out", text(&file)]), "");
    assert!(again.with_code(1).stderr.contains(text(&file)), "it is not overwritten");
    // Nor is another key made for what is not written.
    let aside = beside(&cluster, "aside");
    fs::rename(&key, &aside).unwrap();
    run(&mut hsmd(&["backup", text(&cluster.path("hsm0")), "--out", text(&file)]), "").with_code(1);
    assert!(!key.exists());
    fs::rename(&aside, &key).unwrap();
    let whole_cluster = run(&mut hsmd(&["backup", text(&cluster.path("")), "--out", "x"]), "").with_code(1);
    assert!(whole_cluster.stderr.contains("name an HSM's folder in it"), "{}", whole_cluster.stderr);
    let refused = || {
        let checked = run(&mut hsmd(&["check-backup", text(&file)]), "").with_code(1).stderr;
        assert!(checked.contains(text(&file)), "{checked}");
        let folder = beside(&cluster, "clone");
        let mut init = hsmd(&["cluster", "init", "--from-backup", text(&file), "--dir", text(&folder)]);
        run(&mut init, "").with_code(1);
        assert!(!folder.exists());
    };
    let (whole, right_key) = (fs::read(&file).unwrap(), fs::read(&key).unwrap());
    assert!(!whole.windows(5).any(|part| part == b"admin"), "it is encrypted");
    for at in [0, 7, 8, 25, whole.len() / 2, whole.len() - 1] {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 1;
        fs::write(&file, spoilt).unwrap();
        refused();
    }
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    refused();
    fs::write(&file, &whole).unwrap();
    fs::write(&key, right_key.iter().rev().copied().collect::<Vec<u8>>()).unwrap();
    refused();
    fs::write(&key, right_key).unwrap();
    run(&mut hsmd(&["check-backup", text(&file)]), "").with_code(0);
}

#[test]
fn two_backups_at_once_to_one_file_leave_one_that_opens() {
    let cluster = Cluster::activated(1);
    let (_daemon, hsm) = (cluster.run(), cluster.path("hsm0"));
    for round in 0..10 {
        let file = beside(&cluster, &format!("backup{round}"));
        let back_up = || Process::start(&mut hsmd(&["backup", text(&hsm), "--out", text(&file)]));
        let both = [back_up(), back_up(), back_up()];
        for one in both {
            let ended = one.end();
            assert!(ended.code == Some(0) || ended.stderr.contains("already exists"), "{}", ended.stderr);
        }
        run(&mut hsmd(&["check-backup", text(&file)]), "").with_code(0);
    }
}

#[test]
fn who_does_not_read_its_backup_stops_neither_others_nor_the_end() {
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    let stuck = UnixStream::connect(cluster.path("hsm0/control.sock")).unwrap();
    let another = UnixStream::connect(cluster.path("hsm0/control.sock")).unwrap();
    cluster.play("listUsers\n").with_code(0);
    drop(another);
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    drop(stuck);
}

#[test]
fn a_clone_keeps_the_settings_and_its_nodes_begin_where_it_is_told() {
    let cluster = Cluster::activated(1);
    let (settings, file) = (cluster.path("hsm0/hsmd.json"), beside(&cluster, "backup"));
    let text_of = |path: &Path| fs::read_to_string(path).unwrap();
    let changed = text_of(&settings)
        .replace("\"client_ca\": null", "\"client_ca\": \"customerCA.crt\"")
        .replace("\"max_connections\": 900", "\"max_connections\": 17");
    fs::write(&settings, changed).unwrap();
    back_up(&cluster, &file);
    let folder = beside(&cluster, "second");
    let init = ["cluster", "init", "--from-backup", text(&file), "--first-node", "0", "--dir", text(&folder)];
    let taken = run(&mut hsmd(&init), "").with_code(1).stderr;
    assert!(
        taken.contains("node 0 belongs to the original cluster; choose a first node of 1 or higher"),
        "{taken}"
    );
    let init = ["cluster", "init", "--from-backup", text(&file), "--first-node", "7", "--dir", text(&folder)];
    run(&mut hsmd(&init), "").with_code(0);
    let made: serde_json::Value = serde_json::from_str(&text_of(&folder.join("hsm0/hsmd.json"))).unwrap();
    assert_eq!(made["client_ca"], "customerCA.crt");
    assert_eq!(made["max_connections"], 17);
    assert_eq!(made["members"][0]["node_id"], 7);
    assert_ne!(
        made["listen"],
        serde_json::from_str::<serde_json::Value>(&text_of(&settings)).unwrap()["listen"]
    );
}

#[test]
fn two_regions_in_one_configuration_are_synchronised_as_the_guide_says() {
    must_be_installed("jq");
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let file = beside(&cluster, "backup");
    back_up(&cluster, &file);
    let (folder, _clone) = run_clone(&cluster, &file, "1");
    cluster.play(&create("late")).with_code(0);
    let both = Command::new("jq")
        .args(["-s", ".[0].servers += .[1].servers | .[0]"])
        .args([cluster.config(), folder.join("cloudhsm_mgmt_util.cfg")])
        .output()
        .unwrap();
    let config = beside(&cluster, "userSync.cfg");
    fs::write(&config, both.stdout).unwrap();
    let session =
        format!("loginHSM CO admin {CO_PASSWORD}\nserver 0\nsyncUser 3 1\nsyncUser 3 1\nexit\nlistUsers\n");
    let session = run(&mut console(&[text(&config)]), &session).with_code(0).stdout;
    let copied = "ExtractMaskedObject: 0x0 !\nInsertMaskedObject: 0x0 !\nsyncUser success\n";
    assert!(session.contains(copied), "{session}");
    assert!(session.contains("and identical"), "{session}");
    let users = listed(&session);
    assert_eq!(users[0], users[1]);
    assert_eq!(users[0][2], "3 CU late");
}
