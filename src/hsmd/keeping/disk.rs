//! Whether the disk takes writes.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that must fit: more than a few changes take.
const ROOM: usize = 256 * 1024;

/// Writes after the end of a file that is as long as the store and is gone afterwards.
///
/// # Errors
///
/// If the store could not grow.
pub fn must_take_writes(store: &Path) -> io::Result<()> {
    let length = fs::metadata(store)?.len();
    let mut file = tempfile::tempfile_in(store.parent().unwrap_or(Path::new(".")))?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&[0; ROOM])?;
    file.sync_all()
}
