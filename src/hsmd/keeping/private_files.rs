//! Writes files and folders that only their owner may read: all or nothing, and durably.
//!
//! A mode is given when a file is created, not afterwards, so that no other user can open it in between. The umask
//! can only take away from it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::files::without_number;

/// Why a file or folder was not written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WriteError {
    #[error("{}: exists and is not empty; an HSM is only made in a new folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("{}: already exists", .0.display())]
    Exists(PathBuf),
    #[error("{path}: {error}", path = .0.display(), error = without_number(.1))]
    Unwritable(PathBuf, io::Error),
}

/// Makes a folder. `make` fills a temporary one beside it, and gets the path it will have; if that succeeds, the
/// folder is renamed to `dir`. So `dir` never holds half an HSM, whatever interrupts this.
pub(crate) fn new_folder<E: From<WriteError>>(
    dir: &Path,
    make: impl FnOnce(&Path, &Path) -> Result<(), E>,
) -> Result<(), E> {
    let unwritable = unwritable(dir);
    let parent = parent(dir);
    fs::create_dir_all(parent).map_err(unwritable)?;
    let name = dir.file_name().ok_or_else(|| unwritable(io::ErrorKind::InvalidInput.into()))?;
    let place = parent.canonicalize().map_err(unwritable)?.join(name);
    if fs::read_dir(&place).map_or(place.exists(), |mut entries| entries.next().is_some()) {
        return Err(WriteError::NotEmpty(dir.to_owned()).into());
    }
    let private = Permissions::from_mode(0o700);
    let work = tempfile::Builder::new().prefix(".hsmd-init-").permissions(private).tempdir_in(parent);
    let work = work.map_err(unwritable)?;
    make(work.path(), &place)?;
    // First the names in the folder, then its own: after a crash `dir` is absent, or there with all its files.
    sync(work.path()).map_err(unwritable)?;
    fs::rename(work.path(), &place).map_err(unwritable)?;
    sync(parent).map_err(unwritable)?;
    // It has moved: there is nothing left to remove.
    let _ = work.keep();
    Ok(())
}

/// Makes a folder within [`new_folder`].
pub(crate) fn make_folder(path: &Path) -> Result<(), WriteError> {
    DirBuilder::new().mode(0o700).create(path).map_err(unwritable(path))
}

/// Writes a file within [`new_folder`], which syncs its name.
pub(in crate::hsmd) fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(unwritable(path))
}

/// As [`write`](write()), as JSON.
pub(in crate::hsmd) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    write(path, &json(value).map_err(unwritable(path))?)
}

/// As [`replace`], as JSON.
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    replace(path, &json(value).map_err(unwritable(path))?)
}

fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
    value.serialize(&mut serializer)?;
    text.push(b'\n');
    Ok(text)
}

/// Takes the permissions of others from a file that a library created; so far the mode of [`new_folder`] protected it.
pub(in crate::hsmd) fn make_private(path: &Path) -> Result<(), WriteError> {
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(unwritable(path))
}

/// Writes a new file; no reader ever sees a part of it.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    persist(temporary(path, bytes).map_err(unwritable(path))?, path)
}

/// A new file, under a temporary name until it is whole.
pub(in crate::hsmd) struct NewFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl NewFile {
    pub(in crate::hsmd) fn create(path: &Path) -> Result<Self, WriteError> {
        if path.exists() {
            return Err(WriteError::Exists(path.to_owned()));
        }
        let file = NamedTempFile::new_in(parent(path)).map_err(unwritable(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Gives it its name, durably.
    pub(in crate::hsmd) fn persist(self) -> Result<(), WriteError> {
        let path = &self.path;
        let file = self.file.into_inner().map_err(|error| unwritable(path)(error.into_error()))?;
        file.as_file().sync_all().map_err(unwritable(path))?;
        persist(file, path)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), WriteError> {
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        _ => unwritable(path)(error.error),
    })?;
    sync(parent(path)).map_err(unwritable(path))
}

/// Writes a file or replaces it; no reader ever sees a part of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let replaced = temporary(path, bytes).and_then(|file| Ok(file.persist(path)?));
    replaced.and_then(|_| sync(parent(path))).map_err(unwritable(path))
}

/// Removes a file, durably.
pub(in crate::hsmd) fn remove(path: &Path) -> Result<(), WriteError> {
    fs::remove_file(path).and_then(|()| sync(parent(path))).map_err(unwritable(path))
}

/// A file in the same folder, so that it can be renamed to `path` in one step. Temporary files have mode 0600.
fn temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(parent(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable: syncing a file does not do that.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> WriteError + Copy {
    move |source| WriteError::Unwritable(path.to_owned(), source)
}
