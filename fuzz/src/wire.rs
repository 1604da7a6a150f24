//! Frames: any bytes are a message or an error.

use std::io::Cursor;

use cloudhsm::protocol::message::{Call, Hello, Response, Welcome};
use cloudhsm::wire::frame::{MAX_ANSWER, MAX_CALL, MAX_HELLO, decode, encode, frames};
use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first byte says which message the rest of the stream is read as.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'h', stream)) => read::<Hello>(stream, MAX_HELLO),
        Some((b'w', stream)) => read::<Welcome>(stream, MAX_HELLO),
        Some((b'c', stream)) => read::<Call>(stream, MAX_CALL),
        Some((b'a', stream)) => read::<Response>(stream, MAX_ANSWER),
        _ => {}
    }
}

/// No frame is over the limit. A message that is written again means the same, and is no longer than it was.
fn read<T: Serialize + DeserializeOwned>(stream: &[u8], limit: usize) {
    let mut frames = frames(Cursor::new(stream.to_vec()), limit);
    while let Some(Some(Ok(frame))) = frames.next().now_or_never() {
        assert!(frame.len() <= limit);
        let Ok(message) = decode::<T>(&frame) else { continue };
        assert!(decode::<T>(&[&frame[..], &[0]].concat()).is_err(), "a byte too many is not noticed");
        let written = encode(&message).unwrap();
        assert!(written.len() <= frame.len(), "{} bytes became {}", frame.len(), written.len());
        let again = encode(&decode::<T>(&written).unwrap()).unwrap();
        assert_eq!(again, written);
    }
}
