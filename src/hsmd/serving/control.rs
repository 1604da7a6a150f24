//! How a program on the same machine asks a running HSM for what clients cannot ask: through a socket in the HSM's
//! folder, which only the folder's owner can reach. The store of a running HSM is locked.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::engine::Engine;
use super::socket::{self, Socket, encode};
use crate::hsm::Unlock;
use crate::hsm::audit::AuditHead;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// For the [`Hsm`](crate::hsm::Hsm) as of the last acknowledged change.
    Snapshot,
    /// For a `Result<(), Refusal>`.
    Unlock(Unlock),
    /// For the audit log after a number: a `Result<AuditPart, String>`.
    AuditPart(u64),
    /// To drop the audit log's records up to the second head, as a piece from the first one on has them: for a
    /// `Result<(), String>`.
    Prune(AuditHead, AuditHead),
}

/// How long an asker waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listening socket; its file is removed when this is dropped.
pub struct Control(Socket);

impl Control {
    /// Listens in the folder of an HSM whose store this process has open.
    ///
    /// # Errors
    ///
    /// If the socket cannot be created.
    pub fn listen(folder: &Path) -> io::Result<Self> {
        Socket::listen(folder).map(Self)
    }

    /// Answers whoever connects.
    pub async fn serve(self, engine: Engine, stop: CancellationToken) {
        let answer = move |ask| {
            let engine = engine.clone();
            async move { answer(ask, &engine).await }
        };
        self.0.serve(answer, stop).await;
    }
}

/// `None` if the HSM is stopping.
async fn answer(ask: Ask, engine: &Engine) -> Option<Zeroizing<Vec<u8>>> {
    match ask {
        Ask::Snapshot => encode(&engine.snapshot().await?),
        Ask::Unlock(user) => encode(&engine.by_owner(move |hsm, now| hsm.unlock(&user, now)).await),
        Ask::AuditPart(after) => {
            let part = engine
                .with_store(move |store| store.audit_part(after).map_err(|error| error.to_string()))
                .await;
            encode(&part.unwrap_or_else(closed))
        }
        Ask::Prune(from, to) => {
            let pruned = engine
                .with_store(move |store| store.prune(&from, &to).map_err(|error| error.to_string()))
                .await;
            encode(&pruned.unwrap_or_else(closed))
        }
    }
}

fn closed<T>() -> Result<T, String> {
    Err("the store failed, and cannot be read now".to_owned())
}

/// Asks the HSM that is running on a folder; `None` if none is.
///
/// # Errors
///
/// If one is running and does not answer.
pub fn ask<T: DeserializeOwned>(folder: &Path, ask: &Ask) -> io::Result<Option<T>> {
    socket::ask(folder, ask, PATIENCE)
}
