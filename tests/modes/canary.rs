//! A password that is used in every way there is, and looked for in everything that is left of it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::mode::Mode;
use crate::process::{Process, hsmd, run, text};
use crate::session::without_status;

/// In every password of the story, which is otherwise different each time.
const CANARY: &str = "Canary";

/// A session that is the same in every mode: all that it makes it deletes.
const COMMANDS: &str = "\
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
Canary0011
Canary0011
y
logoutHSM
login CU alice Canary0011
changePswd CU alice Canary0012
y
server 0
loginHSM CU alice -file {file}
exit
logoutHSM
loginHSM CO admin Canary0001 -2fa {file}.authdata
loginHSM CO admin Canary0001
loginHSM CO admin Canary0001
deleteUser CU alice
deleteUser CO bob
listUsers
quit
";

/// What succeeds in it on both servers, and how often on one of them.
const DONE: [(&str, usize); 4] = [("loginHSM", 6), ("createUser", 4), ("changePswd", 4), ("deleteUser", 4)];

#[test]
fn no_password_reaches_a_stream_a_log_a_page_or_a_file() {
    let cluster = Cluster::new(2);
    let metrics = format!("{}:9225", cluster.address(0));
    let mut daemon = hsmd(&["run", text(&cluster.path("")), "--metrics", &metrics]);
    let daemon = Process::start(daemon.args(["--log-format", "json"]).env("RUST_LOG", "trace"));
    daemon.wait_for_log("ready");
    let activation = ["loginHSM PRECO admin password", "changePswd PRECO admin Canary0001", "y", "quit"];
    let mut written =
        vec![("activation".to_owned(), Mode::Pipe.run(&cluster, &activation.map(str::to_owned)).text)];

    cluster.configure("comment", "for the log");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("password");
    fs::write(&file, "Canary0012\n").unwrap();
    let lines: Vec<_> = COMMANDS.replace("{file}", text(&file)).lines().map(str::to_owned).collect();
    for mode in Mode::ALL {
        let played = mode.run(&cluster, &lines);
        if matches!(mode, Mode::Json) {
            assert_eq!(done_as_data(&played.text), DONE.map(|(name, count)| (name, count / 2)));
        } else {
            let text = without_status(&played.text);
            let done = |name| text.matches(&format!("\n{name} success on")).count();
            assert_eq!(DONE.map(|(name, _)| (name, done(name))), DONE, "{mode:?}: {}", played.text);
        }
        let is_at_terminal = matches!(mode, Mode::Typed | Mode::Burst | Mode::Person);
        assert_eq!(played.log.is_empty(), is_at_terminal, "{mode:?}");
        assert_eq!(played.kept.is_empty(), !matches!(mode, Mode::Person), "{mode:?}: {}", played.kept);
        written.push((format!("{mode:?}: output"), played.text));
        written.push((format!("{mode:?}: log"), played.log));
        written.push((format!("{mode:?}: history"), played.kept));
    }

    written.extend(["/metrics", "/health"].map(|page| (page.to_owned(), get(&metrics, page))));
    daemon.signal("-TERM");
    let served = daemon.end().with_code(0);
    assert!(served.stderr.contains("CreateUser"), "{}", served.stderr);
    written.push(("daemon's output".to_owned(), served.stdout));
    written.push(("daemon's log".to_owned(), served.stderr));
    let audit = run(&mut hsmd(&["audit", text(&cluster.path("hsm0"))]), "").with_code(0);
    assert!(audit.stdout.contains("alice"), "{}", audit.stdout);
    written.push(("audit log".to_owned(), audit.stdout));

    for (name, text) in &written {
        let leak = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(leak, None, "in {name}");
    }
    let mut files = 0;
    search(&cluster.path(""), &mut files);
    assert!(files >= 13, "{files}");
}

/// The same, as data have it.
fn done_as_data(json: &str) -> [(&'static str, usize); 4] {
    let objects: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_done = |object: &&Value| object["ok"] == true && object["servers"].as_array().unwrap().len() == 2;
    let done = |name| objects.iter().filter(is_done).filter(|object| object["command"] == name).count();
    DONE.map(|(name, _)| (name, done(name)))
}

fn get(address: &str, page: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {page} HTTP/1.1\r\nHost: hsmd\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
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
