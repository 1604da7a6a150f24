//! One client's connection, from its first frame to its last.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::engine::Attempt;
use super::shared::Shared;
use super::strangers::{Guest, Stage};
use super::turns::Recent;
use crate::hsm::{SessionId, Verdict, Work};
use crate::hsmd::following;
use crate::protocol::message::{Call, Hello, Response, Round, VERSION, Welcome};
use crate::protocol::{Effect, Refusal, Reply, Request};
use crate::wire::frame::{self, Frames, MAX_BATCH_CALL, MAX_CALL, MAX_HELLO, frames};

/// Why the HSM ended a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("no hello in time")]
    NoHello,
    #[error("the client closed the connection before its hello")]
    HungUp,
    #[error("a call was not complete in time")]
    HalfACall,
    #[error("no login within {0:?}")]
    NoLogin(Duration),
    #[error("no call within {0:?}")]
    Idle(Duration),
    #[error("there are too many connections without a login")]
    PushedOut,
    #[error("the client speaks protocol version {0}")]
    Version(u16),
    #[error("it claims to be a member of this cluster and is not")]
    NotAMember,
    #[error("{0}")]
    Garbage(#[from] frame::Garbage),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Who says hello.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Client,
    /// Another HSM that claims to be of the same cluster.
    Member,
}

/// Attempts at one call: work is repeated if what it was based on has changed meanwhile, such as a password's hash.
const MAX_WORK: usize = 8;

/// Serves a connection until either side closes it or the HSM stops. A call that has begun is answered.
pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    client: IpAddr,
    guest: &mut Guest,
    shared: &Shared,
    stop: &CancellationToken,
) -> Result<(), SessionError> {
    guest.is_at(Stage::Waiting);
    let mut frames = frames(stream, MAX_HELLO);
    let pushed_out = guest.pushed_out();
    let caller = tokio::select! {
        greeted = greet(&mut frames, shared) => greeted?,
        () = pushed_out.cancelled() => return Err(SessionError::PushedOut),
    };
    if caller == Caller::Member {
        return serve_member(&mut frames, guest, shared, stop).await;
    }
    let Some(session) = shared.engine.open(client).await else { return Ok(()) };
    let served = tokio::select! {
        served = serve_calls(&mut frames, guest, shared, session, stop) => served,
        () = pushed_out.cancelled() => Err(SessionError::PushedOut),
    };
    shared.engine.close(session).await;
    // The client may be gone already, or may not read.
    let goodbye = timeout(shared.limits.hello, frames.close());
    tokio::select! { _ = goodbye => {}, () = pushed_out.cancelled() => {} }
    served
}

/// Serves another HSM of the cluster.
async fn serve_member(
    frames: &mut Frames<TlsStream<TcpStream>>,
    guest: &mut Guest,
    shared: &Shared,
    stop: &CancellationToken,
) -> Result<(), SessionError> {
    let pushed_out = guest.pushed_out();
    let member = tokio::select! {
        admitted = timeout(shared.limits.hello, following::admit(frames, shared)) => {
            admitted.map_err(|_| SessionError::NoHello)??.ok_or(SessionError::NotAMember)?
        }
        () = pushed_out.cancelled() => return Err(SessionError::PushedOut),
    };
    guest.logged_in();
    tokio::select! {
        answered = following::answer(frames, shared, member) => Ok(answered?),
        () = stop.cancelled() => Ok(()),
    }
}

async fn greet(frames: &mut Frames<TlsStream<TcpStream>>, shared: &Shared) -> Result<Caller, SessionError> {
    let hello = timeout(shared.limits.hello, frames.next()).await.map_err(|_| SessionError::NoHello)?;
    let hello: Hello = frame::decode(&hello.ok_or(SessionError::HungUp)??)?;
    let welcome = Welcome { version: VERSION, hsm_id: shared.hsm_id.clone() };
    frames.send(frame::encode(&welcome)?).await?;
    frames.set_limit(MAX_CALL);
    match hello.version {
        VERSION => Ok(Caller::Client),
        following::PEER => Ok(Caller::Member),
        other => Err(SessionError::Version(other)),
    }
}

async fn serve_calls(
    frames: &mut Frames<TlsStream<TcpStream>>,
    guest: &mut Guest,
    shared: &Shared,
    session: SessionId,
    stop: &CancellationToken,
) -> Result<(), SessionError> {
    let mut hashes = Recent::default();
    loop {
        let frame = tokio::select! {
            frame = next_call(frames, shared, guest) => frame?,
            () = stop.cancelled() => return Ok(()),
        };
        let Some(frame) = frame else { return Ok(()) };
        let call: Call = frame::decode(&frame)?;
        if frame.len() > MAX_CALL && !matches!(call.request, Request::InsertKeys(_)) {
            return Err(frame::Garbage.into());
        }
        let name = call.request.name();
        guest.is_at(Stage::Calling);
        let mut answer = answer(call, shared, session, &mut hashes).await;
        if let (Ok(Some(Reply::PrintKeys(page))), Some(following)) = (&mut answer, shared.part.now()) {
            following.mark(page);
        }
        guest.is_at(Stage::Waiting);
        shared.requests.count(name, &answer);
        match answer {
            Ok(Some(Reply::Login(()))) => {
                guest.logged_in();
                frames.set_limit(MAX_BATCH_CALL);
            }
            Ok(Some(Reply::Logout(()))) => {
                guest.logged_out();
                frames.set_limit(MAX_CALL);
            }
            _ => {}
        }
        let refusal = answer.as_ref().err().map(|refusal| refusal.text());
        tracing::debug!(hsm_id = %shared.hsm_id, %session, call = name, refusal);
        let sent = timeout(shared.limits.call, frames.send(frame::encode(&answer)?)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
}

/// Waits for a call: unless the settings limit it, for ever while somebody is logged in, as operators leave their
/// consoles open, but not for the rest of a call that has begun, nor for long without a login, whatever was called
/// meanwhile.
async fn next_call(
    frames: &mut Frames<TlsStream<TcpStream>>,
    shared: &Shared,
    guest: &Guest,
) -> Result<Option<Bytes>, SessionError> {
    let waits = Instant::now();
    loop {
        let left = guest.time_left(shared.without_login);
        if left.is_some_and(|left| left.is_zero()) {
            guest.timed_out();
            return Err(SessionError::NoLogin(shared.without_login));
        }
        let max_idle = shared.max_idle.filter(|_| left.is_none());
        let idle_left = max_idle.map(|limit| limit.saturating_sub(waits.elapsed()));
        if let (Some(limit), Some(Duration::ZERO)) = (max_idle, idle_left) {
            return Err(SessionError::Idle(limit));
        }
        let limit = [left, idle_left].into_iter().flatten().fold(shared.limits.call, Duration::min);
        let has_begun = frames.has_begun();
        match timeout(limit, frames.next()).await {
            Ok(Some(frame)) => return closed_is_none(frame),
            Ok(None) => return Ok(None),
            Err(_) if has_begun => return Err(SessionError::HalfACall),
            Err(_) => {}
        }
    }
}

/// A client may close TCP without a TLS `close_notify`: that is not an error.
fn closed_is_none(frame: io::Result<Bytes>) -> Result<Option<Bytes>, SessionError> {
    match frame {
        Ok(frame) => Ok(Some(frame)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Decides a call; where that needs slow work, does the work and decides again with its result. The engine does not
/// wait meanwhile.
async fn answer(call: Call, shared: &Shared, session: SessionId, hashes: &mut Recent) -> Response {
    let Call { round, request } = call;
    let request = Arc::new(request);
    let mut worked = None;
    for _ in 0..MAX_WORK {
        let attempt = Attempt { request: Arc::clone(&request), round, caller: session, worked };
        match (shared.engine.decide(attempt).await, round) {
            (Verdict::Refused(refusal), _) => return Err(refusal),
            (Verdict::Reply(_), Round::Rehearse) => return Ok(None),
            (Verdict::Needs(work), Round::Rehearse) if !refuses(&work, &request) => return Ok(None),
            (Verdict::Reply(reply), Round::Perform(_)) => return Ok(Some(reply)),
            (Verdict::Needs(work), Round::Rehearse | Round::Perform(_)) => {
                let done = shared.worker.work(work, &request, hashes).await;
                worked = Some(done.ok_or(Refusal::OutOfResources)?);
            }
        }
    }
    // The password changed each time, while it was being compared.
    Err(Refusal::LoginFailure)
}

/// Whether the work only finds out how a change is refused, so that a rehearsal needs it, too. A rehearsed login compares
/// no passwords: nothing would count the wrong ones.
fn refuses(work: &Work, request: &Request) -> bool {
    matches!(work, Work::CheckPassword(_)) && request.effect() == Effect::Change
}
