//! Signals and panics: whatever ends the program, the terminal is as it was before.

use std::sync::Arc;
use std::{io, panic, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;
use signal_hook::low_level::emulate_default_handler;

use crate::console::tty::{Phase, Tty};
use crate::interrupt::Interrupt;

/// Watches until the program ends, also after the terminal was closed, when the signals end it as usual.
pub(super) fn watch(tty: &Arc<Tty>, interrupt: Interrupt) -> io::Result<()> {
    restore_on_panic(Arc::clone(tty));
    let mut signals = SignalsInfo::<WithRawSiginfo>::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
    let tty = Arc::clone(tty);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let sender = if signal.si_code > 0 { Sender::Keyboard } else { Sender::Process };
            take(signal.si_signo, sender, &tty, &interrupt);
        }
    })?;
    Ok(())
}

/// Ends the program as the signal would have, after the terminal was given back.
pub(super) fn end_by(signal: i32, tty: &Tty) {
    tty.close();
    // It fails only for signals that do not exist.
    let _ = emulate_default_handler(signal);
}

/// Who raised a signal: the kernel, for Ctrl-C at the keyboard, or another process.
enum Sender {
    Keyboard,
    Process,
}

fn take(signal: i32, sender: Sender, tty: &Tty, interrupt: &Interrupt) {
    match (signal, tty.phase(), sender) {
        // Pressed while the command ended: a late one must not end the program.
        (SIGINT, Phase::Running, _) | (SIGINT, Phase::Asking, Sender::Keyboard) => {
            tty.interrupt();
            interrupt.raise();
        }
        _ => end_by(signal, tty),
    }
}

/// A panic's message must be readable, and a thread's panic need not end the program: the next prompt sets the
/// mode again.
fn restore_on_panic(tty: Arc<Tty>) {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if tty.phase() != Phase::Closed {
            tty.restore();
        }
        report(info);
    }));
}
