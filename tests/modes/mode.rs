//! The ways to run a console.

use std::fs;
use std::path::Path;

use crate::cluster::Cluster;
use crate::process::{Ended, console, run, text};
use crate::session::{PROMPT, Session};

/// How the lines get to the console.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// On standard input.
    Pipe,
    /// One `-c` each.
    Options,
    /// With `-f`.
    File,
    /// On standard input, with `--output json`.
    Json,
    /// At a terminal, each when it is asked for.
    Typed,
    /// At a terminal, all at once and before the first prompt.
    Burst,
    /// At a terminal, all at once behind an editing key.
    Person,
}

/// What came of it.
pub(crate) struct Played {
    /// Standard output, or all that the terminal shows.
    pub(crate) text: String,
    /// Standard error, where it is apart; nothing at a terminal.
    pub(crate) log: String,
    /// What is kept for later sessions.
    pub(crate) kept: String,
    pub(crate) code: i32,
}

impl Mode {
    pub(crate) const ALL: [Self; 7] =
        [Self::Pipe, Self::Options, Self::File, Self::Json, Self::Typed, Self::Burst, Self::Person];

    pub(crate) fn run(self, cluster: &Cluster, lines: &[String]) -> Played {
        let input = lines.join("\n") + "\n";
        match self {
            Self::Pipe => play(cluster, &[], &input),
            Self::Options => {
                let options = lines.iter().flat_map(|line| ["-c", line]);
                play(cluster, &["--on-error", "continue"].into_iter().chain(options).collect::<Vec<_>>(), "")
            }
            Self::File => {
                let file = cluster.path("commands.txt");
                fs::write(&file, input).unwrap();
                let played = play_file(cluster, &file);
                fs::remove_file(file).unwrap();
                played
            }
            Self::Json => play(cluster, &["--output", "json"], &input),
            Self::Typed => typed(cluster, lines),
            Self::Burst => burst(cluster, lines, "\r"),
            Self::Person => person(cluster, lines),
        }
    }
}

pub(crate) fn play_file(cluster: &Cluster, file: &Path) -> Played {
    play(cluster, &["--on-error", "continue", "-f", text(file)], "")
}

fn play(cluster: &Cluster, arguments: &[&str], input: &str) -> Played {
    let config = cluster.config();
    let mut console = console(&[&[text(&config)], arguments].concat());
    // At a terminal the log would stand between the session's lines.
    let Ended { code, stdout, stderr, .. } = run(console.env("RUST_LOG", "trace"), input);
    Played { text: stdout, log: stderr, kept: String::new(), code: code.unwrap() }
}

/// Each line once its prompt or its question is there.
fn typed(cluster: &Cluster, lines: &[String]) -> Played {
    let mut session = start(cluster);
    for line in lines {
        session.wait_until(|output| ASKED.iter().any(|asked| output.ends_with(asked)));
        session.skip();
        session.send(&format!("{line}\r"));
        session.wait_for("\r\n");
    }
    end(session)
}

/// What is last when something is asked.
const ASKED: [&str; 6] = [PROMPT, "server0>", "server1>", ":", ": ", "?"];

pub(crate) fn burst(cluster: &Cluster, lines: &[String], line_end: &str) -> Played {
    let mut session = start(cluster);
    session.wait_for("onnect");
    session.send(&(lines.join(line_end) + line_end));
    end(session)
}

fn person(cluster: &Cluster, lines: &[String]) -> Played {
    let mut session = start(cluster);
    session.wait_for(PROMPT);
    session.send(&format!("x\x7f{}\r", lines.join("\r")));
    end(session)
}

fn start(cluster: &Cluster) -> Session {
    let config = cluster.config();
    let console = [env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), text(&config)];
    Session::start(&console.map(str::to_owned), "xterm")
}

fn end(mut session: Session) -> Played {
    let code = session.wait_for_end().exit_code();
    session.wait_until(|output| ENDS.iter().any(|end| output.contains(end)));
    let text = session.everything().replace("\r\n", "\n");
    let kept = session.kept("cloudhsm_mgmt_util");
    Played { text, log: String::new(), kept, code: i32::try_from(code).unwrap() }
}

/// The last words of a session.
const ENDS: [&str; 2] = ["disconnecting from servers, please wait...\r\n", "failed, exiting...\r\n"];
