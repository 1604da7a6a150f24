//! Replacing a file: whole or not at all, with what it held kept beside it.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Template;

/// Why a file is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is nothing to change.
    #[error(
        "{path}: there is no such file\n`configure --template {} > {path}` makes one",
        template.word(),
        path = path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// What it should be like.
        template: Template,
    },
    /// It is a directory, or not text, or may not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A new file cannot take its place.
    #[error("{}: cannot be replaced: {source}", path.display())]
    Unwritable {
        /// Of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file as it was found.
pub(super) struct Found {
    named: PathBuf,
    /// Behind any symbolic links, which stay.
    real: PathBuf,
    text: String,
    metadata: Metadata,
}

/// What a file is to hold instead, ready in the same folder.
pub struct Change {
    path: PathBuf,
    real: PathBuf,
    what: &'static str,
    staged: Option<Staged>,
}

struct Staged {
    new: NamedTempFile,
    old: NamedTempFile,
}

impl Found {
    pub(super) fn open(named: PathBuf, template: Template) -> Result<Self, FileError> {
        let read = || -> io::Result<_> {
            let real = fs::canonicalize(&named)?;
            Ok((fs::read_to_string(&real)?, fs::metadata(&real)?, real))
        };
        match read() {
            Ok((text, metadata, real)) => Ok(Self { named, real, text, metadata }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FileError::Missing { path: named, template })
            }
            Err(source) => Err(FileError::Unreadable { path: named, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.named
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Makes a change ready, of the server or the ssl configuration. Nothing is staged if nothing would change.
    pub(super) fn change(self, what: &'static str, text: &str) -> Result<Change, FileError> {
        let staged = if text == self.text { None } else { Some(self.stage(text)?) };
        Ok(Change { path: self.named, real: self.real, what, staged })
    }

    fn stage(&self, text: &str) -> Result<Staged, FileError> {
        let write = || -> io::Result<_> {
            Ok(Staged {
                new: self.write_beside(text.as_bytes())?,
                old: self.write_beside(self.text.as_bytes())?,
            })
        };
        write().map_err(|source| FileError::Unwritable { path: self.named.clone(), source })
    }

    fn write_beside(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new_in(folder(&self.real))?;
        file.write_all(bytes)?;
        // Only root may give a file away; whoever else replaces another's file owns the new one.
        let _ = fchown(file.as_file(), Some(self.metadata.uid()), Some(self.metadata.gid()));
        file.as_file().set_permissions(self.metadata.permissions())?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

impl Change {
    /// What it does, in the original's words.
    #[must_use]
    pub fn announcement(&self) -> String {
        format!("Updating {} config in {}\n", self.what, self.path.display())
    }

    /// Replaces the file, unless it holds the text already.
    ///
    /// # Errors
    ///
    /// If the folder does not let it.
    pub fn make(self) -> Result<(), FileError> {
        let Self { path, real, staged, .. } = self;
        let Some(Staged { new, old }) = staged else { return Ok(()) };
        let replace = || -> io::Result<()> {
            keep(old, &real)?;
            new.persist(&real)?;
            File::open(folder(&real))?.sync_all()
        };
        replace().map_err(|source| FileError::Unwritable { path, source })
    }
}

/// Names it `<file>.bak`, or `.bak2`, …: `-a` before `-m` would overwrite what both replaced.
fn keep(mut old: NamedTempFile, path: &Path) -> io::Result<()> {
    for count in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(if count == 1 { ".bak".to_owned() } else { format!(".bak{count}") });
        match old.persist_noclobber(name) {
            Ok(_) => break,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => old = error.file,
            Err(error) => return Err(error.error),
        }
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}
