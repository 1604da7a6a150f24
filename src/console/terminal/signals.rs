//! Signals and panics: whatever ends the program, the terminal gets back the modes it had.

use std::sync::Arc;
use std::{io, panic, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;
use signal_hook::low_level::emulate_default_handler;

use crate::console::tty::{Phase, Tty};
use crate::interrupt::Interrupt;

/// Watches until the program ends. Once the terminal is closed, signals end the program as usual.
pub(super) fn watch(tty: &Arc<Tty>, interrupt: Interrupt) -> io::Result<()> {
    restore_on_panic(Arc::clone(tty));
    let mut signals = SignalsInfo::<WithRawSiginfo>::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    let tty = Arc::clone(tty);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // The kernel's own signals have a positive code, those of `kill` have 0 or less.
            let sender = if signal.si_code > 0 { Sender::Keyboard } else { Sender::Process };
            take(signal.si_signo, sender, &tty, &interrupt);
        }
    })?;
    Ok(())
}

/// Gives the terminal back and ends the program as the signal would have.
pub(super) fn end_by(signal: i32, tty: &Tty) {
    tty.close();
    // It fails only for a number that is not a signal.
    let _ = emulate_default_handler(signal);
}

/// Who sent a signal: the kernel, for Ctrl-C at the keyboard, or another process.
enum Sender {
    Keyboard,
    Process,
}

fn take(signal: i32, sender: Sender, tty: &Tty, interrupt: &Interrupt) {
    match (signal, tty.phase(), sender) {
        // Ctrl-C pressed just as the command ended is late, and must not end the program.
        (SIGINT, Phase::Running, _) | (SIGINT, Phase::Asking, Sender::Keyboard) => {
            tty.interrupt();
            interrupt.raise();
        }
        _ => end_by(signal, tty),
    }
}

/// Restores the modes, so that the panic's message is readable. Not for good: a panic in a thread need not end the
/// program, and the next prompt sets its mode again.
fn restore_on_panic(tty: Arc<Tty>) {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if tty.phase() != Phase::Closed {
            tty.restore();
        }
        report(info);
    }));
}
