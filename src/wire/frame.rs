//! A frame: four bytes of length, most significant first, then that many bytes of postcard.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// The largest first frame, of either side: nothing has been proved yet.
pub const MAX_HELLO: usize = 1024;

/// The largest frame that an HSM takes.
pub const MAX_CALL: usize = 64 * 1024;

/// The largest frame that a client takes.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A stream cut into frames.
pub type Frames<S> = Framed<S, LengthDelimitedCodec>;

/// Bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Garbage;

/// Cuts a stream into frames of at most `limit` bytes; the limit is checked before a frame is read.
pub fn frames<S: AsyncRead + AsyncWrite>(stream: S, limit: usize) -> Frames<S> {
    Framed::new(stream, LengthDelimitedCodec::builder().max_frame_length(limit).new_codec())
}

/// Writes a message.
///
/// # Errors
///
/// [`Garbage`] if the type cannot be written, which no message's can.
pub fn encode<T: Serialize>(message: &T) -> Result<Bytes, Garbage> {
    postcard::to_stdvec(message).map(Bytes::from).map_err(|_| Garbage)
}

/// Reads a message that takes up the whole frame.
///
/// # Errors
///
/// [`Garbage`] if it is not one.
pub fn decode<T: DeserializeOwned>(frame: &[u8]) -> Result<T, Garbage> {
    match postcard::take_from_bytes(frame) {
        Ok((message, [])) => Ok(message),
        Ok(_) | Err(_) => Err(Garbage),
    }
}
