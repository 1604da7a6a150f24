//! Plays the commands of a page, with the programs under test and on addresses of its own.

use std::path::Path;
use std::process::Command;

use crate::page::Page;

/// What the pages run.
pub(crate) const PROGRAMS: [&str; 4] = ["cloudhsm_mgmt_util", "key_mgmt_util", "configure", "hsmd"];

/// One of [`PROGRAMS`], as cargo has built it.
pub(crate) fn program(name: &str) -> Command {
    Command::new(folder().join(name))
}

/// Runs those lines of a page that `runs` names, and returns what each of its blocks printed.
pub(crate) fn play(number: usize, page: &Page, runs: impl Fn(&str) -> bool) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let place = Place { home: home.path().display().to_string(), number: place_number(number) };
    let scripts = page.blocks.iter().map(|block| {
        let lines = block.script.lines().filter(|line| runs(line));
        place.here(&lines.map(|line| format!("{line}\n")).collect::<String>())
    });
    let script: String =
        scripts.enumerate().map(|(block, script)| format!("{script}echo {}", end(block))).collect();
    let mut printed = place.documented(&run(&script));
    let mut blocks = Vec::new();
    for block in 0..page.blocks.len() {
        let (before, after) = printed.split_once(&end(block)).unwrap();
        blocks.push(before.to_owned());
        printed = after.to_owned();
    }
    blocks
}

fn end(block: usize) -> String {
    format!("--- end of block {block} ---\n")
}

/// No two pages get the same, in this process or soon in another one.
fn place_number(page: usize) -> u32 {
    std::process::id().wrapping_mul(32).wrapping_add(u32::try_from(page).unwrap()) % 6000
}

/// Files and addresses that are not those of the documentation.
struct Place {
    home: String,
    number: u32,
}

impl Place {
    /// A page as it is run: `127.0.1.` and the nets that follow are replaced, and the net that is not named is named.
    fn here(&self, script: &str) -> String {
        let mut here = script.replace("cargo run --release --", "cloudhsm_mgmt_util");
        here = here.lines().map(with_net).collect();
        here = here.replace("--metrics ", "--metrics 127.0.0.1:9225 ");
        for (documented, own) in self.nets() {
            here = here.replace(&documented, &own);
        }
        waiting(&here.replace("/tmp/", &format!("{}/", self.home)), &self.home)
    }

    /// The reverse, for what was printed.
    fn documented(&self, printed: &str) -> String {
        let mut documented = printed.replace(&self.home, "/tmp");
        for (net, own) in self.nets() {
            documented = documented.replace(&own, &net);
        }
        documented
    }

    fn nets(&self) -> impl Iterator<Item = (String, String)> {
        let (high, low) = (16 + self.number / 30, self.number % 30 * 8);
        (0..8).map(move |net| (format!("127.0.{net}."), format!("127.{high}.{}.", low + net)))
    }
}

/// Where a person waits a second for a daemon, waits until its log says that it is ready.
fn waiting(script: &str, home: &str) -> String {
    let mut waiting = String::new();
    for part in script.split_inclusive("&\nsleep 1\n") {
        let Some(start) = part.strip_suffix("&\nsleep 1\n") else {
            waiting.push_str(part);
            continue;
        };
        waiting.push_str(&format!(
            "log=$(mktemp -p {home})\n{start}2> $log &\n\
             for _ in {{1..600}}; do grep -qw ready $log && break; sleep 0.1; done\n"
        ));
    }
    waiting
}

fn with_net(line: &str) -> String {
    match line.strip_prefix("hsmd cluster init ") {
        Some(options) if !options.contains("--net ") => {
            format!("hsmd cluster init --net 127.0.1.0 {options}\n")
        }
        Some(_) | None => format!("{line}\n"),
    }
}

/// Runs a script with the programs in the path, and returns what it prints.
fn run(script: &str) -> String {
    let path = format!("{}:{}", folder().display(), std::env::var("PATH").unwrap());
    // A daemon left behind would hold the output open, and this test up. `kill %1` wants job control.
    let script = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    let ran = Command::new("bash").args(["-emc", &script]).env("PATH", path).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{script}\n{stdout}{stderr}");
    stdout
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_hsmd")).parent().unwrap()
}
