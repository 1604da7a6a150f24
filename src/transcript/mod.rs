//! Transcripts: one text that is both script and expectation.
//!
//! What stands behind a prompt or a question is typed there; everything else is what the console should print.
//! Lines that begin with `#` are remarks, `#!` are stage directions for whoever plays them. In an expected line `[..]`
//! stands for anything, and `[=name]` for the same at each place; a line `[caution]` stands for the banner before a
//! change.

mod pattern;
mod player;

use std::rc::Rc;

use similar::TextDiff;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::cmu::Session;
use crate::interrupt::Interrupt;
use crate::shell::{self, OnError, Unreachable};

pub use pattern::with_wildcards;
pub use player::{Player, Stage};

/// The banner is part of a transcript that has this line.
const BANNER: &str = "Connecting to the server(s), it may take time";

/// Plays a transcript on a cluster, and returns it as it should read: the expectation, if the console does what it
/// says.
///
/// # Errors
///
/// The first stage direction that was not obeyed, and why.
pub fn play(
    expected: &str,
    stage: impl Stage,
    cluster: Cluster,
    interrupt: Interrupt,
    runtime: Rc<Runtime>,
) -> Result<String, String> {
    let mut player = Player::new(expected, stage);
    player.read_remarks();
    let (text, trouble) = (player.text(), player.trouble());
    let before = text.borrow().len();
    let mut session = Session::new(&mut player, cluster, interrupt, runtime);
    let started = shell::start_up(&mut session, false, Unreachable::GiveUp);
    if started && !expected.lines().any(|line| line == BANNER) {
        text.borrow_mut().truncate(before);
    }
    if started {
        shell::run(&mut session, OnError::Continue);
    }
    drop(session);
    match trouble.take() {
        Some(trouble) => Err(trouble),
        None => Ok(with_wildcards(expected, &text.take())),
    }
}

/// A unified diff; empty if the two are equal.
#[must_use]
pub fn diff(expected: &str, printed: &str, name: &str) -> String {
    let diff = TextDiff::from_lines(expected, printed);
    diff.unified_diff().header(name, &format!("{name} as played")).to_string()
}
