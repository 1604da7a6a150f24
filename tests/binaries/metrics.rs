//! `hsmd run --metrics`: what a monitor sees of the HSMs, and what it cannot do to them.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use exposition::Page;
use serde_json::json;

use crate::cluster::{CO_PASSWORD, Cluster, listed, unused_net};
use crate::process::{Process, hsmd, keys, run, text, wait_until};

#[path = "metrics/exposition.rs"]
mod exposition;

/// What the endpoint said.
pub(crate) struct Reply {
    pub(crate) head: String,
    pub(crate) body: String,
}

#[test]
fn nothing_but_the_hsms_listens_unless_it_is_wanted() {
    let cluster = Cluster::new(2);
    let daemon = cluster.run();
    assert_eq!(listeners(&daemon), 2);
    drop(daemon);
    assert_eq!(listeners(&with_metrics(&cluster)), 3);
}

#[test]
fn a_page_tells_what_consoles_did() {
    let cluster = Cluster::activated(2);
    let _daemon = with_metrics(&cluster);
    let fresh = page(&cluster);
    assert_eq!(fresh.value("hsmd_build_info{version=\"0.1.0\"}"), 1);
    for (name, value) in [("up", 1), ("takes_changes", 1), ("connections", 0), ("users", 2), ("tokens", 0)] {
        assert_eq!(fresh.each(&format!("hsmd_{name}")), [value; 2], "{name}");
    }
    assert_eq!(fresh.each("hsmd_reboots_total"), [2; 2]);
    assert_eq!(fresh.each("hsmd_store_commits_total"), [0; 2]);
    for outcome in ["ok", "refused", "rehearsed"] {
        assert_eq!(fresh.requests("Sign", outcome), [0; 2], "{outcome}");
    }

    let mut console = cluster.logged_in();
    console.command("createUser CU alice crypto12\ny");
    console.command("createUser CU alice crypto12\ny\nA");
    let after = page(&cluster);
    assert_eq!(after.requests("Login", "ok"), [1; 2]);
    assert_eq!(after.requests("CreateUser", "rehearsed"), [1; 2]);
    assert_eq!(after.requests("CreateUser", "ok"), [1; 2]);
    assert_eq!(after.requests("CreateUser", "refused"), [1; 2]);
    for (name, value) in [("connections", 1), ("logged_in_sessions", 1), ("users", 3), ("keys", 0)] {
        assert_eq!(after.each(&format!("hsmd_{name}")), [value; 2], "{name}");
    }
    for name in ["hsmd_store_commits_total", "hsmd_audit_sequence"] {
        assert!(after.each(name).iter().zip(fresh.each(name)).all(|(after, fresh)| *after > fresh), "{name}");
    }
    assert_eq!(after.each("hsmd_store_failures_total"), [0; 2]);
}

#[test]
fn a_page_tells_of_lockouts_and_keys() {
    let cluster = Cluster::activated(1);
    let _daemon = with_metrics(&cluster);
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    let config = cluster.config();
    let login = ["singlecmd", "loginHSM", "-u", "CU", "-s", "alice", "-p", "crypto12"];
    let make = ["genSymKey", "-t", "31", "-s", "32", "-l", "one"];
    run(&mut keys(&[&[text(&config)], &login[..], &make[..]].concat()), "").with_code(0);
    cluster.play(&"loginHSM CU alice wrong12\n".repeat(6)).with_code(1);
    let page = page(&cluster);
    assert_eq!(page.requests("GenerateKey", "ok"), [1]);
    assert_eq!(page.requests("Login", "refused"), [6]);
    let counted = [("keys", 1), ("login_failures_total", 5), ("locked_out_users", 1), ("tokens", 0)];
    for (name, value) in counted {
        assert_eq!(page.each(&format!("hsmd_{name}")), [value], "{name}");
    }
}

#[test]
fn a_page_counts_who_does_not_log_in_in_time() {
    let cluster = Cluster::new(1);
    cluster.set(0, |settings| settings["without_login"] = json!({ "seconds": 1 }));
    let _daemon = with_metrics(&cluster);
    let _console = cluster.at_prompt();
    wait_until(|| page(&cluster).each("hsmd_no_login_in_time_total") == [1]);
}

#[test]
fn only_two_pages_are_there_and_only_to_read() {
    let cluster = Cluster::new(1);
    let _daemon = with_metrics(&cluster);
    let metrics = get(&cluster, "/metrics");
    let content_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(metrics.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", metrics.head);
    assert!(metrics.head.contains(content_type), "{}", metrics.head);
    let health = get(&cluster, "/health");
    assert!(health.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", health.head);
    assert_eq!(health.body, "ok\n");
    let head = ask(&cluster, "HEAD /metrics HTTP/1.1\r\nHost: hsmd\r\n\r\n");
    assert!(head.head.contains(content_type) && head.body.is_empty(), "{}", head.head);
    assert!(get(&cluster, "/").head.starts_with("HTTP/1.1 404 "));
    let posted = ask(&cluster, "POST /health HTTP/1.1\r\nHost: hsmd\r\nContent-Length: 2\r\n\r\nup");
    assert!(posted.head.starts_with("HTTP/1.1 405 "), "{}", posted.head);
}

#[test]
fn the_documentation_names_every_metric() {
    let cluster = Cluster::new(1);
    let _daemon = with_metrics(&cluster);
    let (documentation, page) = (fs::read_to_string("docs/monitoring.md").unwrap(), page(&cluster));
    assert_eq!(page.names().len(), 22);
    for name in page.names() {
        assert!(documentation.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn a_cluster_without_an_owner_is_not_healthy() {
    let (home, (net, port)) = (tempfile::tempdir().unwrap(), unused_net());
    let dir = home.path().join("cluster");
    let init = ["cluster", "init", "--csr", "--nodes", "2", "--dir", text(&dir), "--net"];
    run(&mut hsmd(&[&init[..], &[&format!("{net}.0"), "--port", &port.to_string()]].concat()), "")
        .with_code(0);
    let address = format!("{net}.101:{port}");
    let daemon = Process::start(&mut hsmd(&["run", text(&dir), "--metrics", &address]));
    daemon.wait_for_log("ready");
    let health = ask_at(&address, "GET /health HTTP/1.1\r\nHost: hsmd\r\n\r\n");
    assert!(health.head.starts_with("HTTP/1.1 503 "), "{}", health.head);
    let lines: Vec<_> = health.body.lines().collect();
    assert_eq!(lines.len(), 2, "{}", health.body);
    assert!(lines.iter().all(|line| line.starts_with("hsm-") && line.ends_with(": not initialized")));
    let page = Page::read(&ask_at(&address, "GET /metrics HTTP/1.1\r\nHost: hsmd\r\n\r\n").body);
    assert_eq!((page.each("hsmd_up"), page.each("hsmd_takes_changes")), (vec![1; 2], vec![0; 2]));
}

#[test]
fn who_does_not_finish_a_request_or_never_ends_one_is_cut_off_and_hsms_serve_meanwhile() {
    let cluster = Cluster::new(1);
    let _daemon = with_metrics(&cluster);
    // As many as there may be, and one more.
    let mut half: Vec<_> = (0..9).map(|_| connect(&endpoint(&cluster))).collect();
    for stream in &mut half {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHo").unwrap();
    }
    assert_eq!(listed(&cluster.play("listUsers\n").with_code(0).stdout).len(), 1);
    for mut stream in half {
        assert!(!rest(&mut stream).starts_with("HTTP/1.1 200 "));
    }
    let mut endless = connect(&endpoint(&cluster));
    let sent = endless.write_all(b"GET /metrics HTTP/1.1\r\nX: ");
    let flood = sent.and_then(|()| (0..4096).try_for_each(|_| endless.write_all(&[b'a'; 4096])));
    assert!(flood.is_err(), "16 MiB of a header were taken");
    assert!(!rest(&mut endless).starts_with("HTTP/1.1 200 "));
    page(&cluster);
}

#[test]
fn an_address_that_cannot_be_used_is_named() {
    let cluster = Cluster::new(1);
    let dir = cluster.path("");
    let nonsense = run(&mut hsmd(&["run", text(&dir), "--metrics", "here"]), "").with_code(2);
    assert!(nonsense.stderr.contains("invalid value 'here' for '--metrics [<ADDR>]'"), "{}", nonsense.stderr);
    // Whoever has it already: the default is this one.
    let _occupant = TcpListener::bind("127.0.0.1:9225");
    let taken = run(&mut hsmd(&["run", text(&dir), "--metrics"]), "").with_code(1);
    let expected = "hsmd: --metrics: cannot listen on 127.0.0.1:9225: Address already in use";
    assert!(taken.stderr.contains(expected), "{}", taken.stderr);
    assert!(!taken.stderr.contains("listening"), "{}", taken.stderr);
}

#[test]
fn an_address_that_others_reach_is_warned_about() {
    let cluster = Cluster::new(1);
    let dir = cluster.path("");
    for (address, warnings) in [("0.0.0.0:0", 1), ("127.0.0.1:0", 0), ("[::ffff:127.0.0.1]:0", 0)] {
        let daemon = Process::start(&mut hsmd(&["run", text(&dir), "--metrics", address]));
        daemon.wait_for_log("ready");
        daemon.signal("-TERM");
        let log = daemon.end().with_code(0).stderr;
        let told = log.lines().filter(|line| line.contains("WARN") && line.contains("anyone who can reach"));
        assert_eq!(told.count(), warnings, "{log}");
    }
}

#[test]
fn no_page_and_no_log_line_holds_a_password_a_user_or_a_label() {
    let cluster = Cluster::activated(1);
    let arguments =
        ["run", text(&cluster.path("")), "--metrics", &endpoint(&cluster), "--log-format", "json"]
            .map(str::to_owned);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let daemon = Process::start(hsmd(&arguments).env("RUST_LOG", "trace"));
    daemon.wait_for_log("ready");
    cluster
        .play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU canaryname canary12pw\ny\n"))
        .with_code(0);
    let config = cluster.config();
    let login = ["singlecmd", "loginHSM", "-u", "CU", "-s", "canaryname", "-p", "canary12pw"];
    let make = ["genSymKey", "-t", "31", "-s", "32", "-l", "canarylabel"];
    run(&mut keys(&[&[text(&config)], &login[..], &make[..]].concat()), "").with_code(0);
    cluster.play("loginHSM CU canaryname canarywrong\n").with_code(1);
    let pages = ["/metrics", "/health", "/canary"].map(|path| get(&cluster, path));
    daemon.signal("-TERM");
    let log = daemon.end().with_code(0).stderr;
    // It is all there but what must not be.
    assert!(log.contains("\"call\":\"CreateUser\"") && log.contains("\"call\":\"GenerateKey\""), "{log}");
    for written in pages.iter().map(|page| &page.body).chain([&log]) {
        for secret in ["canary", CO_PASSWORD] {
            assert!(!written.contains(secret), "{written}");
        }
    }
}

/// `hsmd run` of the whole cluster, ready, with an endpoint.
fn with_metrics(cluster: &Cluster) -> Process {
    let (dir, address) = (cluster.path(""), endpoint(cluster));
    let daemon = Process::start(&mut hsmd(&["run", text(&dir), "--metrics", &address]));
    daemon.wait_for_log("ready");
    daemon
}

pub(crate) fn endpoint(cluster: &Cluster) -> String {
    format!("{}:{}", cluster.address(100), cluster.port)
}

pub(crate) fn page(cluster: &Cluster) -> Page {
    Page::read(&get(cluster, "/metrics").body)
}

pub(crate) fn get(cluster: &Cluster, path: &str) -> Reply {
    ask(cluster, &format!("GET {path} HTTP/1.1\r\nHost: hsmd\r\n\r\n"))
}

fn ask(cluster: &Cluster, request: &str) -> Reply {
    ask_at(&endpoint(cluster), request)
}

fn ask_at(address: &str, request: &str) -> Reply {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let reply = rest(&mut stream);
    let (head, body) = reply.split_once("\r\n\r\n").expect(&reply);
    Reply { head: format!("{head}\r\n"), body: body.to_owned() }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// All that comes until the other end hangs up, politely or not.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("the connection is still open")
        }
        _ => String::from_utf8(bytes).unwrap(),
    }
}

/// How many TCP sockets of a process listen.
fn listeners(process: &Process) -> usize {
    let own: Vec<_> = fs::read_dir(format!("/proc/{}/fd", process.id()))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|link| text(&link).to_owned())
        .collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    let listening = rows.map(|row| row.split_whitespace().collect::<Vec<_>>()).filter(|row| row[3] == "0A");
    listening.filter(|row| own.contains(&format!("socket:[{}]", row[9]))).count()
}
