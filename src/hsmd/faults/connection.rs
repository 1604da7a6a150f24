//! One connection through a relay, and what goes wrong in it: named after what the client sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::fault::Fault;
use super::plan::{Plan, STALL};
use crate::protocol::Reply;
use crate::protocol::message::Response;
use crate::wire::frame::{self, Frames, MAX_ANSWER, MAX_BATCH_CALL, frames};
use crate::wire::verifier::{Trust, client_config};

/// Relays frames; what goes wrong ends this connection and nothing else.
pub(super) async fn serve(tcp: TcpStream, tls: TlsAcceptor, plan: &Plan) -> Option<()> {
    let _open = Open::count(&plan.open);
    tcp.set_nodelay(true).ok()?;
    let mut client = frames(tls.accept(tcp).await.ok()?, MAX_BATCH_CALL);
    let hsm = plan.state().hsm;
    let tcp = TcpStream::connect(hsm).await.ok()?;
    tcp.set_nodelay(true).ok()?;
    // The HSM is in this program.
    let tls = TlsConnector::from(Arc::new(client_config(Trust::Nobody, None).ok()?));
    let mut hsm = frames(tls.connect(ServerName::from(hsm.ip()), tcp).await.ok()?, MAX_ANSWER);
    let hello = client.next().await?.ok()?;
    let welcome = ask(&mut hsm, hello).await?;
    client.send(welcome).await.ok()?;
    while let Some(()) = relay_one(&mut client, &mut hsm, plan).await {}
    Some(())
}

/// One connection of those that are open.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn count(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Relays one call and its answer; `None` ends the connection.
async fn relay_one<C, H>(client: &mut Frames<C>, hsm: &mut Frames<H>, plan: &Plan) -> Option<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    if plan.due(|fault| fault == Fault::ClosesBefore).is_some() {
        return None;
    }
    // The HSM may hang up while nobody asks it anything.
    let call = tokio::select! { call = client.next() => call?.ok()?, _ = hsm.next() => return None };
    let Some(fault) = plan.due(|_| true) else {
        let answer = ask(hsm, call).await?;
        plan.count_down();
        return client.send(answer).await.ok();
    };
    match fault {
        Fault::ClosesBefore | Fault::ClosesWithin => None,
        Fault::Dies => {
            plan.close().await;
            None
        }
        Fault::Stalls => {
            sleep(STALL).await;
            None
        }
        Fault::Trickles => trickle(client, &framed(&ask(hsm, call).await?)?).await,
        Fault::OtherToken => client.send(anothers(&ask(hsm, call).await?)?).await.ok(),
        Fault::ClosesAfter | Fault::HalfFrame | Fault::Garbage | Fault::Oversized | Fault::WrongReply => {
            let answer = ask(hsm, call).await?;
            send_instead(client, &instead(fault, &answer)?).await;
            None
        }
    }
}

/// What is sent instead of an answer.
fn instead(fault: Fault, answer: &[u8]) -> Option<Vec<u8>> {
    match fault {
        Fault::HalfFrame => {
            let mut half = framed(answer)?;
            half.truncate(half.len().div_ceil(2).max(LENGTH));
            Some(half)
        }
        Fault::Garbage => framed(&[0xff; 40]),
        Fault::Oversized => Some(vec![0x7f, 0xff, 0xff, 0xff, 1, 2, 3]),
        // A success, with a list of no members.
        Fault::WrongReply => framed(&[0, 1, 1, 0]),
        Fault::ClosesAfter
        | Fault::ClosesBefore
        | Fault::ClosesWithin
        | Fault::Dies
        | Fault::OtherToken
        | Fault::Stalls
        | Fault::Trickles => Some(Vec::new()),
    }
}

/// Bytes of a frame's length.
const LENGTH: usize = 4;

fn framed(content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?.to_be_bytes();
    Some([&length[..], content].concat())
}

async fn send_instead<C: AsyncRead + AsyncWrite + Unpin>(client: &mut Frames<C>, bytes: &[u8]) {
    // A client that has gone misses nothing.
    let _ = client.get_mut().write_all(bytes).await;
    let _ = client.get_mut().flush().await;
}

async fn trickle<C: AsyncRead + AsyncWrite + Unpin>(client: &mut Frames<C>, bytes: &[u8]) -> Option<()> {
    for byte in bytes {
        client.get_mut().write_all(&[*byte]).await.ok()?;
        client.get_mut().flush().await.ok()?;
        sleep(Duration::from_millis(1)).await;
    }
    Some(())
}

/// The answer to a call for a token, with somebody else's; any other answer as it is.
fn anothers(answer: &[u8]) -> Option<Bytes> {
    let mut answer: Response = frame::decode(answer).ok()?;
    if let Ok(Some(Reply::GetToken(token))) = &mut answer {
        "mallory".clone_into(&mut token.about.user);
    }
    frame::encode(&answer).ok()
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(hsm: &mut Frames<S>, call: Bytes) -> Option<Bytes> {
    hsm.send(call).await.ok()?;
    hsm.next().await?.ok()
}
