//! A program under test, from its start to its end.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) const PROMPT: &str = "aws-cloudhsm>";

/// A running program, driven over pipes. It is killed when dropped.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    stdout: Written,
    stderr: Written,
    /// What of standard output was waited for already.
    cursor: usize,
}

/// What a program left when it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What killed it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// One stream of a program, collected as it comes.
struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
    collector: Option<JoinHandle<()>>,
}

pub(crate) fn hsmd(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_hsmd"), arguments)
}

pub(crate) fn console(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_cloudhsm_mgmt_util"), arguments)
}

pub(crate) fn keys(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_key_mgmt_util"), arguments)
}

pub(crate) fn client(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_cloudhsm_client"), arguments)
}

pub(crate) fn configure(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_configure"), arguments)
}

/// Runs a program to its end, with `input` as its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Ended {
    let mut process = Process::start(command);
    process.send(input);
    process.end()
}

/// Stories that other programs take part in need those programs: `tests/run` installs them.
pub(crate) fn must_be_installed(program: &str) {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    assert!(found.status.success(), "{program} is not installed; tests/run installs what the tests need");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let stdout = Written::collect(child.stdout.take().unwrap());
        let stderr = Written::collect(child.stderr.take().unwrap());
        Self { child, input, stdout, stderr, cursor: 0 }
    }

    /// Types; a program that is gone already does not mind.
    pub(crate) fn send(&mut self, text: &str) {
        let _ = self.input.as_mut().unwrap().write_all(text.as_bytes());
    }

    /// Waits until standard output holds the text, and returns what came before it since the last wait.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let end = within_deadline(|| {
            let written = self.stdout.so_far();
            let found = written[self.cursor..].find(text)?;
            Some((written[self.cursor..self.cursor + found].to_owned(), self.cursor + found + text.len()))
        });
        let Some((before, end)) = end else {
            panic!("no {text:?} in {:?}, {:?}", &self.stdout.so_far()[self.cursor..], self.stderr.so_far())
        };
        self.cursor = end;
        before
    }

    /// Types a line at the prompt, and returns what it does.
    pub(crate) fn command(&mut self, line: &str) -> String {
        self.send(&format!("{line}\n"));
        self.wait_for(PROMPT)
    }

    /// Waits until the log on standard error holds the text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let found = within_deadline(|| self.log().contains(text).then_some(()));
        assert!(found.is_some(), "no {text:?} in {:?}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        self.stderr.so_far()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until all its threads sleep: it has dealt with all that has come in.
    pub(crate) fn wait_until_asleep(&self) {
        wait_until(|| {
            let threads = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
            // One that has just ended has no state.
            let states =
                threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")).ok());
            states.into_iter().all(|state| state.contains(") S "))
        });
    }

    /// `-TERM`, `-INT`, …
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// As `kill -9` does; the process is gone afterwards.
    pub(crate) fn kill(mut self) -> Ended {
        self.signal("-KILL");
        self.wait()
    }

    /// Ends the program's input and waits until it is gone.
    pub(crate) fn end(mut self) -> Ended {
        self.input = None;
        self.wait()
    }

    /// Waits until it is gone, with its input still open.
    pub(crate) fn wait(&mut self) -> Ended {
        let status = within_deadline(|| self.child.try_wait().unwrap());
        let Some(status) = status else {
            panic!("still running: {:?}, {:?}", self.stdout.so_far(), self.stderr.so_far())
        };
        let (code, signal) = (status.code(), status.signal());
        Ended { code, signal, stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already in most stories.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl Written {
    fn collect(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let collected = Arc::clone(&bytes);
        let collector = thread::spawn(move || {
            let mut read = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut read) {
                collected.lock().unwrap().extend_from_slice(&read[..count]);
            }
        });
        Self { bytes, collector: Some(collector) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(collector) = self.collector.take() {
            collector.join().unwrap();
        }
        self.so_far()
    }
}

fn program(path: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).env_remove("RUST_LOG");
    command
}

/// Waits for what no stream tells.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    assert!(within_deadline(|| is_so().then_some(())).is_some(), "it never is");
}

/// Generous, for a busy machine; nothing here asserts that something is fast.
fn within_deadline<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = look();
        if found.is_some() || start.elapsed() > Duration::from_secs(120) {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
