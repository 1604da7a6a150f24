//! Standard error: what is not part of the session.

use std::fmt::Display;
use std::io::{Write, stderr};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::foreign::printed;

/// Starts the log; `RUST_LOG` says what goes to it.
pub fn start_log() {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(stderr)
        // It would be reported where the log cannot be written.
        .log_internal_errors(false)
        .init();
}

/// Prints a line.
pub fn report(line: &str) {
    // Standard error is closed: there is no other place to report that.
    let _ = writeln!(stderr(), "{}", printed(line));
}

/// Prints a line for each warning.
pub fn warn(program: &str, warnings: &[impl Display]) {
    for warning in warnings {
        report(&format!("{program}: {warning}"));
    }
}

/// Ends `main`, which returns the exit code, or with it the error to report.
#[must_use]
pub fn exit(program: &str, result: Result<u8, (u8, String)>) -> ExitCode {
    let code = result.unwrap_or_else(|(code, error)| {
        report(&format!("{program}: {error}"));
        code
    });
    ExitCode::from(code)
}
