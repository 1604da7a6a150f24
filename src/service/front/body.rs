//! Reads a request's body, within limits of size and time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::refusal::Refusal;

/// Bytes. Two certificates of the model's greatest length are far below, even with every character escaped.
const MAX: usize = 512 * 1024;

pub(super) async fn read(body: Incoming, limit: Duration) -> Result<Bytes, Refusal> {
    let read = timeout(limit, Limited::new(body, MAX).collect()).await.map_err(|_| Refusal::TooSlow)?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge(MAX)),
        Err(_) => Err(Refusal::Cut),
    }
}
