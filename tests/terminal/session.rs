//! The real console on a real pseudo-terminal, driven as expect and pexpect drive it.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtyPair, PtySize, native_pty_system};
use tempfile::TempDir;

pub(crate) const PROMPT: &str = "aws-cloudhsm>";
const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();

/// A running console. What it wrote is read from a cursor on, which each wait moves on.
pub(crate) struct Session {
    pty: PtyPair,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Arc<Mutex<Vec<u8>>>,
    cursor: usize,
    modes_before: String,
    /// Where lines are kept; gone with the session.
    state: TempDir,
}

impl Session {
    /// A console on a capable terminal, at its first prompt.
    pub(crate) fn at_prompt() -> Self {
        let mut session = Self::start(&console(), "xterm-256color");
        session.wait_for(PROMPT);
        session
    }

    pub(crate) fn start(arguments: &[String], term: &str) -> Self {
        Self::start_with(arguments, &[("TERM", term)])
    }

    /// With these environment variables.
    pub(crate) fn start_with(arguments: &[String], variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let modes_before = modes(pty.master.as_ref());
        let mut command = CommandBuilder::from_argv(arguments.iter().map(Into::into).collect());
        let state = tempfile::tempdir().unwrap();
        command.env("XDG_STATE_HOME", state.path());
        command.env_remove("NO_COLOR");
        command.env("PS1", "shell$ ");
        variables.iter().for_each(|(name, value)| command.env(name, value));
        let child = pty.slave.spawn_command(command).unwrap();
        let keyboard = pty.master.take_writer().unwrap();
        let output = Arc::default();
        collect(pty.master.try_clone_reader().unwrap(), Arc::clone(&output));
        Self { pty, child, keyboard, output, cursor: 0, modes_before, state }
    }

    pub(crate) fn send(&mut self, keys: &str) {
        self.send_bytes(keys.as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub(crate) fn send_slowly(&mut self, keys: &str, gap: Duration) {
        for byte in keys.as_bytes() {
            self.keyboard.write_all(&[*byte]).unwrap();
            self.keyboard.flush().unwrap();
            thread::sleep(gap);
        }
    }

    /// Waits for the text and returns what came before it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let found = within_deadline(|| find(&self.output.lock().unwrap()[self.cursor..], text.as_bytes()));
        let Some(at) = found else { panic!("no {text:?} in {:?}", self.rest()) };
        let end = self.cursor + at;
        let before = String::from_utf8_lossy(&self.output.lock().unwrap()[self.cursor..end]).into_owned();
        self.cursor = end + text.len();
        before
    }

    /// Waits until everything since the start is as it should be.
    pub(crate) fn wait_until(&self, is_right: impl Fn(&str) -> bool) {
        let found = within_deadline(|| is_right(&self.everything()).then_some(()));
        assert!(found.is_some(), "in {:?}", self.everything());
    }

    /// Passes over everything that was written so far: the line editor writes its prompt again and again.
    pub(crate) fn skip(&mut self) {
        self.cursor = self.output.lock().unwrap().len();
    }

    /// Waits until the row that the cursor is on shows the text, as a person sees it.
    pub(crate) fn wait_for_row(&self, text: &str) {
        if within_deadline(|| (self.row() == text).then_some(())).is_none() {
            panic!("the row is {:?}, not {text:?}, in {:?}", self.row(), self.screen());
        }
    }

    /// Whether the row comes to show the text in so much time.
    pub(crate) fn has_row_within(&self, limit: Duration, text: &str) -> bool {
        within(limit, || (self.row() == text).then_some(())).is_some()
    }

    /// Whether the text comes in so much time; it is passed over.
    pub(crate) fn has_within(&mut self, limit: Duration, text: &str) -> bool {
        let found = within(limit, || find(&self.output.lock().unwrap()[self.cursor..], text.as_bytes()));
        self.cursor += found.map_or(0, |at| at + text.len());
        found.is_some()
    }

    /// Everything since the start.
    pub(crate) fn everything(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// The file of the lines that are kept for later sessions of this program; nothing if there is none.
    pub(crate) fn kept(&self, program: &str) -> String {
        let file = self.state.path().join(format!("cloudhsm/{program}_history"));
        fs::read_to_string(file).unwrap_or_default()
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let ended = within_deadline(|| self.child.try_wait().unwrap());
        ended.unwrap_or_else(|| panic!("still running: {:?}", self.rest()))
    }

    /// Asserts that the shell gets the terminal back as it lent it.
    pub(crate) fn assert_modes_restored(&self) {
        assert_eq!(modes(self.pty.master.as_ref()), self.modes_before);
    }

    pub(crate) fn screen(&self) -> String {
        self.emulate().screen().contents()
    }

    fn row(&self) -> String {
        let emulator = self.emulate();
        let (row, _) = emulator.screen().cursor_position();
        emulator.screen().rows(0, COLUMNS.get()).nth(row.into()).unwrap().trim_end().to_owned()
    }

    fn emulate(&self) -> vt100::Parser {
        let mut emulator = vt100::Parser::new(ROWS, COLUMNS, 0);
        emulator.process(&self.output.lock().unwrap());
        emulator
    }

    fn rest(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()[self.cursor..]).into_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already in most stories.
        let _ = self.child.kill();
    }
}

/// The console with an embedded cluster of one HSM.
pub(crate) fn console() -> Vec<String> {
    [env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), "--dev", "1"].map(str::to_owned).to_vec()
}

/// Waits until a file holds the text.
pub(crate) fn wait_for_text(file: &Path, text: &str) {
    let found = within_deadline(|| fs::read_to_string(file).ok().filter(|read| read.contains(text)));
    assert!(found.is_some(), "no {text:?} in {}", file.display());
}

/// What a person is told while a command waits longer than a second, taken out.
pub(crate) fn without_status(text: &str) -> String {
    let mut parts = text.split("\r\x1b[K");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| if part.starts_with("Waiting ") { "" } else { part });
    [first].into_iter().chain(rest).collect()
}

/// Stories that other programs drive need those programs: `tests/run` installs them.
pub(crate) fn must_be_installed(program: &str) {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    assert!(found.status.success(), "{program} is not installed; tests/run installs what the tests need");
}

/// Generous, for a busy machine.
pub(crate) fn within_deadline<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    within(Duration::from_secs(120), look)
}

fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = look();
        if found.is_some() || start.elapsed() > limit {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn collect(mut reader: Box<dyn Read + Send>, output: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            output.lock().unwrap().extend_from_slice(&bytes[..count]);
        }
    });
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
