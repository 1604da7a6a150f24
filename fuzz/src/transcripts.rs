//! Transcripts: the expectation and, after a NUL, what was printed.

use cloudhsm::console::{Console, Input};
use cloudhsm::transcript::{Player, Stage, with_wildcards};

/// Longer than any transcript of the tests, in bytes.
const MAX: usize = 4096;

pub fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if text.len() > MAX {
        return;
    }
    let (expected, printed) = text.split_once('\0').unwrap_or((text, text));
    let merged = with_wildcards(expected, printed);
    // The shorthand makes several lines one, and is nothing that the console prints.
    if !text.contains("[caution]") {
        assert_eq!(merged.lines().count(), printed.lines().count());
        assert_eq!(with_wildcards(printed, printed), printed);
    }
    play(expected);
}

/// Everything that is typed is in the transcript, and the session ends.
fn play(transcript: &str) {
    let mut player = Player::new(transcript, Bare);
    player.read_remarks();
    for turn in 0_usize.. {
        assert!(turn <= transcript.lines().count(), "more lines than the transcript has");
        let input = match turn % 3 {
            0 => player.line("aws-cloudhsm>"),
            1 => player.answer("Do you want to continue(y/n)?"),
            _ => player.answer("Enter password: "),
        };
        match input {
            Input::Given(typed) => assert!(transcript.contains(&typed)),
            Input::Interrupted => {}
            Input::Ended => break,
        }
    }
}

/// A stage on which nothing happens.
struct Bare;

impl Stage for Bare {
    fn direct(&mut self, direction: &str) -> Result<String, String> {
        Ok(direction.to_owned())
    }

    fn typed(&self, line: &str) -> String {
        line.to_owned()
    }
}
