//! Many read-only lines on standard input, each answered before the next is sent.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::hsms::Hsms;
use super::process::run;
use super::redis::{MISSING, Redis};
use super::rounds::{Comparison, Row};

const WHAT: &str = "a piped read-only line (three users listed)";

const LINES: u32 = 5000;

pub(crate) fn compare() -> Vec<Row> {
    let Some(redis) = Redis::start() else { return vec![Row::Skipped { what: WHAT, missing: MISSING }] };
    let hsms = Hsms::start(1, 92);
    redis.hold_users(&mut hsms.console());
    let (ours, theirs) = (hsms.path().join("ours.txt"), hsms.path().join("theirs.txt"));
    fs::write(&ours, "listUsers\n".repeat(LINES as usize)).unwrap();
    fs::write(&theirs, "LRANGE users 0 -1\n".repeat(LINES as usize)).unwrap();
    let peer = "`redis-cli --tls`, `LRANGE` of the same rows";
    let comparison = Comparison { what: WHAT, peer, budget: Some(1.0), rounds: 15 };
    vec![comparison.run(|| feed(&mut hsms.console(), &ours), || feed(&mut redis.client(), &theirs))]
}

fn feed(command: &mut Command, lines: &Path) -> Duration {
    let start = Instant::now();
    run(command.stdin(File::open(lines).unwrap()));
    start.elapsed() / LINES
}
