//! The called end of an exchange. It gives nothing to a caller who has not proved to be a member of this cluster.

use std::io;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::membership::EXPORTER;
use super::message::{Ask, Deletion, Met, Proof, Told, TurnedAway, Who};
use super::view::View;
use super::{Following, asking};
use crate::hsm::{Copied, Version};
use crate::hsmd::serving::shared::Shared;
use crate::protocol::key::KeyHandle;
use crate::wire::frame::{self, Frames, Garbage, MAX_CALL, MAX_HELLO};

type Connection = Frames<TlsStream<TcpStream>>;

/// Reads the caller's proof and answers it; `None` if the caller is turned away.
pub(in crate::hsmd) async fn admit(frames: &mut Connection, shared: &Shared) -> io::Result<Option<Member>> {
    // A stranger may say the same hello.
    frames.set_limit(MAX_HELLO);
    let Some(frame) = frames.next().await else { return Ok(None) };
    let proof: Proof = frame::decode(&frame?).map_err(garbage)?;
    let (met, member) = meet(frames, shared, proof).await;
    frames.send(frame::encode(&met).map_err(garbage)?).await?;
    frames.set_limit(MAX_CALL);
    Ok(member)
}

/// A caller who has proved to be a member.
pub(in crate::hsmd) struct Member(Who);

async fn meet(frames: &mut Connection, shared: &Shared, proof: Proof) -> (Met, Option<Member>) {
    let Some(following) = shared.part.now() else { return (Err(TurnedAway::Off), None) };
    let (_, tls) = frames.get_mut().get_ref();
    let exporter = tls.export_keying_material([0; 32], EXPORTER, None);
    if !exporter.is_ok_and(|exporter| following.membership.accepts(&proof, &exporter)) {
        return (Err(TurnedAway::NotAMember), None);
    }
    let Some(view) = following.view(&shared.engine).await else { return (Err(TurnedAway::Off), None) };
    following.called(&proof.who, &view);
    (Ok(following.membership.who(view.root)), Some(Member(proof.who)))
}

/// Answers the questions of a member until it goes.
pub(in crate::hsmd) async fn answer(
    frames: &mut Connection,
    shared: &Shared,
    Member(who): Member,
) -> io::Result<()> {
    let Some(following) = shared.part.now() else { return Ok(()) };
    loop {
        let frame = match timeout(shared.limits.call, frames.next()).await {
            Ok(Some(Ok(frame))) => frame,
            // It has all that it wants.
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Ok(Some(Err(error))) => return Err(error),
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        let ask: Ask = frame::decode(&frame).map_err(garbage)?;
        let told = following.told(ask, who.node_id, shared).await;
        let told = told.ok_or_else(|| io::Error::other("the HSM cannot answer now"))?;
        frames.send(frame::encode(&told).map_err(garbage)?).await?;
    }
}

impl Following {
    /// Notes what a member says that it has, and whether to ask it.
    fn called(&self, who: &Who, view: &View) {
        let mut board = self.board();
        if who.root == view.root {
            board.deletions.all_seen_by(who.node_id, view.all());
        } else if board.hint(who.node_id, view, who.root) {
            self.hinted.notify_one();
        }
    }

    /// `None` if the HSM is stopping, or its store fails.
    async fn told(&self, ask: Ask, caller: u32, shared: &Shared) -> Option<Told> {
        let view = self.view(&shared.engine).await?;
        match ask {
            Ask::Buckets => Some(Told::Buckets(view.buckets.clone())),
            Ask::Bucket(number, named) => {
                let (versions, deletions) = self.bucket(&view, number, &named, caller);
                Some(Told::Bucket(versions, deletions))
            }
            Ask::Keys(handles) => self.keys(&view, &handles, shared).await,
        }
    }

    fn bucket(
        &self,
        view: &View,
        number: u32,
        named: &[Deletion],
        caller: u32,
    ) -> (Vec<(KeyHandle, Version)>, Vec<Deletion>) {
        let deletions = &mut self.board().deletions;
        deletions.learn(named, caller, |handle| view.hsm.version(handle));
        let own = deletions.of(view.bucket(number));
        let settled = deletions.settled(named);
        (view.bucket(number).collect(), own.into_iter().chain(settled).collect())
    }

    async fn keys(&self, view: &View, handles: &[KeyHandle], shared: &Shared) -> Option<Told> {
        let handles = handles.get(..asking::BATCH.min(handles.len()))?;
        let offered = view.hsm.offer(handles);
        let named = offered.iter().filter(|offered| offered.key.is_some());
        let named: Vec<_> = named.map(|offered| offered.handle).collect();
        let masked = shared.worker.with_vault(move |vault| {
            let mask = |key| vault.mask(Copied::Key(key));
            offered.into_iter().map(|offered| offered.map(mask)).collect::<Result<_, _>>()
        });
        let masked = masked.await?.ok()?;
        shared.engine.by_owner(move |hsm, now| Ok(hsm.offered(&named, now))).await.ok()?;
        Some(Told::Keys(masked))
    }
}

fn garbage(error: Garbage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
