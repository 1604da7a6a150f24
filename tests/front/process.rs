//! `hsmd service` as a program.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

use crate::client::{ask, get};
use crate::json::request;

/// Killed when dropped.
struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Program {
    fn start(folder: &TempDir, arguments: &[&str]) -> Self {
        let mut command = hsmd(&["service", "--listen", "127.0.0.1:0", "--log-format", "json", "--dir"]);
        command.arg(folder.path().join("account")).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
            if line.contains("\"listening\"") {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        Self { child, log, address }
    }

    /// Stops it, and returns the rest of its log.
    fn stop(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hsmd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hsmd"));
    command.args(arguments);
    command
}

fn printed(Output { stdout, stderr, .. }: &Output) -> String {
    String::from_utf8([stdout.clone(), stderr.clone()].concat()).unwrap()
}

#[test]
fn a_call_leaves_a_line_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder, &["--region", "eu-west-1"]);
    let answer = ask(program.address.parse().unwrap(), &request("DescribeClusters", "{}"));
    assert_eq!(answer.status, 200);
    let log = program.stop();
    let line = log.lines().find(|line| line.contains("DescribeClusters")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["region"], &line["outcome"]), (&"eu-west-1".into(), &"ok".into()));
    assert_eq!(line["request_id"], answer.header("x-amzn-requestid"));
}

#[test]
fn a_service_is_asked_for_its_health() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder, &[]);
    let check = |listen: &str| hsmd(&["service", "--check", "--listen", listen]).output().unwrap();
    let well = check(&program.address);
    assert_eq!((well.status.code(), printed(&well).as_str()), (Some(0), "ok\n"));
    let anywhere = program.address.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(check(&anywhere).status.code(), Some(0));
    let address = program.address.clone();
    program.stop();
    let gone = check(&address);
    assert_eq!(gone.status.code(), Some(1));
    assert!(printed(&gone).starts_with(&format!("hsmd: {address}: ")), "{}", printed(&gone));
}

#[test]
fn an_address_that_others_can_reach_needs_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    let refused = hsmd(&["service", "--listen", "0.0.0.0:0", "--dir"]).arg(&account).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        printed(&refused),
        "hsmd: --listen 0.0.0.0:0: other machines can reach this address, so --credentials is required\n"
    );
    assert!(!account.exists());
    let file = folder.path().join("credentials");
    fs::write(&file, "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n").unwrap();
    let program = Program::start(&folder, &["--credentials", file.to_str().unwrap()]);
    let address = program.address.parse().unwrap();
    assert_eq!(ask(address, &request("DescribeClusters", "{}")).status, 403);
    assert_eq!(ask(address, &get("/health")).status, 200);
    let log = program.stop();
    assert!(log.contains("MissingAuthenticationTokenException"), "{log}");
}

#[test]
fn a_backup_is_made_on_request_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    let back_up =
        |cluster: &str| hsmd(&["service", "backup", "--dir"]).arg(&account).arg(cluster).output().unwrap();
    let dir = account.display();
    let nobody = format!(
        "hsmd: {dir}: no service is running on this folder; start it with `hsmd service --dir {dir}`\n"
    );
    assert_eq!(printed(&back_up("cluster-22222222222")), nobody);
    let program = Program::start(&folder, &[]);
    let made = ask(
        program.address.parse().unwrap(),
        &request("CreateCluster", r#"{"HsmType": "hsm1.medium", "SubnetIds": ["subnet-0e358c43"]}"#),
    );
    let id = made.json()["Cluster"]["ClusterId"].as_str().unwrap().to_owned();
    let refused = back_up(&id);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(printed(&refused), format!("hsmd: Cluster {id} is not initialized.\n"));
    assert_eq!(back_up("cluster-1").status.code(), Some(2));
    let log = program.stop();
    assert!(log.contains("no backup on request") && log.contains(&id), "{log}");
    assert_eq!(printed(&back_up(&id)), nobody);
}

/// Each is printed once, with what is wrong.
#[test]
fn a_service_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let says = |arguments: &[&str], expected: &str| {
        let output = hsmd(&[&["service"], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let printed = printed(&output);
        let line = printed.lines().last().unwrap();
        assert_eq!(line, format!("hsmd: {expected}"), "{arguments:?}");
    };
    fs::write(path("file"), "").unwrap();
    says(&["--dir", &path("file")], &format!("{}: Not a directory", path("file")));
    says(&["--dir", &path("file/account")], &format!("{}: Not a directory", path("file/account")));
    fs::create_dir(path("other")).unwrap();
    fs::write(path("other/notes"), "").unwrap();
    let foreign = format!("{}: not empty, and not an account: it has no account.json", path("other"));
    says(&["--dir", &path("other")], &foreign);
    fs::create_dir(path("damaged")).unwrap();
    fs::write(path("damaged/account.json"), "{").unwrap();
    let damaged = "EOF while parsing an object at line 1 column 1";
    says(&["--dir", &path("damaged")], &format!("{}/account.json: {damaged}", path("damaged")));
    let missing = format!("--credentials: {}: No such file or directory", path("none"));
    says(&["--dir", &path("new"), "--credentials", &path("none")], &missing);
    let program = Program::start(&folder, &[]);
    says(&["--dir", &path("account")], &format!("{}: another hsmd serves this account", path("account")));
    let taken = format!("--listen: cannot listen on {}: Address already in use", program.address);
    says(&["--listen", &program.address, "--dir", &path("new")], &taken);
    assert!(!Path::new(&path("new")).exists());
}
