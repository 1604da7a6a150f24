//! One question to one server, from the program's start to its end.

use super::hsms::Hsms;
use super::process::run;
use super::redis::{MISSING, Redis};
use super::rounds::{Comparison, Row, time_each};

const WHAT: &str = "one-shot `listUsers`, start to exit";

pub(crate) fn compare() -> Vec<Row> {
    let Some(redis) = Redis::start() else { return vec![Row::Skipped { what: WHAT, missing: MISSING }] };
    let hsms = Hsms::start(1, 91);
    let ours = || time_each(10, || run(hsms.console().args(["-c", "listUsers"])));
    let theirs = || time_each(10, || run(redis.client().arg("ping")));
    let peer = "`redis-cli --tls ping`";
    vec![Comparison { what: WHAT, peer, budget: Some(1.0), rounds: 15 }.run(ours, theirs)]
}
