//! One client's connection, from its first frame to its last.

use std::io;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::engine::Question;
use super::server::Service;
use crate::hsm::{Outcome, SessionId};
use crate::protocol::Refusal;
use crate::protocol::message::{Answer, Call, Hello, Round, VERSION, Welcome};
use crate::wire::frame::{self, Frames, MAX_CALL, MAX_HELLO, frames};

/// Why a connection ended before its client ended it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("no hello in time")]
    NoHello,
    #[error("the client speaks protocol version {0}")]
    Version(u16),
    #[error("{0}")]
    Garbage(#[from] frame::Garbage),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How often a comparison is repeated because the password changed meanwhile.
const MAX_WORK: usize = 8;

/// Serves a connection until one of the two ends it or the HSM stops; a call that has begun is answered.
pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    service: &Service,
    stop: &CancellationToken,
) -> Result<(), SessionError> {
    let mut frames = frames(stream, MAX_HELLO);
    greet(&mut frames, service).await?;
    let Some(session) = service.engine.open().await else { return Ok(()) };
    let served = serve_calls(&mut frames, service, session, stop).await;
    service.engine.close(session).await;
    // The client may be gone; there is nobody else to tell.
    let _ = SinkExt::<Bytes>::close(&mut frames).await;
    served
}

async fn greet(frames: &mut Frames<TlsStream<TcpStream>>, service: &Service) -> Result<(), SessionError> {
    let hello = timeout(service.limits.hello, frames.next()).await.map_err(|_| SessionError::NoHello)?;
    let hello: Hello = frame::decode(&hello.ok_or(SessionError::NoHello)??)?;
    let welcome = Welcome { version: VERSION, hsm_id: service.hsm_id.clone() };
    frames.send(frame::encode(&welcome)?).await?;
    if hello.version != VERSION {
        return Err(SessionError::Version(hello.version));
    }
    frames.codec_mut().set_max_frame_length(MAX_CALL);
    Ok(())
}

async fn serve_calls(
    frames: &mut Frames<TlsStream<TcpStream>>,
    service: &Service,
    session: SessionId,
    stop: &CancellationToken,
) -> Result<(), SessionError> {
    loop {
        let frame = tokio::select! {
            frame = frames.next() => frame,
            () = stop.cancelled() => return Ok(()),
        };
        let Some(frame) = frame else { return Ok(()) };
        let call: Call = frame::decode(&frame?)?;
        let name = call.request.name();
        let answer = answer(call, service, session).await;
        let refusal = answer.as_ref().err().map(|refusal| refusal.text());
        tracing::debug!(hsm_id = %service.hsm_id, %session, call = name, refusal);
        let sent = timeout(service.limits.call, frames.send(frame::encode(&answer)?)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
}

async fn answer(call: Call, service: &Service, session: SessionId) -> Answer {
    let Call { round, request } = call;
    let mut password = None;
    for _ in 0..MAX_WORK {
        let question = Question { request: request.clone(), round, caller: session, password };
        match (service.engine.decide(question).await, round) {
            (Outcome::Refused(refusal), _) => return Err(refusal),
            (Outcome::Reply(_) | Outcome::Needs(_), Round::Rehearse) => return Ok(None),
            (Outcome::Reply(reply), Round::Perform(_)) => return Ok(Some(reply)),
            (Outcome::Needs(work), Round::Perform(_)) => {
                let given = request.password().ok_or(Refusal::InvalidInput)?.clone();
                password = service.hasher.work(work, given).await;
            }
        }
    }
    Err(Refusal::LoginFailure)
}
