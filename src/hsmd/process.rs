//! What `hsmd` asks of the system for its own process.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// The limit on open files is too low.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TooFewFiles {
    #[error(
        "{needed} open files are needed for all connections, but the hard limit is {hard}: raise it (LimitNOFILE= in \
         a systemd unit, or `ulimit -Hn`), or lower max_connections in hsmd.json"
    )]
    HardLimit { needed: u64, hard: u64 },
    #[error("cannot raise the limit on open files from {soft} to {needed}: {error}")]
    Refused { soft: u64, needed: u64, error: Errno },
}

/// Files of the program: standard streams, the runtime's, the metrics endpoint's and its connections.
const OWN_FILES: u64 = 64;

/// Files of an HSM besides its connections: the listener, the store, the control socket, a connection being accepted.
const HSM_FILES: u64 = 16;

/// Keeps the memory, which holds keys and passwords, from core dumps and from other programs of the same user.
pub fn protect_memory() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "cannot forbid core dumps by their limit");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "cannot forbid core dumps and debuggers");
    }
}

/// Raises the soft limit on open files to the hard one, where nobody knows yet how many HSMs there will be.
pub fn allow_all_files() {
    let hard = getrlimit(Resource::Nofile).maximum;
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard }) {
        tracing::warn!(%error, "cannot raise the limit on open files");
    }
}

/// Raises the soft limit on open files, if necessary, to what HSMs with so many connections each need. With fewer,
/// connections to one HSM would keep out those to another one.
///
/// # Errors
///
/// If the hard limit is too low.
pub fn allow_files(max_connections: impl IntoIterator<Item = u32>) -> Result<(), TooFewFiles> {
    let of = |connections: u32| u64::from(connections).saturating_add(HSM_FILES);
    let needed = max_connections.into_iter().map(of).fold(OWN_FILES, u64::saturating_add);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(soft) = current.filter(|soft| *soft < needed) else { return Ok(()) };
    if let Some(hard) = maximum.filter(|hard| *hard < needed) {
        return Err(TooFewFiles::HardLimit { needed, hard });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
        .map_err(|error| TooFewFiles::Refused { soft, needed, error })?;
    tracing::info!(from = soft, to = needed, "raised the limit on open files to what all connections need");
    Ok(())
}
