//! How a program on the same machine asks a running HSM for what clients cannot ask: through a socket in the HSM's
//! folder, which only the folder's owner can reach. The store of a running HSM is locked.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::engine::Engine;
use crate::hsm::Unlock;
use crate::hsm::audit::AuditHead;

/// What is asked: one question in a connection, to the end of what the asker sends.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// For the [`Hsm`](crate::hsm::Hsm) as of the last acknowledged change.
    Snapshot,
    /// For a `Result<(), Refusal>`.
    Unlock(Unlock),
    /// For the audit log after a number: a `Result<AuditPart, String>`.
    AuditPart(u64),
    /// To drop the audit log's records up to the second head, as a piece from the first one on has them: for a
    /// `Result<(), String>`.
    Prune(AuditHead, AuditHead),
}

/// The name of the socket in the HSM's folder.
const SOCKET: &str = "control.sock";

/// How long an asker may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a question.
const MAX_ASK: u64 = 4096;

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

    /// Answers whoever connects.
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
            // One that is slow delays no other.
            let engine = engine.clone();
            tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                // An asker that is slow or gone notices by itself that the answer is not whole.
                let _ = converse(stream, &engine).await;
            }));
        }
    }
}

async fn converse(mut stream: UnixStream, engine: &Engine) -> io::Result<()> {
    let mut asked = Vec::new();
    timeout(PATIENCE, (&mut stream).take(MAX_ASK).read_to_end(&mut asked)).await??;
    let ask = postcard::from_bytes(&asked).map_err(|_| io::ErrorKind::InvalidData)?;
    let answer = answer(ask, engine).await.ok_or(io::ErrorKind::InvalidData)?;
    timeout(PATIENCE, async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    })
    .await?
}

/// `None` if the HSM is stopping.
async fn answer(ask: Ask, engine: &Engine) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = match ask {
        Ask::Snapshot => postcard::to_stdvec(&engine.snapshot().await?),
        Ask::Unlock(user) => {
            let unlocked = engine.by_owner(move |hsm, now| hsm.unlock(&user, now)).await;
            postcard::to_stdvec(&unlocked)
        }
        Ask::AuditPart(after) => {
            let part = engine
                .with_store(move |store| store.audit_part(after).map_err(|error| error.to_string()))
                .await;
            postcard::to_stdvec(&part.unwrap_or_else(closed))
        }
        Ask::Prune(from, to) => {
            let pruned = engine
                .with_store(move |store| store.prune(&from, &to).map_err(|error| error.to_string()))
                .await;
            postcard::to_stdvec(&pruned.unwrap_or_else(closed))
        }
    };
    bytes.ok().map(Zeroizing::new)
}

fn closed<T>() -> Result<T, String> {
    Err("the store failed, and cannot be read now".to_owned())
}

impl Drop for Control {
    fn drop(&mut self) {
        // The next start replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the HSM that is running on a folder; `None` if none is.
///
/// # Errors
///
/// If one is running and does not answer.
pub fn ask<T: DeserializeOwned>(folder: &Path, ask: &Ask) -> io::Result<Option<T>> {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    let mut stream = match net::UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        // Nobody listens. `InvalidInput` is a path too long for a socket, where no HSM could listen either.
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput) => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = converse_with(&mut stream, ask).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer for 10 s; is it suspended?")
        }
        _ => error,
    })?;
    postcard::from_bytes(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn converse_with(stream: &mut net::UnixStream, ask: &Ask) -> io::Result<Zeroizing<Vec<u8>>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let asked = postcard::to_stdvec(ask).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&asked)?;
    stream.shutdown(Shutdown::Write)?;
    let mut bytes = Zeroizing::new(Vec::new());
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}
