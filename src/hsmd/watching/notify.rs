//! Telling the service manager how far the daemon is, as systemd's `Type=notify` wants it. Nothing happens where
//! nobody wants to know, which is where `NOTIFY_SOCKET` is not set.

use std::time::Duration;

use sd_notify::NotifyState::{self, Ready, Status, Stopping, Watchdog};
use tokio::time::sleep;

use super::probe::{Probe, look_at};

/// So many HSMs listen.
pub fn ready(hsms: usize) {
    tell(&[Ready, Status(&format!("HSMs listening: {hsms}"))]);
}

/// No more connections are taken.
pub fn stopping() {
    tell(&[Stopping, Status("answering what was asked, then stopping")]);
}

/// Tells twice in each `WatchdogSec` that the owners of all HSMs answer, if they do; for ever.
pub async fn keep_watchdog(hsms: Vec<Probe>) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return };
    loop {
        if look_at(&hsms).await.iter().all(|sight| sight.status.is_some()) {
            tell(&[Watchdog]);
        } else {
            tracing::warn!("an HSM does not answer, the service manager's watchdog is not told otherwise");
        }
        sleep(half(limit)).await;
    }
}

fn half(limit: Duration) -> Duration {
    limit.checked_div(2).unwrap_or(limit)
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
