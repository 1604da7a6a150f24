//! Replacing a file: whole or not at all, with a backup beside it.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ConfigTemplate;
use crate::files::{UnreadableFile, unreadable, without_number};

/// Why a file is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// There is nothing to change.
    #[error(
        "{path}: there is no such file\n`configure --template {} > {path}` makes one",
        .1.word(),
        path = .0.display()
    )]
    Missing(PathBuf, ConfigTemplate),
    /// It is a directory, not text, or closed to this user.
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    /// A new file cannot take its place.
    #[error("{path}: cannot be replaced: {error}", path = .0.display(), error = without_number(.1))]
    Unwritable(PathBuf, io::Error),
}

/// A file as it is now.
pub(super) struct CurrentFile {
    named: PathBuf,
    /// Where symbolic links lead: the links stay, their target is replaced.
    real: PathBuf,
    text: String,
    metadata: Metadata,
}

/// A file's new content, ready in the same folder.
pub struct Replacement {
    path: PathBuf,
    real: PathBuf,
    what: &'static str,
    staged: Option<Staged>,
}

struct Staged {
    new: NamedTempFile,
    backup: NamedTempFile,
}

impl CurrentFile {
    pub(super) fn open(named: PathBuf, template: ConfigTemplate) -> Result<Self, ReplaceError> {
        let read = || -> io::Result<_> {
            let real = fs::canonicalize(&named)?;
            Ok((fs::read_to_string(&real)?, fs::metadata(&real)?, real))
        };
        match read() {
            Ok((text, metadata, real)) => Ok(Self { named, real, text, metadata }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(ReplaceError::Missing(named, template))
            }
            Err(error) => Err(unreadable(&named)(error).into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.named
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Stages a new text, with a changed `server` or `ssl` section. The same text is not staged.
    pub(super) fn replace_by(self, text: &str, what: &'static str) -> Result<Replacement, ReplaceError> {
        let staged = if text == self.text { None } else { Some(self.stage(text)?) };
        Ok(Replacement { path: self.named, real: self.real, what, staged })
    }

    fn stage(&self, text: &str) -> Result<Staged, ReplaceError> {
        let write = || -> io::Result<_> {
            let new = self.write_beside(text.as_bytes())?;
            Ok(Staged { new, backup: self.write_beside(self.text.as_bytes())? })
        };
        write().map_err(|error| ReplaceError::Unwritable(self.named.clone(), error))
    }

    /// Writes a temporary file with the owner and the mode of this one.
    fn write_beside(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        // In the same folder, as a rename is atomic only within one file system.
        let mut file = NamedTempFile::new_in(folder(&self.real))?;
        file.write_all(bytes)?;
        // Only root may give a file away. Anybody else who replaces another's file owns the new one.
        let _ = fchown(file.as_file(), Some(self.metadata.uid()), Some(self.metadata.gid()));
        // After the owner: a change of owner clears mode bits. Until here the file is 0600, whatever the umask.
        file.as_file().set_permissions(self.metadata.permissions())?;
        // Before it gets its name: after a power cut the name must not lead to an empty file.
        file.as_file().sync_all()?;
        Ok(file)
    }
}

impl Replacement {
    /// What it does, in the original's words.
    #[must_use]
    pub fn announcement(&self) -> String {
        format!("Updating {} config in {}\n", self.what, self.path.display())
    }

    /// Replaces the file, unless it has this text already.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written.
    pub fn make(self) -> Result<(), ReplaceError> {
        let Self { path, real, staged, .. } = self;
        let Some(Staged { new, backup }) = staged else { return Ok(()) };
        let replace = || -> io::Result<()> {
            // First the backup: at every moment there is a file with the old text.
            keep(backup, &real)?;
            new.persist(&real)?;
            // Both names are the folder's data, and last only once that is on disk.
            File::open(folder(&real))?.sync_all()
        };
        replace().map_err(|error| ReplaceError::Unwritable(path, error))
    }
}

/// Names the backup `<file>.bak`, or `.bak2` and so on: `-a` before `-m` would overwrite the first one.
fn keep(mut backup: NamedTempFile, path: &Path) -> io::Result<()> {
    for count in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(if count == 1 { ".bak".to_owned() } else { format!(".bak{count}") });
        match backup.persist_noclobber(name) {
            Ok(_) => break,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => backup = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}
