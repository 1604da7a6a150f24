//! A service in this process, on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::service::account::{Account, Options};
use cloudhsm::service::front::Front;
use cloudhsm::service::front::gate::credentials::Credentials;
use cloudhsm::service::front::gate::{Entry, Gate};
use cloudhsm::service::front::limits::Limits;
use cloudhsm::service::front::listening::Listening;
use cloudhsm::service::shapes::names::Region;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Stopped when dropped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
    account: Option<Account>,
    runtime: Runtime,
    _folder: TempDir,
}

/// Those of the gate's default.
pub(crate) const REGION: &str = "us-east-1";

/// Short enough to wait for.
pub(crate) const SHORT: Limits =
    Limits { connections: 4, head: Duration::from_secs(1), body: Duration::from_secs(1) };

impl Service {
    pub(crate) fn open() -> Self {
        Self::start(Entry::Everybody, Limits::default())
    }

    pub(crate) fn with_credentials(file: &Path) -> Self {
        Self::start(Entry::Owners(Credentials::read(file).unwrap()), Limits::default())
    }

    pub(crate) fn start(entry: Entry, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let (stop, _context) = (CancellationToken::new(), runtime.enter());
        let listening = Listening::on("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listening.address;
        let password_hash = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };
        let options = Options { password_hash, ..Options::default() };
        let account = runtime.block_on(Account::open(&folder.path().join("account"), options)).unwrap();
        let gate = Gate::new(entry, Region::parse(REGION).unwrap());
        let front = Front::new(account.clone(), gate, limits);
        let serving = Some(runtime.spawn(listening.serve(front, stop.clone())));
        drop(_context);
        Self { address, stop, serving, account: Some(account), runtime, _folder: folder }
    }

    /// Stops, and waits until the last request is answered.
    pub(crate) fn stop(&mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving).unwrap();
        }
        if let Some(account) = self.account.take() {
            self.runtime.block_on(account.close());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}
