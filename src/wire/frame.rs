//! A frame is a length (four bytes, big-endian) and that many bytes of postcard.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// The largest first frame from either side: neither has authenticated yet.
pub const MAX_HELLO: usize = 1024;

/// The largest frame that an HSM accepts.
pub const MAX_CALL: usize = 64 * 1024;

/// The largest frame that a client accepts.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A stream split into frames.
pub type Frames<S> = Framed<S, LengthDelimitedCodec>;

/// Bytes that are not the message they should be.
#[derive(Debug, thiserror::Error)]
#[error("not a message of this protocol")]
pub struct Garbage;

/// Splits a stream into frames of at most `limit` bytes, which is checked before memory is reserved.
pub fn frames<S: AsyncRead + AsyncWrite>(stream: S, limit: usize) -> Frames<S> {
    Framed::new(stream, LengthDelimitedCodec::builder().max_frame_length(limit).new_codec())
}

/// Encodes a message.
///
/// # Errors
///
/// [`Garbage`] if postcard cannot encode the type; it can encode every message.
pub fn encode<T: Serialize>(message: &T) -> Result<Bytes, Garbage> {
    postcard::to_stdvec(message).map(Bytes::from).map_err(|_| Garbage)
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
