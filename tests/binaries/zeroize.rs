//! `hsmd zeroize`: the end of all keys on one HSM, and its way back into its cluster.

use std::fs;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::following::{FOLLOWED, held, keys_of, officer, single, two};
use crate::process::{Ended, Process, hsmd, run, text};

fn zeroize(cluster: &Cluster, typed: &str) -> Ended {
    run(&mut hsmd(&["zeroize", text(&cluster.path("hsm1"))]), &format!("{typed}\n"))
}

fn stop(hsm: Process) {
    hsm.signal("-TERM");
    hsm.end().with_code(0);
}

fn id_of(hsm: &Process) -> String {
    hsm.log().split("hsm_id=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// Names and contents, in order.
fn content(cluster: &Cluster) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(cluster.path("hsm1")).unwrap().map(|entry| entry.unwrap());
    let named = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(named).collect();
    names.sort();
    let read = |name: String| {
        let bytes = fs::read(cluster.path(&format!("hsm1/{name}"))).unwrap();
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

fn file<'a>(content: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    content.iter().find(|(found, _)| found == name).map(|(_, bytes)| bytes.as_slice())
}

#[test]
fn only_a_stopped_hsm_is_zeroized_and_only_if_its_id_is_typed() {
    let (cluster, first, second) = two();
    let id = id_of(&second);
    let refused = zeroize(&cluster, &id).with_code(1);
    assert!(
        refused.stderr.contains("this HSM is running; stop it before you zeroize it"),
        "{}",
        refused.stderr
    );
    let other = id_of(&first);
    stop(second);
    let before = content(&cluster);
    for typed in ["", "y", &other] {
        let refused = zeroize(&cluster, typed).with_code(1);
        assert!(refused.stderr.contains(&format!("not zeroized: that is not {id}")), "{}", refused.stderr);
    }
    let whole = run(&mut hsmd(&["zeroize", text(&cluster.path(""))]), "").with_code(1);
    assert!(whole.stderr.contains("a cluster's folder"), "{}", whole.stderr);
    // The store notes that it was opened, and nothing else.
    let but_store = |mut files: Vec<(String, Vec<u8>)>| {
        files.retain(|(name, _)| name != "hsm.redb");
        files
    };
    assert!(but_store(content(&cluster)) == but_store(before));
    let second = cluster.run_hsm(1);
    assert!(officer(&cluster, "listUsers").with_code(0).stdout.matches("alice").count() == 2);
    drop((first, second));
}

#[test]
fn a_zeroized_member_empties_no_other_and_gets_its_keys_back_from_an_owner_and_users() {
    let (cluster, first, second) = two();
    single(&cluster, "genSymKey -t 31 -s 32 -l key").with_code(0);
    let (id, held_before) = (id_of(&second), held(&cluster));
    stop(second);
    let before = content(&cluster);
    let zeroized = zeroize(&cluster, &id).with_code(0);
    assert!(zeroized.stdout.ends_with(&format!("Zeroized {id}\n")), "{}", zeroized.stdout);
    let after = content(&cluster);
    for name in ["cluster.crt", "customerCA.crt"] {
        assert!(file(&before, name).is_some() && file(&after, name).is_none(), "{name}");
    }
    assert_ne!(file(&before, "master.key"), file(&after, "master.key"));
    let store = file(&after, "hsm.redb").unwrap();
    let hashes = store.windows(9).filter(|part| part == b"$argon2id").count();
    assert_eq!(hashes, 1, "the first password's");
    let audit = run(&mut hsmd(&["audit", text(&cluster.path("hsm1"))]), "").with_code(0).stdout;
    let (earlier, last) = audit.rsplit_once("Opcode : ").unwrap();
    assert!(last.starts_with("CN_ZEROIZE_HSM (0x1009)") && earlier.contains("alice"), "{last}");

    // As long as nobody owns it, it has no part in the cluster.
    let second = cluster.run_hsm(1);
    second.wait_for_log("not initialized");
    first.wait_for_log("keys do not follow from this member");
    let both = cluster.servers();
    cluster.write_servers(&both[..1]);
    assert_eq!(held(&cluster), held_before[..1]);
    stop(second);

    let (dir, member) = (cluster.path("hsm1"), cluster.path("hsm0"));
    let join = ["cluster", "initialize", "--dir", text(&dir), "--member", text(&member)];
    run(&mut hsmd(&join), "").with_code(0);
    run(&mut hsmd(&join), "").with_code(1);
    let second = cluster.run_hsm(1);
    second.wait_for_log("a newer key waits");
    cluster.write_servers(&both[1..]);
    let activation = format!("loginHSM PRECO admin password\nchangePswd PRECO admin {CO_PASSWORD}\ny\n");
    cluster.play(&activation).with_code(0);
    officer(&cluster, "createUser CU alice crypto12\ny").with_code(0);
    second.wait_for_log(FOLLOWED);
    cluster.write_servers(&both);
    assert_eq!(keys_of(&held(&cluster)), ["6(o)"; 2]);
    assert_eq!(held(&cluster), held_before);
}
