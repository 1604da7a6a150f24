//! How a program on the same machine asks a running HSM for its state: through a socket in the HSM's folder, which
//! only the folder's owner can reach. A backup needs this, as the store of a running HSM is locked.

use std::io::{self, Read};
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::engine::Engine;
use crate::hsm::Hsm;

/// The name of the socket in the HSM's folder.
const SOCKET: &str = "control.sock";

/// How long a reader may take: the next one has to wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listening socket; its file is removed when this is dropped.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in the folder of an HSM whose store this process has open, which makes it safe to replace the socket
    /// of a killed predecessor.
    ///
    /// # Errors
    ///
    /// If the socket cannot be created.
    pub fn listen(folder: &Path) -> io::Result<Self> {
        let path = folder.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The umask decides on the socket's own mode; the folder's mode, 0700, is what protects it.
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Sends the HSM's state, as of the last acknowledged change, to whoever connects.
    pub async fn serve(self, engine: Engine, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let Ok((stream, _)) = accepted else {
                // Most likely out of file descriptors: wait until one is closed, instead of spinning.
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Some(hsm) = engine.snapshot().await else { return };
            tokio::select! {
                () = give(stream, &hsm) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

async fn give(mut stream: UnixStream, hsm: &Hsm) {
    let Ok(bytes) = postcard::to_stdvec(hsm).map(Zeroizing::new) else { return };
    let sent = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    };
    // A reader that is slow or gone notices by itself that the state is not whole.
    let _ = timeout(PATIENCE, sent).await;
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next start replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks for the state of the HSM that is running on a folder; `None` if none is.
///
/// # Errors
///
/// If one is running and does not answer.
pub fn ask(folder: &Path) -> io::Result<Option<Hsm>> {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    let mut stream = match net::UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        // Nobody listens. `InvalidInput` is a path too long for a socket, where no HSM could listen either.
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}
