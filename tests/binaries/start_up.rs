//! What the console says when its servers are not as it would like them, byte for byte.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::certificates::openssl;
use crate::cluster::{Cluster, alter, listed};
use crate::process::{PROMPT, Process, console, hsmd, keys, must_be_installed, run, text};

const BANNER: &str = "\
Ignoring E2E enable flag in the configuration file

Connecting to the server(s), it may take time
depending on the server(s) load, please wait...

Connecting to server '10.0.0.1': hostname '10.0.0.1', port 2225...
";

const LIMITED: &str = "\
Server 0(10.0.0.1) is in unencrypted mode now...
running in limited commands mode
";

const NOT_ENABLED: &str = "\
E2E Session failed: E2E setup failed
Enabling E2E failed
";

#[test]
fn nobody_listens() {
    assert_eq!(gives_up(&Cluster::new(1)), "Connection refused");
}

#[test]
fn the_port_speaks_no_tls() {
    let cluster = Cluster::new(1);
    let listener = TcpListener::bind((cluster.address(0), cluster.port)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // The console hangs up once it has seen enough.
            let _ = stream.unwrap().write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
        }
    });
    assert_eq!(gives_up(&cluster), "the TLS handshake failed (the answer was not TLS)");
}

#[test]
fn the_port_never_answers() {
    let cluster = Cluster::new(1);
    let _silent = TcpListener::bind((cluster.address(0), cluster.port)).unwrap();
    assert_eq!(gives_up(&cluster), "Connection timed out (TLS handshake not done within 5s)");
}

#[test]
fn three_of_three_say_so_one_by_one_and_one_is_enough_to_give_up() {
    let cluster = Cluster::new(3);
    let _first = cluster.run_hsm(0);
    let played = cluster.play("listUsers\n").with_code(3);
    let expected = format!(
        "{BANNER}\
Connected to server '10.0.0.1': hostname '10.0.0.1', port 2225.
E2E enabled on server 0(10.0.0.1)
Connecting to server '10.0.0.2': hostname '10.0.0.2', port 2225...
Connection to server 10.0.0.2(10.0.0.2) on port 2225 failed:Connection refused
Connecting to server '10.0.0.3': hostname '10.0.0.3', port 2225...
Connection to server 10.0.0.3(10.0.0.3) on port 2225 failed:Connection refused
Connection to one of servers failed, exiting...
"
    );
    assert_eq!(cluster.as_documented(&played.stdout), expected);
}

#[test]
fn allow_unreachable_goes_on_and_says_at_each_command_who_is_missing() {
    let cluster = Cluster::new(2);
    let _first = cluster.run_hsm(0);
    let mut console = Process::start(&mut allowing(&cluster));
    console.wait_for(PROMPT);
    for command in ["listUsers", "loginHSM PRECO admin password", "logoutHSM"] {
        let answer = cluster.as_documented(&console.command(command));
        let (name, _) = command.split_once(' ').unwrap_or((command, ""));
        let failure = format!(
            "{name} failed: HSM CLUSTER ERROR: Server in cluster is unavailable (Connection refused)\n\
             {name} failed on server 1(10.0.0.2)\n"
        );
        assert!(answer.ends_with(&failure), "{answer}");
    }
    let _second = cluster.run_hsm(1);
    let answer = cluster.as_documented(&console.command("listUsers"));
    assert!(answer.contains("Reconnected to server 1(10.0.0.2)\n"), "{answer}");
    assert_eq!(listed(&answer).len(), 2);
    assert_eq!(console.end().code, Some(4));
}

#[test]
fn allow_unreachable_needs_one_server_at_least() {
    let cluster = Cluster::new(2);
    let ended = Process::start(&mut allowing(&cluster)).end().with_code(3);
    assert!(ended.stdout.ends_with("Connection to one of servers failed, exiting...\n"), "{}", ended.stdout);
}

#[test]
fn no_session_begins_with_one_hsm_under_two_names() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run();
    alter(&cluster, |servers| servers[1]["hostname"] = without_third_number(&cluster.address(0)).into());
    for (program, code) in [(console as fn(&[&str]) -> Command, 3), (keys, 255)] {
        let ended = run(&mut program(&[text(&cluster.config())]), "listUsers\n").with_code(code).stdout;
        let written = cluster.as_documented(&ended);
        let told = "server 0(10.0.0.1) and server 1(10.0.0.2) are the same HSM, exiting...\n";
        assert!(written.ends_with(told), "{written}");
    }
}

/// Another way to write the address.
fn without_third_number(address: &str) -> String {
    let numbers: Vec<u32> = address.split('.').map(|number| number.parse().unwrap()).collect();
    format!("{}.{}.{}", numbers[0], numbers[1], numbers[2] * 256 + numbers[3])
}

#[test]
fn without_the_ca_certificate_commands_are_limited_until_it_is_there() {
    let cluster = Cluster::new(1);
    let daemon = Process::start(hsmd(&["run", text(&cluster.path(""))]).env("RUST_LOG", "debug"));
    daemon.wait_for_log("ready");
    fs::rename(cluster.path("customerCA.crt"), cluster.path("aside")).unwrap();
    let failure = format!(
        "Error: partition owner certificate doesn't exist at given path.\n\
         Failed to create client ssl ctx\n{NOT_ENABLED}"
    );
    let reason = "/opt/cloudhsm/etc/customerCA.crt,\npartition owner certificate not exist at given path";
    let mut console = in_limited_mode(&cluster, reason, &failure);
    daemon.wait_for_log("call=\"ListUsers\"");
    assert!(!daemon.log().contains("call=\"Login\""), "{}", daemon.log());

    let enabled = console.command("enable_e2e");
    let limited = "Server 0(10.0.0.1) is in unencrypted mode now...\nrunning in limited commands mode";
    assert_eq!(cluster.as_documented(&enabled), format!("enable_e2e\n{reason}\n{limited}\n{failure}"));
    fs::rename(cluster.path("aside"), cluster.path("customerCA.crt")).unwrap();
    let enabled = console.command("enable_e2e");
    assert_eq!(cluster.as_documented(&enabled), "enable_e2e\nE2E enabled on server 0(10.0.0.1)\n");
    let login = console.command("loginHSM PRECO admin password");
    assert!(login.contains("loginHSM success"), "{login}");
    daemon.wait_for_log("call=\"Login\"");
}

#[test]
fn with_another_ca_certificate_commands_are_limited() {
    must_be_installed("openssl");
    let p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for key in [&["-newkey", "rsa:2048"][..], &p256] {
        let cluster = Cluster::new(1);
        replace_ca(&cluster, key, "/CN=another CA");
        assert_distrusted(&cluster, "unable to get local issuer certificate");
    }
    let cluster = Cluster::new(1);
    let certificate = ["x509", "-in", "customerCA.crt", "-noout", "-subject", "-nameopt", "RFC2253"];
    let subject = openssl(&cluster.path(""), &certificate);
    replace_ca(&cluster, &p256, &format!("/{}", subject.trim_start_matches("subject=").trim()));
    assert_distrusted(&cluster, "Certificate signature failure");
}

fn replace_ca(cluster: &Cluster, key: &[&str], subject: &str) {
    let make = ["req", "-x509", "-nodes", "-days", "30", "-keyout", "/dev/null", "-out", "customerCA.crt"];
    openssl(&cluster.path(""), &[&make[..], &["-subj", subject], key].concat());
}

fn assert_distrusted(cluster: &Cluster, reason: &str) {
    let _daemon = cluster.run();
    let failure = format!("Error: Certificate ERROR: [{reason}]\n{NOT_ENABLED}");
    in_limited_mode(cluster, &format!("Certificate ERROR: [{reason}]"), &failure);
}

/// Starts a console that cannot trust its one server, and tries what it still does.
fn in_limited_mode(cluster: &Cluster, reason: &str, failure: &str) -> Process {
    let mut console = Process::start(&mut console(&[text(&cluster.config())]));
    let banner = cluster.as_documented(&console.wait_for(PROMPT));
    let connected = "Connected to server '10.0.0.1': hostname '10.0.0.1', port 2225.";
    assert_eq!(banner, format!("{BANNER}{connected}\n{reason}\n{LIMITED}{failure}"));
    assert_eq!(listed(&console.command("listUsers")), [["1 PRECO admin", "2 AU app_user"]]);
    let login = cluster.as_documented(&console.command("loginHSM PRECO admin password"));
    assert!(login.contains("loginHSM failed: not allowed in limited commands mode"), "{login}");
    assert!(login.ends_with("\nloginHSM failed on server 0(10.0.0.1)\n"), "{login}");
    console
}

/// Asserts that the console ends because of its one server, and returns the reason that it gives.
fn gives_up(cluster: &Cluster) -> String {
    let played = cluster.play("listUsers\n").with_code(3);
    let written = cluster.as_documented(&played.stdout);
    let rest = written.strip_prefix(BANNER).expect(&written);
    let rest =
        rest.strip_prefix("Connection to server 10.0.0.1(10.0.0.1) on port 2225 failed:").expect(&written);
    rest.strip_suffix("\nConnection to one of servers failed, exiting...\n").expect(&written).to_owned()
}

fn allowing(cluster: &Cluster) -> Command {
    console(&["--allow-unreachable", text(&cluster.config())])
}
