//! How a program on the same machine asks a running HSM for its state: by a socket in the HSM's own folder, which
//! only the folder's owner can reach.

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

/// How long a backup may take to read the state.
const PATIENCE: Duration = Duration::from_secs(10);

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
            let Ok((stream, _)) = accepted else {
                // Out of files, most likely: wait until one is closed.
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

/// Who does not read, or hung up, does not want it.
async fn give(mut stream: UnixStream, hsm: &Hsm) {
    let Ok(bytes) = postcard::to_stdvec(hsm).map(Zeroizing::new) else { return };
    let sent = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    };
    let _ = timeout(PATIENCE, sent).await;
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
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    let mut stream = match net::UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        // Nobody listens; nor at a path that is too long for a socket.
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}
