//! A frame is a length (four bytes, big-endian) and that many bytes of postcard.
//!
//! Frames carry passwords. Each is in memory of its own, which never moves and is wiped when it is dropped.

use std::io;

use bytes::{Buf, Bytes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// The largest first frame from either side: neither has authenticated yet.
pub const MAX_HELLO: usize = 1024;

/// The largest frame that an HSM accepts.
pub const MAX_CALL: usize = 64 * 1024;

/// The largest frame that an HSM accepts of somebody who is logged in: a batch of copies. Larger batches are fewer
/// commits and fewer round trips.
pub const MAX_BATCH_CALL: usize = 192 * 1024;

/// The largest frame that a client accepts.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A stream split into frames.
pub struct Frames<S> {
    stream: S,
    limit: usize,
    length: Part<[u8; 4]>,
    /// Of the frame whose length has been read.
    content: Option<Part<Zeroizing<Vec<u8>>>>,
}

/// Bytes of a known number, some of which have been read.
#[derive(Default)]
struct Part<B> {
    bytes: B,
    read: usize,
}

/// Bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Garbage;

/// Splits a stream into frames of at most `limit` bytes, which is checked before memory is reserved.
pub fn frames<S: AsyncRead + AsyncWrite + Unpin>(stream: S, limit: usize) -> Frames<S> {
    Frames { stream, limit, length: Part::default(), content: None }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// The next frame; `None` if the stream has ended. If this is not awaited to its end, the next call goes on with the
    /// same frame.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.read().await.transpose()
    }

    /// Whether a part of a frame has been read.
    pub fn has_begun(&self) -> bool {
        self.length.read > 0
    }

    /// Changes the limit for the frames to come.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// If the stream is broken.
    pub async fn send(&mut self, frame: Bytes) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Together: two writes would be two records of TLS.
        let length = length.to_be_bytes();
        let mut written = Buf::chain(length.as_slice(), frame);
        self.stream.write_all_buf(&mut written).await?;
        self.stream.flush().await
    }

    /// Says goodbye.
    ///
    /// # Errors
    ///
    /// If the stream is broken.
    pub async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// The stream, to write to it what is not a frame.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        if !self.length.fill(&mut self.stream).await? {
            return if self.has_begun() { Err(half_a_frame()) } else { Ok(None) };
        }
        let length = usize::try_from(u32::from_be_bytes(self.length.bytes)).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "frame size too big"));
        }
        let unread = || Part { bytes: Zeroizing::new(vec![0; length]), read: 0 };
        if !self.content.get_or_insert_with(unread).fill(&mut self.stream).await? {
            return Err(half_a_frame());
        }
        self.length.read = 0;
        Ok(self.content.take().map(|content| Bytes::from_owner(content.bytes)))
    }
}

fn half_a_frame() -> io::Error {
    io::Error::other("the connection ended within a frame")
}

impl<B: AsMut<[u8]>> Part<B> {
    /// Reads what is missing; whether it all came before the end of the stream.
    async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        while let Some(missing @ [_, ..]) = self.bytes.as_mut().get_mut(self.read..) {
            match stream.read(missing).await? {
                0 => return Ok(false),
                read => self.read = self.read.saturating_add(read),
            }
        }
        Ok(true)
    }
}

/// Encodes a message.
///
/// # Errors
///
/// [`Garbage`] if postcard cannot encode the type; it can encode every message.
pub fn encode<T: Serialize>(message: &T) -> Result<Bytes, Garbage> {
    // A vector that grows would leave copies of its beginning in freed memory.
    let length = postcard::experimental::serialized_size(message).map_err(|_| Garbage)?;
    let mut bytes = Zeroizing::new(vec![0; length]);
    postcard::to_slice(message, &mut bytes).map_err(|_| Garbage)?;
    Ok(Bytes::from_owner(bytes))
}

/// Reads a message that fills the whole frame.
///
/// # Errors
///
/// [`Garbage`] if the frame is anything else.
pub fn decode<T: DeserializeOwned>(frame: &[u8]) -> Result<T, Garbage> {
    match postcard::take_from_bytes(frame) {
        Ok((message, [])) => Ok(message),
        Ok(_) | Err(_) => Err(Garbage),
    }
}
