//! AWS's own clients, boto3 and the command line, against `hsmd service`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "cargo shows it with a failure")]

#[path = "aws/client.rs"]
mod client;
#[path = "aws/dice.rs"]
mod dice;
#[path = "aws/kills.rs"]
mod kills;
#[path = "aws/model.rs"]
mod model;
#[path = "aws/moment.rs"]
mod moment;
#[path = "aws/officer.rs"]
mod officer;
#[path = "aws/owner.rs"]
mod owner;
#[path = "aws/service.rs"]
mod service;

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

use owner::Owner;
use service::{Service, unused_port};

#[test]
fn boto3_drives_every_operation() {
    let folder = tempfile::tempdir().unwrap();
    let (account, port) = (folder.path().join("account"), unused_port().to_string());
    let service = Service::start(&account, &port);
    let output = Command::new("python3")
        .arg("tests/aws/boto.py")
        .env("AWS_ENDPOINT_URL_CLOUDHSM_V2", format!("http://{}", service.address))
        .env("ACCOUNT", account)
        .env("HSM_PORT", port)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out == "done\n", "{out}{err}");
}

/// The backup is of a cluster that the console has activated.
#[test]
fn terraform_finds_the_states_that_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let (account, port) = (folder.path().join("account"), unused_port());
    let service = Service::start(&account, &port.to_string());
    let backup = Owner::new(folder.path()).activated_backup(&service.address, port);
    drop(service);
    let service = Service::start_slow(&account, &port.to_string());
    let output = Command::new("python3")
        .arg("tests/aws/terraform.py")
        .env("AWS_ENDPOINT_URL_CLOUDHSM_V2", format!("http://{}", service.address))
        .env("BACKUP", backup)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out == "done\n", "{out}{err}");
}

#[test]
fn the_guides_recovery_runs_with_the_aws_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_hsmd")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let output = Command::new("examples/recovery/with-aws.sh")
        .arg(folder.path().join("recovery"))
        .env("PATH", path)
        .env("SERVICE", format!("127.0.0.1:{}", unused_port()))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let hashes: Vec<&str> = out.split("Key Hash:\n").skip(1).filter_map(|rest| rest.lines().next()).collect();
    assert_eq!(hashes.len(), 4, "{out}{err}");
    assert_eq!(hashes.iter().collect::<BTreeSet<_>>().len(), 1, "{out}");
}
