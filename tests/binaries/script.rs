//! What automation needs: commands from options and files, where one failed, passwords that no line shows, and JSON.

use std::fs;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{Ended, Process, console, run, text};

/// A password that must not be seen anywhere.
const CANARY: &str = "canary-password-77";

#[test]
fn a_file_stops_at_its_first_failure_and_says_where_it_was() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let file = cluster.path("commands.txt");
    fs::write(&file, "# a remark\n\nlistUsers\ngetMValue 3\nlistUsers\n").unwrap();
    let file = text(&file);
    let stopped = play(&cluster, &["-f", file], "").with_code(1);
    assert_eq!(stopped.stdout.matches("Number of users found").count(), 1, "{}", stopped.stdout);
    assert_eq!(stopped.stderr, format!("{file}:4: getMValue failed\n"));
    let continued = play(&cluster, &["-f", file, "--on-error", "continue"], "").with_code(1);
    assert_eq!(continued.stdout.matches("Number of users found").count(), 2, "{}", continued.stdout);
    let options = play(&cluster, &["-c", "listUsers", "-c", "xyzzy", "-c", "listUsers"], "").with_code(1);
    assert_eq!(options.stderr, "-c:2: the command failed\n");
    let piped = play(&cluster, &["--on-error", "stop"], "\nxyzzy\nlistUsers\n").with_code(1);
    assert!(!piped.stdout.contains("Number of users found"), "{}", piped.stdout);
    assert_eq!(piped.stderr, "stdin:2: the command failed\n");
    for (arguments, why) in [
        (&["-f", "/none"][..], "/none: No such file or directory"),
        (&["-f", "/"], "/: is a directory"),
        (&["-f", "/none", "-c", "listUsers"], "cannot be used with"),
    ] {
        let wrong = play(&cluster, arguments, "").with_code(2);
        assert!(wrong.stderr.contains(why) && wrong.stdout.is_empty(), "{}", wrong.stderr);
    }
}

#[test]
fn yes_answers_the_caution_and_nothing_else() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let create = "createUser CU alice crypto12";
    let created = play(&cluster, &["--yes", "-c", &login, "-c", create, "-c", "listUsers"], "").with_code(0);
    assert!(
        created.stdout.contains("continue(y/n)?y\nCreating User alice(CU) on 2 nodes\n"),
        "{}",
        created.stdout
    );
    let again = play(&cluster, &["--yes", "-c", &login, "-c", create, "-c", "A"], "").with_code(1);
    assert!(again.stdout.contains("Retry/Ignore/Abort?(R/I/A):A\n"), "{}", again.stdout);
}

#[test]
fn passwords_come_from_where_no_line_shows_them() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let file = cluster.path("password");
    fs::write(&file, format!("{CANARY}\nnot this line\n")).unwrap();
    let file = text(&file);
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let create = format!("createUser CU alice -file {file}");
    play(&cluster, &["-y", "-c", &login, "-c", &create], "").with_code(0);
    let ways = [
        "loginHSM CU alice -env CANARY",
        &format!("loginHSM CU alice -file {file}"),
        "loginHSM CU alice -fd 7",
    ];
    for way in ways {
        let mut shell = Command::new("bash");
        shell.args(["-c", "\"$0\" \"$1\" -c \"$2\" 7< <(echo \"$CANARY\")"]).env("CANARY", CANARY);
        shell
            .args([env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), text(&cluster.config()), way])
            .env("RUST_LOG", "trace");
        let done = run(&mut shell, "").with_code(0);
        assert!(done.stdout.contains(&format!("aws-cloudhsm>{way}\nloginHSM success")), "{}", done.stdout);
        assert!(!done.stdout.contains(CANARY) && !done.stderr.contains(CANARY), "{way}");
    }
    for (way, why) in [
        ("-env NOT_THERE", "No password: environment variable NOT_THERE is unset, empty or not UTF-8\n"),
        ("-env EMPTY", "No password: environment variable EMPTY is unset, empty or not UTF-8\n"),
        ("-file /dev/null", "No password: /dev/null: empty\n"),
        ("-file /none", "No password: /none: No such file or directory\n"),
        ("-file /", "No password: /: Is a directory\n"),
        ("-fd 99", "No password: /dev/fd/99: No such file or directory\n"),
        ("-fd x", "loginHSM failed: \"x\" is not a number\n"),
        ("-file", "loginHSM failed: path of the password file is missing\n"),
    ] {
        let config = cluster.config();
        let mut console = console(&[text(&config), "-c", &format!("loginHSM CU alice {way}")]);
        let refused = run(console.env("EMPTY", ""), "").with_code(1);
        assert!(refused.stdout.contains(why), "{}", refused.stdout);
        assert!(!refused.stdout.contains("LOGIN_FAILURE"), "no HSM is asked: {}", refused.stdout);
    }
}

/// Of a pipe and of a file: one line after the other. Standard input has them only if it has no commands.
#[test]
fn an_open_file_gives_one_password_after_the_other() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let (passwords, config) = (cluster.path("passwords"), cluster.config());
    fs::write(&passwords, format!("{CO_PASSWORD}\r\n{CANARY}\n{CANARY}")).unwrap();
    let lines = ["loginHSM CO admin -fd N", "createUser CU alice -fd N", "loginHSM CU alice -fd N"];
    for (number, open) in [("7", "7< \"$0\""), ("7", "7< <(cat \"$0\")"), ("0", "< \"$0\"")] {
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("exec \"$@\" {open}"), text(&passwords)]);
        shell.args([env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), text(&config), "--yes"]);
        let lines = lines.map(|line| line.replace('N', number));
        let played = run(shell.args(lines.iter().flat_map(|line| ["-c", line])), "").with_code(0);
        assert_eq!(played.stdout.matches(" success on server 0").count(), 3, "{}", played.stdout);
        run(
            &mut console(&[
                text(&config),
                "--yes",
                "-c",
                &format!("loginHSM CO admin {CO_PASSWORD}"),
                "-c",
                "deleteUser CU alice",
            ]),
            "",
        )
        .with_code(0);
    }
    let played = cluster.play(&format!("loginHSM CO admin -fd 0\n# {CO_PASSWORD}\n")).with_code(1);
    let refused = "No password: standard input carries the commands; use -hpswd to read its next line\n";
    assert!(played.stdout.contains(refused), "{}", played.stdout);
    let played = cluster.play("loginHSM CO admin -file /dev/stdin\n").with_code(1);
    assert!(played.stdout.contains(refused), "{}", played.stdout);
}

/// Whoever writes to a pipe may never come.
#[test]
fn waiting_for_a_password_can_be_interrupted() {
    let cluster = Cluster::new(1);
    let _daemon = cluster.run();
    let (pipe, config) = (cluster.path("pipe"), cluster.config());
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let login = format!("loginHSM PRECO admin -file {}", text(&pipe));
    let mut console = Process::start(&mut console(&[text(&config), "-c", &login]));
    console.wait_for(&format!("{login}\n"));
    console.wait_until_asleep();
    console.signal("-TERM");
    assert_eq!(
        console.wait_for(".\n"),
        "No password: interrupted\ndisconnecting from servers, please wait.."
    );
    assert_eq!(console.wait().signal, Some(15));
}

/// Where nobody answers, the reason is told, and a row for each server says that it was not asked.
#[test]
fn what_the_input_does_not_say_is_told() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    for (lines, why) in [
        (&["loginHSM CO admin -hpswd"][..], "No password: the input has ended"),
        (&["loginHSM CO admin -hpswd", "", ""], "No password: the input has ended"),
        (&[&login, "createUser CU alice crypto12"], "Not confirmed: the input has ended"),
        (&[&login, "listUsers now"], "listUsers failed: too many arguments"),
    ] {
        let options: Vec<&str> = lines.iter().flat_map(|line| ["-c", line]).collect();
        let played = play(&cluster, &options, "").with_code(1);
        assert!(played.stdout.contains(&format!("{why}\n")), "{}", played.stdout);
        let data = play(&cluster, &[&options[..], &["--output", "json"]].concat(), "").with_code(1);
        let last = objects(&data).pop().unwrap();
        assert!(last["text"].as_array().unwrap().contains(&why.into()), "{last}");
        let outcomes: Vec<_> =
            last["servers"].as_array().unwrap().iter().map(|row| &row["outcome"]).collect();
        assert_eq!(outcomes, ["not_attempted"; 2], "{last}");
    }
}

/// It is no failure, and all the same not done: the words say why.
#[test]
fn a_change_that_nobody_wants_is_told_in_data() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let lines = format!("loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice crypto12\nn\n");
    let played = play(&cluster, &["--output", "json"], &lines).with_code(0);
    let last = objects(&played).pop().unwrap();
    assert_eq!(
        (&last["ok"], &last["servers"][0]["outcome"]),
        (&true.into(), &"not_attempted".into()),
        "{last}"
    );
    assert!(last["text"].to_string().contains("CAUTION"), "{last}");
}

#[test]
fn a_line_that_is_no_text_is_told_in_every_way() {
    let cluster = Cluster::new(1);
    let _daemon = cluster.run();
    let file = cluster.path("latin");
    fs::write(&file, b"listUsers\nloginHSM CO m\xfcller pw\nlistUsers\n").unwrap();
    for (arguments, name) in [(&["-f", text(&file)][..], text(&file)), (&["--on-error", "stop"], "stdin")] {
        for output in ["text", "json"] {
            let config = cluster.config();
            let mut console = console(&[&[text(&config), "--output", output], arguments].concat());
            let input = if name == "stdin" {
                fs::File::open(&file).unwrap()
            } else {
                fs::File::open("/dev/null").unwrap()
            };
            let played = console.stdin(input).output().unwrap();
            let (stdout, stderr) =
                (String::from_utf8(played.stdout).unwrap(), String::from_utf8(played.stderr).unwrap());
            assert_eq!(played.status.code(), Some(1), "{stdout}");
            assert_eq!(stderr, format!("{name}:2: the command failed\n"));
            assert!(stdout.contains("Line ignored: not valid UTF-8"), "{stdout}");
        }
    }
}

/// `info` is about connections: a server that has none makes it partial, and its row still has what is known of it.
#[test]
fn info_of_a_server_that_is_gone_is_partial() {
    let cluster = Cluster::new(2);
    let _daemon = cluster.run_hsm(0);
    let played = play(&cluster, &["--allow-unreachable", "--output", "json", "-c", "info"], "").with_code(4);
    let info = objects(&played).pop().unwrap();
    assert_eq!((&info["ok"], &info["outcome"]), (&false.into(), &"partial".into()), "{info}");
    let rows = &info["servers"];
    assert_eq!((&rows[0]["outcome"], &rows[0]["data"]["connected"]), (&"ok".into(), &true.into()), "{info}");
    assert_eq!(
        (&rows[1]["outcome"], &rows[1]["data"]["connected"]),
        (&"not_reached".into(), &false.into()),
        "{info}"
    );
}

#[test]
fn each_command_is_one_line_of_the_published_schema() {
    let cluster = Cluster::activated(2);
    let daemons = [cluster.run_hsm(0), cluster.run_hsm(1)];
    let commands = format!(
        "loginHSM CO admin {CO_PASSWORD}\ncreateUser CU alice {CANARY}\ny\nlistUsers\ninfo\ngetHSMInfo\ngetClusterInfo\n\
         getMValue 3\nfindAllKeys 0 1\nlistTokens\nserver 1\ninfo server 0\ngetCert {} 4\nexit\nhelp\nlistAttributes\n\
         createUser CU alice {CANARY}\ny\nA\nnonsense\n\nlistUsers now\nquit\n",
        text(&cluster.path("certificate")),
    );
    let played = play(&cluster, &["--output", "json"], &commands).with_code(1);
    let lines = objects(&played);
    let names: Vec<_> = lines.iter().map(|line| line["command"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["loginHSM", "createUser", "listUsers", "info"]);
    assert_eq!(names.last(), Some(&"quit"));
    assert_eq!(lines.len(), commands.lines().filter(|line| !["", "y", "A"].contains(line)).count());
    assert!(!played.stdout.contains(CANARY), "{}", played.stdout);
    assert_eq!(lines[2]["servers"][1]["data"]["users"][2]["name"], "alice");
    assert_eq!(lines[10]["scope"]["server"], 1, "{}", lines[10]);
    // What the rows contain is not in the text as well; a command that asks no HSM has no rows.
    assert_eq!(lines[2]["text"], json!([]), "{}", lines[2]);
    let help = lines.iter().find(|line| line["command"] == "help").unwrap();
    assert_eq!(help["servers"], json!([]), "{help}");
    assert_ne!(help["text"], json!([]), "{help}");
    let refused = lines.iter().rfind(|line| line["command"] == "createUser").unwrap();
    assert_eq!(refused["servers"][0]["outcome"], "refused");
    assert_eq!(refused["servers"][0]["text"], "HSM Error: This user is already created");
    drop(daemons);
}

/// The servers that are not reached have their rows, too, also if the session does not begin.
#[test]
fn who_is_missing_has_a_row() {
    let cluster = Cluster::activated(2);
    let daemon = cluster.run_hsm(0);
    let json = ["--output", "json"];
    let started = play(&cluster, &json, "listUsers\n").with_code(3);
    let started = objects(&started);
    let outcomes =
        |line: &Value| [0, 1].map(|at| line["servers"][at]["outcome"].as_str().unwrap().to_owned());
    assert_eq!((started.len(), started[0]["command"].as_str()), (1, Some("start")));
    assert_eq!(outcomes(&started[0]), ["ok", "not_reached"]);
    let partly = play(&cluster, &[&json[..], &["--allow-unreachable"]].concat(), "listUsers\n").with_code(4);
    let partly = objects(&partly);
    assert_eq!(partly[0]["outcome"], "partial");
    assert_eq!(outcomes(&partly[0]), ["ok", "not_reached"]);
    drop(daemon);
}

#[test]
fn what_differs_and_what_was_copied_has_rows() {
    let cluster = Cluster::activated(2);
    let _daemon = cluster.run();
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let create =
        [login.as_str(), "server 0", "createUser CU alice crypto12"].map(|line| ["-c", line]).concat();
    play(&cluster, &[&["--yes"], &create[..]].concat(), "").with_code(0);
    let lines = [login.as_str(), "compareHSM 0", "server 0", "syncHSM all", "exit", "compareHSM"];
    let lines = lines.map(|line| ["-c", line]).concat();
    let options = ["--yes", "--output", "json", "--on-error", "continue"];
    let played = objects(&play(&cluster, &[&options[..], &lines[..]].concat(), "").with_code(4));
    let states = json!([{ "servers": [0], "present": true }, { "servers": [1], "present": false }]);
    let user = json!({ "type": "CU", "name": "alice" });
    assert_eq!(played[1]["differences"], json!([{ "user": user, "states": states }]));
    assert_eq!(played[1]["plan"], json!([{ "server": 1, "lines": ["syncUser 3 1"], "left": [] }]));
    assert_eq!((&played[1]["outcome"], &played[1]["ok"]), (&json!("different"), &json!(false)));
    let synced = &played[3]["servers"][1]["data"];
    assert_eq!((&synced["copied_users"], &synced["alike"]), (&json!(1), &json!(true)), "{}", played[3]);
    assert_eq!((&played[5]["outcome"], &played[5]["differences"]), (&json!("ok"), &json!([])));
}

/// The first server is gone, and nobody goes on without it: what the others said to the rehearsal counts all the same.
#[test]
fn a_change_that_ends_at_the_first_server_has_the_answers_of_all() {
    let cluster = Cluster::new(3);
    let _daemons = [1, 2].map(|node| cluster.run_hsm(node));
    let arguments = ["--allow-unreachable", "--output", "json", "-c", "deleteUser CU alice"];
    let ended = play(&cluster, &arguments, "").with_code(1);
    let object = &objects(&ended)[0];
    let outcomes = object["servers"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["not_reached", "refused", "refused"], "{object}");
    assert_eq!(object["outcome"], "failed", "{object}");
}

/// Simply to run it again is right only for a command that reached no server.
#[test]
fn a_change_that_one_server_agreed_to_has_reached_it() {
    let cluster = Cluster::activated(2);
    let json = ["--allow-unreachable", "--on-error", "continue", "--yes", "--output", "json"];
    let login = format!("loginHSM CO admin {CO_PASSWORD}");
    let lines = [&login, "createUser CU alice crypto12"].map(|line| ["-c", line]).concat();
    for (running, outcome) in [(0, "unreached"), (1, "failed")] {
        let daemons: Vec<_> = (0..running).map(|_| cluster.run_hsm(1)).collect();
        let ended = play(&cluster, &[&json[..], &lines[..]].concat(), "");
        let created = objects(&ended).pop().unwrap();
        assert_eq!(created["outcome"], outcome, "{created}");
        drop(daemons);
    }
}

/// A repair that finds its work done: the server counts as one that did it.
#[test]
fn a_change_that_a_server_has_made_already_is_ok_in_data() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let (login, create) = (format!("loginHSM CO admin {CO_PASSWORD}"), "createUser CU alice crypto12");
    let lines = [&login, create, "server 0", create].map(|line| ["-c", line]).concat();
    let repaired = play(&cluster, &[&["--yes", "--output", "json"], &lines[..]].concat(), "").with_code(0);
    let last = objects(&repaired).pop().unwrap();
    assert_eq!((&last["ok"], &last["servers"][0]["outcome"]), (&true.into(), &"ok".into()), "{last}");
}

fn play(cluster: &Cluster, arguments: &[&str], input: &str) -> Ended {
    let config = cluster.config();
    run(&mut console(&[&[text(&config)], arguments].concat()), input)
}

/// The lines of the output, each of which the schema allows.
fn objects(ended: &Ended) -> Vec<Value> {
    let schema: Value = serde_json::from_str(include_str!("../../schema/output.schema.json")).unwrap();
    let schema: Validator = jsonschema::validator_for(&schema).unwrap();
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .inspect(|line| {
            let wrong: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{line}: {wrong:?}");
        })
        .collect()
}
