//! Notifies the service manager, as systemd's `Type=notify` and `WatchdogSec` expect. Without `NOTIFY_SOCKET` in the
//! environment nothing is sent.

use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState::{self, Ready, Status, Stopping, Watchdog};
use tokio::time::sleep;

use super::probe::{Probe, look_at};

/// All HSMs are listening.
pub fn ready(hsms: usize) {
    notify(&[Ready, Status(&format!("HSMs listening: {hsms}"))]);
}

/// The service listens, and so do its HSMs.
pub fn ready_at(address: SocketAddr) {
    notify(&[Ready, Status(&format!("serving on {address}"))]);
}

/// No more connections are accepted.
pub fn stopping() {
    notify(&[Stopping, Status("finishing open calls")]);
}

/// Feeds the watchdog for as long as the engines of all HSMs answer; never returns if there is a watchdog. A process
/// in which one HSM hangs, perhaps on its disk, is restarted with all of them.
pub async fn keep_watchdog(hsms: Vec<Probe>) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return };
    loop {
        if look_at(&hsms).await.iter().all(|sight| sight.status.is_some()) {
            notify(&[Watchdog]);
        } else {
            tracing::warn!("an HSM does not answer: the service manager's watchdog is not fed");
        }
        // Twice in each `WatchdogSec`, as systemd recommends, so that one notification may be late.
        sleep(half(limit)).await;
    }
}

fn half(limit: Duration) -> Duration {
    limit.checked_div(2).unwrap_or(limit)
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}
