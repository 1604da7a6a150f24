//! A disk that stops taking writes at a chosen moment, and shows both what had been synced by then and what had
//! only been written.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Images>>);

#[derive(Debug, Default)]
struct Images {
    live: Vec<u8>,
    durable: Vec<u8>,
}

/// One opening of a disk, or a disk image of its own.
#[derive(Debug)]
pub(crate) struct Backend {
    disk: Disk,
    /// Writes and syncs that still succeed; `None` is all.
    countdown: Mutex<Option<usize>>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn backend(&self, countdown: Option<usize>) -> Backend {
        Backend { disk: self.clone(), countdown: Mutex::new(countdown) }
    }

    pub(crate) fn length(&self) -> usize {
        self.0.lock().unwrap().live.len()
    }

    /// After a power cut: nothing but what was synced.
    pub(crate) fn durable(&self) -> Backend {
        let image = self.0.lock().unwrap().durable.clone();
        Self(Arc::new(Mutex::new(Images { live: image.clone(), durable: image }))).backend(None)
    }

    /// After a crash: everything that was written.
    pub(crate) fn live(&self) -> Backend {
        let image = self.0.lock().unwrap().live.clone();
        Self(Arc::new(Mutex::new(Images { live: image.clone(), durable: image }))).backend(None)
    }
}

impl Backend {
    fn count_down(&self) -> io::Result<()> {
        match &mut *self.countdown.lock().unwrap() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the disk is frozen")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().unwrap().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let images = self.disk.0.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let bytes = images.live.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.count_down()?;
        self.disk.0.lock().unwrap().live.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.count_down()?;
        let mut images = self.disk.0.lock().unwrap();
        images.durable = images.live.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.count_down()?;
        let start = usize::try_from(offset).unwrap();
        self.disk.0.lock().unwrap().live[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
