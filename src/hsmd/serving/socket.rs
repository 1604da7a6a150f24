//! A socket in a folder, which only the folder's owner can reach: one question in a connection, to the end of what the
//! asker sends.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// The name of the socket in its folder.
const NAME: &str = "control.sock";

/// How long an asker may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a question.
const MAX_ASK: u64 = 4096;

/// A listening socket; its file is removed when this is dropped.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens in a folder that this process has locked, which makes it safe to replace the socket of a killed predecessor.
    pub(crate) fn listen(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // The umask decides on the socket's own mode; the folder's mode, 0700, is what protects it.
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }

    /// Answers whoever connects; without an answer, it hangs up.
    pub(crate) async fn serve<Q, A>(
        self,
        answer: impl Fn(Q) -> A + Clone + Send + 'static,
        stop: CancellationToken,
    ) where
        Q: DeserializeOwned + Send,
        A: Future<Output = Option<Zeroizing<Vec<u8>>>> + Send,
    {
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
            let answer = answer.clone();
            tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                // An asker that is slow or gone notices by itself that the answer is not whole.
                let _ = converse(stream, answer).await;
            }));
        }
    }
}

async fn converse<Q, A>(mut stream: UnixStream, answer: impl Fn(Q) -> A) -> io::Result<()>
where
    Q: DeserializeOwned,
    A: Future<Output = Option<Zeroizing<Vec<u8>>>>,
{
    let mut asked = Vec::new();
    timeout(PATIENCE, (&mut stream).take(MAX_ASK).read_to_end(&mut asked)).await??;
    let asked = postcard::from_bytes(&asked).map_err(|_| io::ErrorKind::InvalidData)?;
    let answer = answer(asked).await.ok_or(io::ErrorKind::InvalidData)?;
    timeout(PATIENCE, async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    })
    .await?
}

/// An answer as it is sent.
pub(crate) fn encode(answer: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    postcard::to_stdvec(answer).ok().map(Zeroizing::new)
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next start replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the program that has the folder; `None` if there is none.
///
/// # Errors
///
/// If there is one, and it does not answer in time.
pub(crate) fn ask<T: DeserializeOwned>(
    folder: &Path,
    question: &impl Serialize,
    patience: Duration,
) -> io::Result<Option<T>> {
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    let mut stream = match net::UnixStream::connect(folder.join(NAME)) {
        Ok(stream) => stream,
        // Nobody listens. `InvalidInput` is a path too long for a socket, where nobody could listen either.
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused | InvalidInput) => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = converse_with(&mut stream, question, patience).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer for {} s; is it suspended?", patience.as_secs()),
        ),
        _ => error,
    })?;
    postcard::from_bytes(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn converse_with(
    stream: &mut net::UnixStream,
    question: &impl Serialize,
    patience: Duration,
) -> io::Result<Zeroizing<Vec<u8>>> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let asked = postcard::to_stdvec(question).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&asked)?;
    stream.shutdown(Shutdown::Write)?;
    let mut bytes = Zeroizing::new(Vec::new());
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}
