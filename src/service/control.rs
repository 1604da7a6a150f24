//! What the owner of an account's folder asks the running service for, as AWS's API has no operation for it: through a
//! socket in the folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::shapes::names::{BackupId, ClusterId};
use crate::files::without_number;
use crate::hsmd::serving::socket::{self, Socket, encode};

/// What is asked.
#[derive(Serialize, Deserialize)]
enum Ask {
    /// For a backup now: a `Result<BackupId, String>`.
    BackUp(ClusterId),
}

/// How long an asker waits: calls before this one may create HSMs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The socket of a running service.
pub(super) struct Control;

impl Control {
    /// Answers whoever connects, until `stop`.
    pub(super) fn listen(dir: &Path, account: Account, stop: CancellationToken) -> JoinHandle<()> {
        let socket = Socket::listen(dir);
        tokio::spawn(async move {
            let answer = move |ask| {
                let account = account.clone();
                async move { answer(ask, &account).await }
            };
            match socket {
                Ok(socket) => socket.serve(answer, stop).await,
                // For one, a socket's path is limited to about 100 bytes. The service goes on all the same.
                Err(error) => tracing::warn!(%error, "no backup on request while the service runs"),
            }
        })
    }
}

async fn answer(ask: Ask, account: &Account) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    match ask {
        Ask::BackUp(cluster) => {
            let made = account.back_up(cluster.clone()).await;
            match &made {
                Ok(backup) => tracing::info!(%cluster, %backup, "backup on request"),
                Err(reason) => tracing::warn!(%cluster, %reason, "no backup on request"),
            }
            encode(&made.map_err(|failure| failure.to_string()))
        }
    }
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotBackedUp {
    #[error("{dir}: no service is running on this folder; start it with `hsmd service --dir {dir}`", dir = .0.display())]
    NotRunning(PathBuf),
    #[error("{path}: the running service does not answer: {error}", path = .0.display(), error = without_number(.1))]
    Unanswered(PathBuf, io::Error),
    /// What the service says.
    #[error("{0}")]
    Refused(String),
}

/// Asks the service that is running on a folder to back up a cluster now.
///
/// # Errors
///
/// If none is running, or the cluster cannot be backed up.
pub fn back_up(dir: &Path, cluster: ClusterId) -> Result<BackupId, NotBackedUp> {
    let answer = socket::ask::<Result<BackupId, String>>(dir, &Ask::BackUp(cluster), PATIENCE);
    let answer = answer.map_err(|error| NotBackedUp::Unanswered(dir.to_owned(), error))?;
    answer.ok_or_else(|| NotBackedUp::NotRunning(dir.to_owned()))?.map_err(NotBackedUp::Refused)
}
