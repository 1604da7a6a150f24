//! What a relay is to do, which its connections ask.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fault::{Door, Fault};

/// What a relay is to do.
pub(super) struct Plan {
    state: Mutex<State>,
    /// How many connections are relayed.
    pub(super) open: AtomicUsize,
    /// Whose turn it is to stop listening, or to begin again: an address is free only when the last listener is gone.
    pub(super) turn: tokio::sync::Mutex<()>,
}

pub(super) struct State {
    pub(super) hsm: SocketAddr,
    pub(super) door: Door,
    /// Calls to answer before the fault.
    pub(super) fault: Option<(usize, Fault)>,
    /// Ends the listening and the task that listens, while somebody listens.
    pub(super) listening: Option<(CancellationToken, JoinHandle<()>)>,
    /// Ends all connections.
    pub(super) hang_up: CancellationToken,
}

/// How long a stall lasts: longer than a client waits.
pub(super) const STALL: Duration = Duration::from_secs(60);

impl Plan {
    /// Nothing goes wrong, and nobody listens yet.
    pub(super) fn new(hsm: SocketAddr) -> Self {
        let state =
            State { hsm, door: Door::Open, fault: None, listening: None, hang_up: CancellationToken::new() };
        Self { state: Mutex::new(state), open: AtomicUsize::new(0), turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on nobody listens.
    pub(super) async fn close(&self) {
        let _turn = self.turn.lock().await;
        let listening = {
            let mut state = self.state();
            state.door = Door::Refuses;
            state.listening.take()
        };
        if let Some((stop, listening)) = listening {
            stop.cancel();
            // It cannot have panicked.
            let _ = listening.await;
        }
    }

    /// Takes the fault if no call is to be answered before it.
    pub(super) fn due(&self, wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut state = self.state();
        let (0, fault) = state.fault? else { return None };
        if !wanted(fault) {
            return None;
        }
        state.fault = None;
        Some(fault)
    }

    pub(super) fn count_down(&self) {
        if let Some((calls, _)) = &mut self.state().fault {
            *calls = calls.saturating_sub(1);
        }
    }
}
