//! `hsmd audit`: the log is exported, pruned and verified, on a running HSM and on a stopped one.

use std::fs;
use std::path::PathBuf;

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{Ended, hsmd, run, text};

fn audit(arguments: &[&str]) -> Ended {
    run(&mut hsmd(&[&["audit"], arguments].concat()), "")
}

/// Each console leaves two records.
fn log_in(cluster: &Cluster) {
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\nlogoutHSM\n")).with_code(0);
}

/// The sequence numbers that a log shows.
fn numbers(log: &str) -> Vec<u64> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("Sequence No : 0x"));
    lines.map(|number| u64::from_str_radix(number, 16).unwrap()).collect()
}

#[test]
fn pieces_join_with_each_other_and_with_what_is_left() {
    let cluster = Cluster::activated(1);
    let hsm = cluster.path("hsm0");
    let piece = |number: u32| cluster.path(&format!("piece{number}"));
    let mut ends = vec![0];
    for number in 0..4 {
        let daemon = cluster.run();
        log_in(&cluster);
        // Every other time the HSM is stopped.
        let _running = Some(daemon).filter(|_| number % 2 == 0);
        audit(&["export", text(&hsm), text(&piece(number))]).with_code(0);
        let before = numbers(&audit(&[text(&hsm)]).with_code(0).stdout);
        assert_eq!(before[0], ends.last().unwrap() + 1);
        let shown = audit(&["prune", text(&hsm), text(&piece(number))]).with_code(0).stdout;
        assert!(shown.starts_with(&format!("Dropped audit records {:#x} to ", before[0])), "{shown}");
        assert_eq!(audit(&[text(&hsm)]).with_code(0).stdout, "");
        ends.push(*before.last().unwrap());
    }
    let daemon = cluster.run();
    log_in(&cluster);
    let pieces: Vec<PathBuf> = (0..4).map(piece).collect();
    let all: Vec<&str> =
        ["verify"].into_iter().chain(pieces.iter().map(|path| text(path))).chain([text(&hsm)]).collect();
    let joined = audit(&all).with_code(0).stdout;
    assert_eq!(joined.lines().count(), 5, "{joined}");
    audit(&["verify", text(&piece(1)), text(&piece(2))]).with_code(0);
    let gap = audit(&["verify", text(&piece(0)), text(&piece(2))]).with_code(1).stderr;
    assert!(
        gap.contains(&format!("{}: does not go on where the one before it ends", text(&piece(2)))),
        "{gap}"
    );
    let last = numbers(&audit(&[text(&hsm)]).with_code(0).stdout);
    assert_eq!(last[0], ends.last().unwrap() + 1, "the chain goes on");
    // What is dropped already is dropped.
    audit(&["prune", text(&hsm), text(&piece(3))]).with_code(0);
    drop(daemon);
    audit(&["prune", text(&hsm), text(&piece(3))]).with_code(0);
    assert_eq!(numbers(&audit(&[text(&hsm)]).with_code(0).stdout), last);
}

#[test]
fn an_altered_piece_and_anothers_are_refused() {
    let cluster = Cluster::activated(2);
    let (hsm, piece, bad) = (cluster.path("hsm0"), cluster.path("piece"), cluster.path("bad"));
    audit(&["export", text(&hsm), text(&piece)]).with_code(0);
    let there = audit(&["export", text(&hsm), text(&piece)]).with_code(1).stderr;
    assert!(there.ends_with("piece: already exists\n"), "{there}");
    let whole = fs::read_to_string(&piece).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without = |at: usize| {
        lines[..at].iter().chain(&lines[at + 1..]).map(|line| format!("{line}\n")).collect::<String>()
    };
    let mut altered: Vec<String> = (0..lines.len()).map(without).collect();
    altered.push(whole.replacen("CN_LOGIN", "CN_LOGOUT", 1));
    altered.push(whole.replacen("\"user\":\"admin\"", "\"user\":\"bdmin\"", 1));
    altered.push(format!("{whole}{}\n", lines[1]));
    altered.push(String::new());
    for (number, text_of) in altered.iter().enumerate() {
        assert_ne!(*text_of, whole, "{number}");
        fs::write(&bad, text_of).unwrap();
        for command in [&["verify", text(&bad)][..], &["prune", text(&hsm), text(&bad)]] {
            let refused = audit(command).with_code(1).stderr;
            assert!(refused.contains(text(&bad)), "{number}: {refused}");
        }
    }
    // A piece by itself, and yet not all that would be dropped.
    let second: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
    let begin = format!("{{\"audit_log_after\":{{\"sequence\":1,\"link\":{}}}}}\n", second["previous"]);
    fs::write(&bad, begin + &lines[2..].join("\n")).unwrap();
    audit(&["verify", text(&bad)]).with_code(0);
    let refused = audit(&["prune", text(&hsm), text(&bad)]).with_code(1).stderr;
    assert!(refused.contains("records 0x1 to 0x1 were neither pruned nor exported to it"), "{refused}");
    let other = cluster.path("hsm1");
    let refused = audit(&["prune", text(&other), text(&piece)]).with_code(1).stderr;
    assert!(refused.contains("not pruned: it is not a piece of this HSM's audit log"), "{refused}");
    audit(&["verify", text(&piece)]).with_code(0);
}

#[test]
fn records_are_lines_of_json_as_well() {
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    cluster.play("loginHSM CO mallory guess123\nloginHSM CO mallory guess456\n").with_code(1);
    drop(daemon);
    cluster.run().signal("-TERM");
    let json = audit(&["--json", text(&cluster.path("hsm0"))]).with_code(0).stdout;
    let records: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records[0]["command"], "CN_LOGIN");
    let strange = records.iter().find(|record| record["user"] == "mallory").unwrap();
    assert_eq!(strange["strangers"]["count"], 1);
    assert!(strange["strangers"]["from"][0].as_str().unwrap().starts_with("127."), "{strange}");
    assert!(strange["result"].as_str().unwrap().contains("This user doesn't exist"));
}
