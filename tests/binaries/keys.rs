//! The tool that makes keys: against a development cluster, running or not, and a cluster that the original's
//! configuration file names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificates::openssl;
use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{Ended, PROMPT, Process, console, keys, must_be_installed, run, text};

const LOGIN: [&str; 7] = ["loginHSM", "-u", "CU", "-s", "alice", "-p", "crypto12"];

/// A development cluster that is kept, with a CU.
pub(crate) struct Kept {
    home: TempDir,
}

impl Kept {
    pub(crate) fn new(nodes: &str) -> Self {
        let kept = Self { home: tempfile::tempdir().unwrap() };
        let commands = "loginHSM PRECO admin password\nchangePswd PRECO admin officer123\ny\n\
                        createUser CU alice crypto12\ny\n";
        run(&mut console(&["--dev", nodes, "--dev-dir", &kept.dir()]), commands).with_code(0);
        kept
    }

    pub(crate) fn dir(&self) -> String {
        self.path("cluster")
    }

    pub(crate) fn path(&self, name: &str) -> String {
        text(&self.home.path().join(name)).to_owned()
    }

    /// `singlecmd` with a login before it.
    pub(crate) fn single(&self, command: &str) -> Ended {
        let dir = self.dir();
        let words = ["--dev-dir", &dir, "singlecmd"].into_iter().chain(LOGIN).chain(command.split(' '));
        run(&mut keys(&words.collect::<Vec<_>>()), "")
    }
}

#[test]
fn a_running_development_cluster_is_joined_and_another_is_run() {
    let kept = Kept::new("2");
    let beacon = kept.home.path().join("cluster/dev.json");
    assert!(!beacon.exists());
    let mut running = Process::start(&mut console(&["--dev", "--dev-dir", &kept.dir()]));
    running.wait_for(PROMPT);
    assert_eq!(fs::metadata(&beacon).unwrap().permissions().mode() & 0o777, 0o600);
    let started = run(&mut keys(&["--dev-dir", &kept.dir()]), "exit\n").with_code(0);
    assert!(started.stdout.contains("\n\nHelp Commands Available:\n"), "{}", started.stdout);
    let made = kept.single("genSymKey -t 31 -s 32 -l aes").with_code(0);
    assert!(made.stdout.contains("Symmetric Key Created.  Key Handle: 6\n"), "{}", made.stdout);
    assert_eq!(made.stdout.matches("Node id 1 and err state 0x00000000").count(), 2, "{}", made.stdout);
    assert_eq!(made.stderr, "", "joined, not run");
    assert!(beacon.exists());
    running.end().with_code(0);
    assert!(!beacon.exists());
    let found = kept.single("findSingleKey -k 6").with_code(0);
    assert!(found.stderr.contains("2 HSMs in this program"), "{}", found.stderr);
    assert!(!beacon.exists());
}

#[test]
fn what_a_killed_program_left_leads_nowhere() {
    let kept = Kept::new("1");
    let mut running = Process::start(&mut console(&["--dev", "--dev-dir", &kept.dir()]));
    running.wait_for(PROMPT);
    running.kill();
    assert!(kept.home.path().join("cluster/dev.json").exists());
    let found = kept.single("findKey").with_code(0);
    assert!(found.stderr.contains("1 HSMs in this program"), "{}", found.stderr);
}

#[test]
fn exit_codes_tell_scripts_how_it_went() {
    let kept = Kept::new("1");
    kept.single("findKey -l x").with_code(0);
    kept.single("findSingleKey -k 77").with_code(1);
    kept.single("nonsense").with_code(1);
    let dir = kept.dir();
    let login = ["--dev-dir", &dir, "singlecmd", "loginHSM", "-u", "CU", "-s", "alice"];
    let refused = run(&mut keys(&[&login[..], &["-p", "wrong12", "findKey"]].concat()), "").with_code(255);
    assert!(refused.stdout.contains("Cfm3LoginHSM returned: 0x40000049"), "{}", refused.stdout);
    assert!(!refused.stdout.contains("FindKey"), "{}", refused.stdout);
    run(&mut keys(&[&login[..], &["-hpswd", "findKey"]].concat()), "crypto12\n").with_code(0);
    let script = |lines: &str| run(&mut keys(&["--dev-dir", &dir]), lines);
    let played =
        script("# a story\nloginHSM -u CU -s alice -p crypto12\nfindKey\nexit\nnever\n").with_code(0);
    assert!(played.stdout.contains("\nCommand:  loginHSM -u CU -s alice -p ********\n"), "{}", played.stdout);
    assert!(!played.stdout.contains("crypto12") && !played.stdout.contains("never"), "{}", played.stdout);
    script("findKey\n").with_code(1);
    for wrong in [&["--dev-dir", &dir, "singlecmd"][..], &["/no/such/file"], &["--dev-dir", &dir, "a.cfg"]] {
        run(&mut keys(wrong), "").with_code(2);
    }
}

#[test]
fn a_script_file_runs_line_by_line_and_its_failures_have_line_numbers() {
    let kept = Kept::new("1");
    let (dir, file) = (kept.dir(), kept.path("script"));
    let script = |lines: &str| {
        fs::write(&file, lines).unwrap();
        run(&mut keys(&["--dev-dir", &dir, "scriptfile", &file]), "")
    };
    let played =
        script("# a story\n login -u CU -s alice -hpswd\ncrypto12\n  # more\nfindKey\n").with_code(0);
    assert!(played.stdout.contains("\nCommand:  findKey\n"), "{}", played.stdout);
    assert!(
        !played.stdout.contains("Help Commands") && !played.stdout.contains("crypto12"),
        "{}",
        played.stdout
    );
    let failed = script("# a story\n\ngenKey -t 31 -p secret12\nquit\nnever\n").with_code(1);
    assert!(failed.stderr.contains(&format!("{file}:3: genKey failed")), "{}", failed.stderr);
    assert!(failed.stdout.contains("Unknown command: genKey -t 31 -p ********\n"), "{}", failed.stdout);
    assert!(!failed.stdout.contains("never"), "{}", failed.stdout);
    for wrong in [&["scriptfile"][..], &["scriptfile", "/no/such/file"], &["scriptfile", &file, "more"]] {
        run(&mut keys(&[&["--dev-dir", &dir], wrong].concat()), "").with_code(2);
    }
}

#[test]
fn the_originals_name_may_stand_before_singlecmd() {
    let kept = Kept::new("1");
    let dir = kept.dir();
    for name in ["Cfm3Util", "Cfm2Util"] {
        let command = ["--dev-dir", &dir, name, "singlecmd"];
        let found = run(&mut keys(&[&command[..], &LOGIN, &["findKey"]].concat()), "").with_code(0);
        assert!(found.stdout.contains("Cfm3FindKey returned: 0x00"), "{}", found.stdout);
        let unread = run(&mut keys(&[name, "singlecmd", "findKey"]), "").with_code(2);
        assert!(
            unread.stderr.contains("/opt/cloudhsm/etc/cloudhsm_client.cfg: No such file"),
            "{}",
            unread.stderr
        );
        // Anywhere else it is a file.
        let unread = run(&mut keys(&[name]), "").with_code(2);
        assert!(unread.stderr.contains(&format!("{name}: No such file")), "{}", unread.stderr);
    }
}

#[test]
fn a_variable_chooses_the_words_of_find_key() {
    let kept = Kept::new("1");
    let dir = kept.dir();
    let words: Vec<&str> =
        ["--dev-dir", &dir, "singlecmd"].into_iter().chain(LOGIN).chain(["findKey"]).collect();
    let find = |build: &str| run(keys(&words).env("CLOUDHSM_KMU_BUILD", build), "");
    for build in ["", "A"] {
        let found = find(build).with_code(0).stdout;
        assert!(found.contains("\nTotal number of keys present 0\n"), "{found}");
    }
    let found = find("B").with_code(0).stdout;
    assert!(found.contains("\n\tTotal number of keys present: 0\n"), "{found}");
    let refused = find("C").with_code(2);
    assert_eq!(refused.stderr, "key_mgmt_util: CLOUDHSM_KMU_BUILD: C is not A or B\n");
    let help = run(&mut keys(&["--help"]), "").with_code(0).stdout;
    assert!(help.contains("  CLOUDHSM_KMU_BUILD  "), "{help}");
}

#[test]
fn a_masked_key_moves_within_its_clone_family_only_and_an_officer_may_move_it() {
    let (kept, other) = (Kept::new("2"), Kept::new("1"));
    let file = kept.path("masked");
    kept.single("genSymKey -t 31 -s 32 -l aes -nex").with_code(0);
    kept.single(&format!("extractMaskedObject -o 6 -out {file}")).with_code(0);
    let foreign = other.single(&format!("insertMaskedObject -f {file}")).with_code(1);
    assert!(
        foreign.stdout.contains("The masked object belongs to another clone family"),
        "{}",
        foreign.stdout
    );
    let dir = kept.dir();
    let officer = ["--dev-dir", &dir, "singlecmd", "loginHSM", "-u", "CO", "-s", "admin", "-p", "officer123"];
    let insert = ["insertMaskedObject", "-f", &file];
    let inserted = run(&mut keys(&[&officer[..], &insert].concat()), "").with_code(0);
    assert!(inserted.stdout.contains("\tNew Key Handle: 7\n"), "{}", inserted.stdout);
    kept.single("findSingleKey -k 7").with_code(0);
    run(&mut keys(&[&officer[..], &["findKey"]].concat()), "").with_code(255);
}

#[test]
fn the_originals_file_names_one_hsm_and_all_are_found() {
    let cluster = Cluster::activated(3);
    let config = cluster.write_client_config(1, 3);
    let words = [text(&config), "singlecmd"].into_iter().chain(LOGIN);
    let mut words: Vec<&str> = words.chain("genSymKey -t 31 -s 32 -l aes".split(' ')).collect();
    let unreached = run(&mut keys(&words), "").with_code(255);
    assert!(unreached.stderr.contains(&cluster.address(1)), "{}", unreached.stderr);
    let mut daemons: Vec<Process> = (0..3).map(|node| cluster.run_hsm(node)).collect();
    cluster.play("loginHSM CO admin officer123\ncreateUser CU alice crypto12\ny\n").with_code(0);
    let made = run(&mut keys(&words), "").with_code(0);
    assert_eq!(made.stdout.matches("err state 0x00000000").count(), 6, "{}", made.stdout);
    drop(daemons.remove(0));
    let rolled_back = run(&mut keys(&words), "").with_code(1);
    assert!(
        rolled_back.stdout.contains("\tCouldn't verify key sync on 3 servers\n"),
        "{}",
        rolled_back.stdout
    );
    let consoles = cluster.config();
    words[0] = text(&consoles);
    let kept = run(&mut keys(&words), "").with_code(1);
    assert!(kept.stdout.contains("Symmetric Key Created.") && !kept.stdout.contains("Rolling back"));
    assert_eq!(kept.stdout.matches("err state 0x30000085").count(), 2, "{}", kept.stdout);
}

#[test]
fn openssl_reads_the_public_keys_and_agrees_on_their_check_values() {
    must_be_installed("openssl");
    let kept = Kept::new("1");
    for (make, kind) in [
        ("genRSAKeyPair -m 2048 -e 65537 -l rsa", Kind::Rsa),
        ("genECCKeyPair -i 2 -l p256", Kind::Ec("prime256v1")),
        ("genECCKeyPair -i 14 -l p384", Kind::Ec("secp384r1")),
        ("genECCKeyPair -i 15 -l p521", Kind::Ec("secp521r1")),
        ("genECCKeyPair -i 16 -l k256", Kind::Ec("secp256k1")),
    ] {
        let made = kept.single(make).with_code(0);
        let handle = made.stdout.split("public key handle: ").nth(1).unwrap().split(' ').next().unwrap();
        let attribute = |number| {
            let file = kept.path("attribute");
            kept.single(&format!("getAttribute -o {handle} -a {number} -out {file}")).with_code(0);
            fs::read_to_string(file).unwrap().lines().nth(1).unwrap().to_owned()
        };
        let hash = public_key_hash(kept.home.path(), &kind, &attribute("288"));
        assert_eq!(attribute("371"), format!("0x{}", &hash[..6]), "{make}");
    }
}

enum Kind {
    Rsa,
    Ec(&'static str),
}

/// SHA-1 of the public key with this modulus, or point, after openssl has checked it.
fn public_key_hash(folder: &Path, kind: &Kind, modulus: &str) -> String {
    let key = match kind {
        Kind::Rsa => format!(
            "algorithm=SEQUENCE:rsa\nkey=BITWRAP,SEQUENCE:numbers\n[rsa]\noid=OID:rsaEncryption\nnone=NULL\n\
             [numbers]\nn=INTEGER:0x{modulus}\ne=INTEGER:65537\n"
        ),
        Kind::Ec(curve) => format!(
            "algorithm=SEQUENCE:ec\nkey=FORMAT:HEX,BITSTRING:{modulus}\n[ec]\noid=OID:id-ecPublicKey\n\
             curve=OID:{curve}\n"
        ),
    };
    fs::write(folder.join("key.cnf"), format!("asn1=SEQUENCE:key\n[key]\n{key}")).unwrap();
    openssl(folder, &["asn1parse", "-genconf", "key.cnf", "-noout", "-out", "key.der"]);
    openssl(folder, &["pkey", "-pubin", "-inform", "DER", "-in", "key.der", "-pubcheck", "-noout"]);
    let hashed = openssl(folder, &["dgst", "-sha1", "-r", "key.der"]);
    hashed.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_timeout_bounds_the_wait_for_a_server_that_is_stopped() {
    let cluster = Cluster::activated(2);
    let (first, second) = (cluster.run_hsm(0), cluster.run_hsm(1));
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    let mut tool = Process::start(&mut keys(&[text(&cluster.config())]));
    tool.send("loginHSM -u CU -s alice -p crypto12\n");
    tool.wait_for("Node id 1 and err state 0x00000000");
    second.signal("-STOP");
    let start = Instant::now();
    tool.send("genSymKey -t 31 -s 32 -l some -min_srv 2 -timeout 2\n");
    tool.wait_for("Rolling back");
    // Less than an answer may take without a timeout: 30 s.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    second.signal("-CONT");
    let ended = tool.end().with_code(1);
    assert!(ended.stdout.contains("Couldn't verify key sync on 2 servers"), "{}", ended.stdout);
    drop(first);
}

/// Taken for a command, it would be in a CI log.
#[test]
fn a_password_that_no_command_asks_for_is_not_shown_and_not_run() {
    let kept = Kept::new("1");
    let dir = kept.dir();
    for line in [
        "loginHSM -u CU -hpswd",
        "loginHSM -u XX -s alice -hpswd",
        "loginHSM -u CU -s alice -hpswd -h",
        "genPBEKey -c 1000 -hpswd -s 1 -l x",
    ] {
        let script = format!("{line}\nhidden12\n# more\nloginStatus\n");
        let ended = run(&mut keys(&["--dev-dir", &dir]), &script);
        assert!(!ended.stdout.contains("hidden12") && !ended.stderr.contains("hidden12"), "{}", ended.stdout);
        assert!(ended.stdout.contains("Command:  loginStatus\n"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("Unknown command"), "{}", ended.stdout);
    }
    // Where a password is chosen it stands there twice.
    let script = "createUser CU -hpswd\nhidden12\nhidden12\nlistUsers\n";
    let ended = run(&mut console(&["--dev", "1", "--dev-dir", &dir]), script);
    assert!(!ended.stdout.contains("hidden12"), "{}", ended.stdout);
    assert!(ended.stdout.contains("listUsers\nUsers on server 0"), "{}", ended.stdout);
}

#[test]
fn an_interrupt_while_copying_is_tried_again_deletes_the_key() {
    let cluster = Cluster::activated(2);
    let (first, second) = (cluster.run_hsm(0), cluster.run_hsm(1));
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\ny\n")).with_code(0);
    // Whatever runs the tests may ignore the signal, which they would inherit.
    let mut attentive = Command::new("env");
    attentive.args(["--default-signal=INT", env!("CARGO_BIN_EXE_key_mgmt_util")]);
    let mut tool = Process::start(attentive.arg(cluster.config()));
    tool.send("loginHSM -u CU -s alice -p crypto12\n");
    tool.wait_for("Node id 1 and err state 0x00000000");
    second.kill();
    tool.send("genSymKey -t 31 -s 32 -l some -min_srv 2 -timeout 600\n");
    tool.wait_for("Checking key status (1 seconds)..");
    tool.signal("-INT");
    tool.wait_for("Rolling back");
    let ended = tool.wait();
    assert!(!ended.stdout.contains("may be left on node id 0"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Cfm3DeleteKey returned: 0x00"), "{}", ended.stdout);
    drop(first);
}

#[test]
fn no_command_overwrites_a_file_that_it_reads() {
    let kept = Kept::new("1");
    kept.single("genSymKey -t 31 -s 32 -l wrapping").with_code(0);
    kept.single("genSymKey -t 31 -s 32 -l value").with_code(0);
    let (data, out) = (kept.path("data"), kept.path("out"));
    fs::write(&data, "0123456789abcdef").unwrap();
    for command in [
        format!("aesWrapUnwrap -f {data} -w 6 -m 1 -out {data}"),
        format!("aesWrapUnwrap -f {data} -w 99 -m 1 -out {data}"),
        format!("exSymKey -k 7 -w 6 -wk {data} -out {data}"),
        format!("wrapKey -k 7 -w 6 -m 10 -noheader -out {out} -iv_file {out}"),
        "exSymKey -k 7 -w 6 -out -wk".to_owned(),
    ] {
        kept.single(&command).with_code(1);
        assert_eq!(fs::read_to_string(&data).unwrap(), "0123456789abcdef", "{command}");
        assert!(!fs::exists(&out).unwrap(), "{command}");
    }
    // What was there before a failure stays, and what is secret is the owner's.
    fs::write(&out, "earlier").unwrap();
    kept.single(&format!("aesWrapUnwrap -f {data} -w 6 -m 0 -out {out}")).with_code(1);
    assert_eq!(fs::read_to_string(&out).unwrap(), "earlier");
    kept.single(&format!("exSymKey -k 7 -w 6 -out {out}")).with_code(0);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn each_of_three_hsms_describes_itself() {
    let kept = Kept::new("3");
    for (command, what) in [("getHSMInfo", "HSM"), ("getPartitionInfo", "Partition")] {
        let shown = kept.single(command).with_code(0).stdout;
        for node in 0..3 {
            let title = format!("*** Node {node} {what} Info ***");
            assert_eq!(shown.matches(&title).count(), 1, "{shown}");
        }
    }
}
