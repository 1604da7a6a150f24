//! A password that is used in every way there is, and looked for in everything that is left of it.

use std::fs;
use std::path::Path;

use crate::cluster::Cluster;
use crate::process::{Process, console, hsmd, run, text};

/// In every password of the story, which is otherwise different each time.
const CANARY: &str = "Canary";

const COMMANDS: &str = "\
loginHSM PRECO admin password
changePswd PRECO admin Canary0001
y
loginHSM CO admin Canary-wrong
loginHSM CO admin -hpswd
Canary0001
createUser CU alice Canary0002
y
createUser CO bob -hpswd
Canary0003
Canary0003
y
createUser CO carol -hpswd
Canary0004
Canary-another
createUser CU alice Canary0005
y
R
A
creatUser CU dave Canary0006
createUser dave Canary0007
createUser CU dave Canary0008 Canary0009
changePswd CU alice -hpswd
Canary0010
Canary0010
y
logoutHSM
loginHSM CU alice Canary0010
changePswd CU alice Canary0011
y
listUsers
quit
";

#[test]
fn no_password_reaches_a_stream_a_log_or_a_file() {
    let cluster = Cluster::new(2);
    let daemon = Process::start(hsmd(&["run", text(&cluster.path(""))]).env("RUST_LOG", "trace"));
    daemon.wait_for_log("ready");
    cluster.configure("comment", "for the log");
    let played = run(console(&[text(&cluster.config())]).env("RUST_LOG", "trace"), COMMANDS).with_code(1);
    assert_eq!(played.stdout.matches("changePswd success").count(), 6, "{}", played.stdout);
    assert_eq!(played.stdout.matches("createUser success").count(), 4, "{}", played.stdout);
    assert!(played.stderr.contains("ignored"), "{}", played.stderr);
    daemon.signal("-TERM");
    let served = daemon.end().with_code(0);
    assert!(served.stderr.contains("call=\"CreateUser\""), "{}", served.stderr);

    for (name, written) in [
        ("console's output", &played.stdout),
        ("console's log", &played.stderr),
        ("daemon's output", &served.stdout),
        ("daemon's log", &served.stderr),
    ] {
        let leak = written.lines().find(|line| line.contains(CANARY));
        assert_eq!(leak, None, "in the {name}");
    }
    let mut files = 0;
    search(&cluster.path(""), &mut files);
    assert!(files >= 13, "{files}");
}

fn search(folder: &Path, files: &mut usize) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            search(&path, files);
        } else {
            *files += 1;
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found, "in {}", path.display());
        }
    }
}
