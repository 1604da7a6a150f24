//! The program that start scripts wait for.

use std::fs;
use std::process::Command;

use crate::cluster::{Cluster, alter};
use crate::process::{Process, client, configure, keys, run, text, wait_until};

const READY: &str = "libevmulti_init: Ready !\n";

/// What public start scripts do, with the program and its file as `$0` and `$1`.
const START_SCRIPT: &str = "\
$0 $1 > $2 2>&1 &
daemon=$!
until grep -q 'libevmulti_init: Ready !' $2; do sleep 0.1; done
kill $daemon
wait $daemon
echo \"started, ended with $?\"
";

#[test]
fn a_start_script_waits_until_an_hsm_answers() {
    for is_early in [true, false] {
        let cluster = Cluster::new(2);
        let config = cluster.write_client_config(1, 1);
        let log = cluster.path("log");
        let mut daemon = is_early.then(|| cluster.run());
        let mut script = Command::new("bash");
        script.args(["-c", START_SCRIPT, env!("CARGO_BIN_EXE_cloudhsm_client"), text(&config), text(&log)]);
        let script = Process::start(&mut script);
        if !is_early {
            let refused = format!("cloudhsm_client: {}:{}: ", cluster.address(1), cluster.port);
            wait_until(|| fs::read_to_string(&log).is_ok_and(|log| log.starts_with(&refused)));
            daemon = Some(cluster.run());
        }
        assert_eq!(script.end().with_code(0).stdout, "started, ended with 0\n");
        let log = fs::read_to_string(&log).unwrap();
        assert!(log.contains(&format!("({}) is connected\n", cluster.address(1))), "{log}");
        assert_eq!(log.matches(READY).count(), 1, "{log}");
        drop(daemon);
    }
}

#[test]
fn hsms_that_go_and_come_are_reported_until_a_signal() {
    let cluster = Cluster::new(2);
    let daemons = [cluster.run_hsm(0), cluster.run_hsm(1)];
    for (config, signal) in [(cluster.config(), "-TERM"), (cluster.write_client_config(0, 1), "-INT")] {
        let mut client = Process::start(&mut client(&[text(&config)]));
        client.wait_for(READY);
        client.signal(signal);
        let ended = client.wait().with_code(0);
        assert_eq!(ended.stderr, "");
        assert_eq!(ended.stdout.matches(READY).count(), 1, "{}", ended.stdout);
    }
    let [first, second] = daemons;
    let mut client = Process::start(&mut client(&[text(&cluster.config())]));
    let name = format!("server 1({})", cluster.address(1));
    client.wait_for(&format!("cloudhsm_client: {name} is connected\n"));
    second.kill();
    client.wait_for(&format!("cloudhsm_client: {name} is not connected: "));
    let _second = cluster.run_hsm(1);
    client.wait_for(&format!("cloudhsm_client: {name} is connected\n"));
    first.kill();
    client.wait_for(&format!("cloudhsm_client: server 0({}) is not connected: ", cluster.address(0)));
    client.signal("-TERM");
    let ended = client.wait().with_code(0);
    assert_eq!(ended.stdout.matches(READY).count(), 1, "{}", ended.stdout);
    assert_eq!(ended.stdout.matches("is connected").count(), 3, "{}", ended.stdout);
}

#[test]
fn one_hsm_is_enough_and_a_silent_one_delays_nothing() {
    let cluster = Cluster::new(2);
    // It accepts connections and says nothing.
    let _silent = std::net::TcpListener::bind((cluster.address(0), cluster.port)).unwrap();
    let _second = cluster.run_hsm(1);
    let mut client = Process::start(&mut client(&[text(&cluster.config())]));
    let before = client.wait_for(READY);
    assert!(!before.contains("server 0"), "{before}");
    client.wait_for(&format!("server 0({}) is not connected: Connection timed out", cluster.address(0)));
}

#[test]
fn an_hsm_that_proves_nothing_does_not_count_until_it_can() {
    let cluster = Cluster::new(1);
    let _daemon = cluster.run();
    fs::rename(cluster.path("customerCA.crt"), cluster.path("aside")).unwrap();
    let mut client = Process::start(&mut client(&[text(&cluster.config())]));
    let name = format!("server 0({})", cluster.address(0));
    let before = client.wait_for(&format!("{name} has not proved that it belongs to the cluster: "));
    assert!(!before.contains("Ready"), "{before}");
    fs::rename(cluster.path("aside"), cluster.path("customerCA.crt")).unwrap();
    let before = client.wait_for(READY);
    assert!(before.ends_with(&format!("cloudhsm_client: {name} is connected\n")), "{before}");
}

/// As the original leaves it: `configure -a` changes the host name alone, and 2223 was its daemon's port.
#[test]
fn the_hsm_is_found_where_the_file_has_the_daemons_port() {
    let cluster = Cluster::on_the_usual_port(2);
    let _daemon = cluster.run();
    let file = cluster.path("cloudhsm_client.cfg");
    let template = run(&mut configure(&["--template", "client"]), "").with_code(0).stdout;
    let ca = cluster.path("customerCA.crt");
    fs::write(&file, template.replace("/opt/cloudhsm/etc/customerCA.crt", text(&ca))).unwrap();
    run(&mut configure(&["-a", &cluster.address(1), "--client-config", text(&file)]), "").with_code(0);
    assert!(fs::read_to_string(&file).unwrap().contains("\"port\": 2223"));
    let listed = run(&mut keys(&[text(&file), "singlecmd", "listUsers"]), "").with_code(0);
    assert!(listed.stdout.contains("app_user"), "{}", listed.stdout);
    let mut client = Process::start(&mut client(&[text(&file)]));
    client.wait_for(READY);
    let (config, console) = (text(&file), cluster.config());
    let members = ["-m", "--client-config", config, "--cmu-config", text(&console)];
    run(&mut configure(&members), "").with_code(0);
}

#[test]
fn a_wrong_configuration_ends_it_at_once() {
    let cluster = Cluster::new(1);
    for wrong in [&["/no/such/file"][..], &["--unknown"], &["a", "b"]] {
        let ended = run(&mut client(wrong), "").with_code(2);
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{}", ended.stdout);
    }
    alter(&cluster, Vec::clear);
    let ended = run(&mut client(&[text(&cluster.config())]), "").with_code(2);
    let error = format!("cloudhsm_client: {}: no server is enabled\n", cluster.config().display());
    assert_eq!((ended.stdout.as_str(), ended.stderr), ("", error));
    fs::write(cluster.config(), "{ # mine\n}").unwrap();
    let ended = run(&mut client(&[text(&cluster.config())]), "").with_code(2);
    assert!(ended.stderr.contains("missing field"), "{}", ended.stderr);
}
