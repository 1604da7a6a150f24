//! Writing files and folders that only their owner may read, whole or not at all, and durable.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::files::without_number;

/// Why a file or folder was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A folder is there, and not empty.
    #[error("{}: exists and is not empty; an HSM is only made in a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// A file is there, and is not overwritten.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// The system says so.
    #[error("{path}: {error}", path = .0.display(), error = without_number(.1))]
    Unwritable(PathBuf, io::Error),
}

/// Calls `make` with an empty folder and the place it will have, and moves it there if that succeeds: no half-made
/// folder is ever found at `dir`.
pub(in crate::hsmd) fn new_folder<E: From<WriteError>>(
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
    sync(work.path()).map_err(unwritable)?;
    fs::rename(work.path(), &place).map_err(unwritable)?;
    sync(parent).map_err(unwritable)?;
    // What is left of the temporary folder is only its name.
    let _ = work.keep();
    Ok(())
}

/// Makes a folder in one that [`new_folder`] makes.
pub(in crate::hsmd) fn make_folder(path: &Path) -> Result<(), WriteError> {
    DirBuilder::new().mode(0o700).create(path).map_err(unwritable(path))
}

/// Writes a file in a folder that [`new_folder`] makes.
pub(in crate::hsmd) fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(unwritable(path))
}

/// As [`write`](write()), in JSON.
pub(in crate::hsmd) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
    value.serialize(&mut serializer).map_err(|error| unwritable(path)(error.into()))?;
    text.push(b'\n');
    write(path, &text)
}

/// Closes to others a file that a library made.
pub(in crate::hsmd) fn make_private(path: &Path) -> Result<(), WriteError> {
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(unwritable(path))
}

/// Writes a new file; nobody finds half of it.
pub(in crate::hsmd) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let unwritable = unwritable(path);
    let file = temporary(path, bytes).map_err(unwritable)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        _ => unwritable(error.error),
    })?;
    sync(parent(path)).map_err(unwritable)
}

/// Writes a file, in the place of the one that is there; nobody finds half of it.
pub(in crate::hsmd) fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let replaced = temporary(path, bytes).and_then(|file| Ok(file.persist(path)?));
    replaced.and_then(|_| sync(parent(path))).map_err(unwritable(path))
}

/// Removes a file for good.
pub(in crate::hsmd) fn remove(path: &Path) -> Result<(), WriteError> {
    fs::remove_file(path).and_then(|()| sync(parent(path))).map_err(unwritable(path))
}

/// A private file beside its place, which can be moved there in one step.
fn temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(parent(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> WriteError + Copy {
    move |source| WriteError::Unwritable(path.to_owned(), source)
}
