//! How a program on the same machine asks a running HSM for its state: by a socket in the HSM's own folder, which
//! only the folder's owner can reach.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::hsm::Hsm;

/// The name of the socket in the HSM's folder.
const SOCKET: &str = "control.sock";

/// A listening socket, removed when dropped.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in an HSM's folder that this program has opened; a socket left by a killed one is replaced.
    ///
    /// # Errors
    ///
    /// If the socket cannot be made.
    pub fn listen(folder: &Path) -> io::Result<Self> {
        let path = folder.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Gives the HSM's state, as of the last acknowledged change, to whoever connects.
    pub async fn serve(self, engine: Engine, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let (Ok((mut stream, _)), Some(hsm)) = (accepted, engine.snapshot().await) else { return };
            let Ok(bytes) = postcard::to_stdvec(&hsm) else { return };
            // Who hung up does not want it.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next start replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The state of the HSM that runs on a folder; `None` if none does.
///
/// # Errors
///
/// If one runs and does not answer.
pub fn ask(folder: &Path) -> io::Result<Option<Hsm>> {
    let mut stream = match UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}
