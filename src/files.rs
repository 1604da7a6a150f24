//! Reading and writing the files that people name, and what stops them from being written.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags, access};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
#[expect(missing_docs, reason = "the names say it")]
pub struct UnreadableFile {
    pub path: PathBuf,
    pub reason: Unreadable,
}

impl UnreadableFile {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(&self.reason, Unreadable::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Names the file that cannot be read.
pub fn unreadable<R: Into<Unreadable>>(path: &Path) -> impl Fn(R) -> UnreadableFile {
    move |reason| UnreadableFile { path: path.to_owned(), reason: reason.into() }
}

/// Why a file cannot be read. Whoever shows it names the file, as [`UnreadableFile`] does.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system says so.
    #[error("{}", without_number(.0))]
    System(#[from] io::Error),
    /// A folder, a device, a pipe.
    #[error("not a file")]
    NotAFile,
    /// It would be written to wherever the link leads.
    #[error("a symbolic link; name the file itself")]
    Link,
    /// Larger than any file of its kind.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Not UTF-8.
    #[error("not a text file")]
    NotText,
    /// A line was expected.
    #[error("empty")]
    Empty,
    /// A password that is typed there would be seen.
    #[error("a terminal; use -hpswd to type a password")]
    Terminal,
}

/// Why a file is not written. Whoever shows it names the file.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// Something else, which would be lost.
    #[error("exists and is not {0}")]
    InTheWay(&'static str),
    /// The system says so.
    #[error(transparent)]
    System(#[from] Unreadable),
}

/// The whole content of a file of at most `limit` bytes.
///
/// # Errors
///
/// If it is not a file, or larger.
pub fn read(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let metadata = fs::metadata(&path)?;
    // Opening a pipe would wait for whoever writes to it, perhaps for ever.
    if !metadata.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let limit_and_one = limit.saturating_add(1);
    // Room for all of it: a vector that grows leaves copies of what may be a secret.
    let room = metadata.len().saturating_add(1).min(limit_and_one);
    let mut content = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
    File::open(path)?.take(limit_and_one).read_to_end(&mut content)?;
    let is_within = u64::try_from(content.len()).is_ok_and(|length| length <= limit);
    if is_within { Ok(content) } else { Err(Unreadable::TooLarge(limit)) }
}

/// As [`read`], for a text.
///
/// # Errors
///
/// As there, or if it is not UTF-8.
pub fn read_text(path: impl AsRef<Path>, limit: u64) -> Result<String, Unreadable> {
    let text = String::from_utf8(read(path, limit)?).map_err(|_| Unreadable::NotText)?;
    // Some editors begin a file with a byte order mark.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// One line, and where the next one begins: in a file the line at `start`, from a pipe the next one, for whose writer it
/// waits.
///
/// # Errors
///
/// If there is no line, if it is empty or not UTF-8, or if the path is a terminal.
pub fn read_line(path: &str, start: u64) -> Result<(String, u64), Unreadable> {
    let mut file = File::open(path)?;
    if file.is_terminal() {
        return Err(Unreadable::Terminal);
    }
    if file.metadata()?.is_file() {
        file.seek(SeekFrom::Start(start))?;
    }
    let mut line = Zeroizing::new(Vec::with_capacity(LINE));
    // Byte by byte, and none after the line end: whoever opens the same pipe again gets the line after it.
    let mut byte = [0];
    while file.read(&mut byte)? > 0 && byte != *b"\n" {
        if line.len() == LINE {
            return Err(Unreadable::TooLarge(LINE as u64));
        }
        line.extend_from_slice(&byte);
    }
    let text = std::str::from_utf8(&line).map_err(|_| Unreadable::NotText)?;
    let next = start.saturating_add(line.len() as u64).saturating_add(1);
    match text.strip_suffix('\r').unwrap_or(text) {
        "" => Err(Unreadable::Empty),
        text => Ok((text.to_owned(), next)),
    }
}

/// Whether the path leads to standard input, as `/dev/stdin` does, and that is not a terminal.
#[must_use]
pub fn is_standard_input(path: &str) -> bool {
    let place = |path: &str| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    !io::stdin().is_terminal() && place(path).is_some_and(|found| Some(found) == place("/dev/fd/0"))
}

/// The longest line that is read, in bytes.
const LINE: usize = 1024;

/// What is at a path where a file will be written; `None` if there is nothing yet.
///
/// # Errors
///
/// If no file can be written there.
pub fn metadata_to_replace(path: &str) -> Result<Option<fs::Metadata>, Unreadable> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => {
            access(path, Access::WRITE_OK).map_err(io::Error::from)?;
            Ok(Some(there))
        }
        Ok(there) if there.is_symlink() => Err(Unreadable::Link),
        Ok(_) => Err(Unreadable::NotAFile),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        Err(error) => {
            let folder = Path::new(path).parent().filter(|folder| *folder != Path::new(""));
            if !folder.is_none_or(Path::is_dir) {
                return Err(error.into());
            }
            access(folder.unwrap_or(Path::new(".")), Access::WRITE_OK | Access::EXEC_OK)
                .map_err(io::Error::from)?;
            Ok(None)
        }
    }
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Everybody whom the umask does not exclude; of a file that is there already, whoever could before.
    Everybody,
    /// Its owner alone, from now on.
    Owner,
}

/// Whether anything is there.
#[must_use]
pub fn exists(path: &str) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether both paths lead to the same file.
#[must_use]
pub fn is_same(path: &str, other: &str) -> bool {
    let place = |path| fs::metadata(path).map(|there| (there.dev(), there.ino()));
    path == other || matches!((place(path), place(other)), (Ok(one), Ok(two)) if one == two)
}

/// The system's own links, which lead to what this process has open.
fn is_standard_output(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr"].iter().any(|link| path == Path::new(link)) || path.starts_with("/dev/fd")
}

/// Writes a file over what is there, but not through a symbolic link: in a folder that others can write to, it may lead
/// to a file that they want to have overwritten.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(path: impl AsRef<Path>, content: &[u8], readers: Readers) -> Result<(), Unreadable> {
    let mode = match readers {
        Readers::Everybody => 0o644,
        Readers::Owner => 0o600,
    };
    let path = path.as_ref();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    if !is_standard_output(path) {
        options.custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?);
    }
    match options.open(path) {
        Ok(mut file) => {
            if readers == Readers::Owner {
                // It may have been there for everybody.
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            Ok(file.write_all(content)?)
        }
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Err(Unreadable::Link),
        Err(error) => Err(error.into()),
    }
}

/// Whether a file may be written over what is there: nothing, an empty file, or another of its kind.
///
/// # Errors
///
/// If something is there that should not be lost.
pub fn must_be_free(
    path: &str,
    kind: &'static str,
    is_of_kind: impl FnOnce(u64) -> bool,
) -> Result<(), NotWritten> {
    match metadata_to_replace(path)? {
        None => Ok(()),
        Some(there) if there.len() == 0 || is_of_kind(there.len()) => Ok(()),
        Some(_) => Err(NotWritten::InTheWay(kind)),
    }
}

/// The system's words, without Rust's `(os error 21)`.
#[must_use]
pub fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{Readers, is_same, metadata_to_replace, read, read_text, write};

    #[test]
    fn only_files_of_the_right_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("ten"), b"0123456789").unwrap();
        std::fs::write(path("binary"), [0xff, 0xfe]).unwrap();
        assert_eq!(read(path("ten"), 10).unwrap(), b"0123456789");
        let why = |path: &str, limit| read(path, limit).unwrap_err().to_string();
        assert_eq!(why(&path("ten"), 9), "larger than 9 bytes");
        assert_eq!(why(&path("none"), 9), "No such file or directory");
        assert_eq!(why(&path(""), 9), "not a file");
        assert_eq!(why("/dev/zero", 9), "not a file");
        assert_eq!(read_text(path("binary"), 9).unwrap_err().to_string(), "not a text file");
    }

    #[test]
    fn files_are_written_in_their_place_and_not_where_a_link_leads() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        write(path("shown"), b"1", Readers::Everybody).unwrap();
        write(path("secret"), b"1", Readers::Owner).unwrap();
        assert_eq!((mode("shown") & 0o133, mode("secret")), (0, 0o600));
        write(path("shown"), b"1", Readers::Owner).unwrap();
        assert_eq!(mode("shown"), 0o600, "it may be a secret now");
        assert!(is_same(&path("shown"), &path("./shown")) && !is_same(&path("shown"), &path("secret")));
        assert!(is_same(&path("none"), &path("none")) && !is_same(&path("none"), &path("shown")));
        symlink(path("shown"), path("link")).unwrap();
        symlink(path("none"), path("dangling")).unwrap();
        for link in ["link", "dangling"] {
            let words = "a symbolic link; name the file itself";
            assert_eq!(write(path(link), b"2", Readers::Owner).unwrap_err().to_string(), words);
            assert_eq!(metadata_to_replace(&path(link)).unwrap_err().to_string(), words);
        }
        assert_eq!(std::fs::read(path("shown")).unwrap(), b"1");
        assert!(!std::fs::exists(path("none")).unwrap());
    }
}
