//! The lines of earlier sessions, in a file that only its owner can read.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io, thread};

use rustix::process::geteuid;
use rustyline::Config;
use rustyline::history::{FileHistory, History};

/// The history file of a program, in the folder of the XDG base directory specification: `$XDG_STATE_HOME`, or
/// `~/.local/state`. `None` without a home folder, or if that is another user's, as with sudo.
#[must_use]
pub fn history_file(program: &str) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let is_own = |folder: &PathBuf| fs::metadata(folder).is_ok_and(|found| found.uid() == geteuid().as_raw());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").filter(is_own).map(|home| home.join(".local/state")))?;
    Some(state.join("cloudhsm").join(format!("{program}_history")))
}

/// rustyline's history file: mode 0600, locked while it is read or written, at most [`LENGTH`] lines.
pub(super) struct HistoryFile {
    path: PathBuf,
    lines: FileHistory,
}

/// How many lines are kept, in the file as in memory.
pub(super) const LENGTH: usize = 1_000;

impl HistoryFile {
    /// Reads the file, if it exists. If that fails, the session goes on without a history, and the reason is only logged.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let history = Self::read(path);
        history.inspect_err(|error| tracing::debug!(path = %path.display(), %error, "no history")).ok()
    }

    fn read(path: &Path) -> io::Result<Self> {
        make_folder(path)?;
        let config = Config::builder().max_history_size(LENGTH).map_err(io::Error::other)?.build();
        let mut lines = FileHistory::with_config(&config);
        if is_file(path)? {
            await_lock(path)?;
            lines.load(path).map_err(io::Error::other)?;
        }
        Ok(Self { path: path.to_owned(), lines })
    }

    /// The lines from the oldest on, without those that have control characters: shown, these would steer the terminal.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).filter(|line| !line.contains(char::is_control))
    }

    /// Appends a line. Other sessions may have appended theirs meanwhile.
    pub(super) fn keep(&mut self, line: &str) {
        let ready = is_file(&self.path).and_then(|_| await_lock(&self.path));
        let added = ready.and_then(|()| {
            let added = self.lines.add(line).and_then(|_| self.lines.append(&self.path));
            added.map_err(io::Error::other)
        });
        if let Err(error) = added {
            tracing::debug!(path = %self.path.display(), %error, "line not saved");
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Waits up to 100 ms until no process has the file locked. rustyline would wait for ever, with the prompt of this session
/// dead; a lock taken between this check and rustyline's own is another session's, and is released at once.
fn await_lock(path: &Path) -> io::Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    for _ in 0..20 {
        if file.try_lock().is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Whether the file exists. Anything else there is refused: a link may lead to /dev/null or to another user's file.
fn is_file(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(io::Error::other("not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use tempfile::TempDir;

    use super::*;

    /// A folder, and the turn to write in it: rustyline changes the umask of the whole process for a moment.
    fn folder() -> (TempDir, MutexGuard<'static, ()>) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        (tempfile::tempdir().unwrap(), turn)
    }

    fn lines(path: &Path) -> Vec<String> {
        HistoryFile::open(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn parallel_sessions_save_their_lines_in_one_private_file() {
        let (folder, _turn) = folder();
        let path = folder.path().join("state/history");
        let (mut one, mut other) = (HistoryFile::open(&path).unwrap(), HistoryFile::open(&path).unwrap());
        one.keep("listUsers");
        other.keep("info");
        one.keep("getKeyInfo 7");
        assert_eq!(lines(&path), ["listUsers", "info", "getKeyInfo 7"]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&path), mode(path.parent().unwrap())], [0o600, 0o700]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        other.keep("quit");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn the_oldest_lines_are_dropped_first() {
        let (folder, _turn) = folder();
        let path = folder.path().join("history");
        let mut history = HistoryFile::open(&path).unwrap();
        for number in 0..=LENGTH {
            history.keep(&format!("getKeyInfo {number}"));
        }
        let kept = lines(&path);
        assert_eq!((kept.len(), kept[0].as_str()), (LENGTH, "getKeyInfo 1"));
    }

    #[test]
    fn control_characters_are_not_brought_back() {
        let (folder, _turn) = folder();
        let path = folder.path().join("history");
        fs::write(&path, "#V2\nlistUsers\n\u{1b}[2J\nquit\n").unwrap();
        assert_eq!(lines(&path), ["listUsers", "quit"]);
    }

    #[test]
    fn a_session_does_not_wait_for_a_locked_file() {
        let (folder, _turn) = folder();
        let path = folder.path().join("history");
        let mut history = HistoryFile::open(&path).unwrap();
        history.keep("listUsers");
        let held = File::open(&path).unwrap();
        held.lock().unwrap();
        history.keep("info");
        assert!(HistoryFile::open(&path).is_none());
        held.unlock().unwrap();
        history.keep("quit");
        assert_eq!(lines(&path), ["listUsers", "quit"]);
        fs::remove_file(&path).unwrap();
        symlink(folder.path().join("elsewhere"), &path).unwrap();
        history.keep("help");
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn anything_but_a_history_file_is_left_alone() {
        let (folder, _turn) = folder();
        let path = folder.path().join("history");
        symlink("/dev/null", &path).unwrap();
        assert!(HistoryFile::open(&path).is_none());
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"\xff\xfe\n").unwrap();
        assert!(HistoryFile::open(&path).is_none());
        assert_eq!(fs::read(&path).unwrap(), b"\xff\xfe\n");
        assert!(HistoryFile::open(&folder.path().join("history/x")).is_none());
    }
}
