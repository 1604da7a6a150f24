//! The account over HTTP, as AWS's clients call it.
//!
//! ```text
//!  listening ── answer ┬─ route ── protocol      what is asked for, and in which of the two protocols
//!                      ├─ body, gate             reads the request, and says who calls, and for which region
//!                      ├─ call                   decodes, asks the account, encodes
//!                      └─ tally                  counts
//! ```
//!
//! * [`listening`]: connections, within [`limits`]. `answer`: one request.
//! * [`gate`]: regions, credentials and signatures.
//! * `refusal`: what goes wrong before the account hears of it. `trouble`: that, or the account's own failures.

mod answer;
mod body;
mod call;
pub mod gate;
pub mod limits;
pub mod listening;
mod protocol;
mod refusal;
mod request_id;
mod route;
mod tally;
mod trouble;

use super::account::Account;
use gate::Gate;
use limits::Limits;
use tally::Tally;

/// What every request needs.
pub struct Front {
    account: Account,
    gate: Gate,
    limits: Limits,
    tally: Tally,
}

impl Front {
    /// The front of an account.
    #[must_use]
    pub fn new(account: Account, gate: Gate, limits: Limits) -> Self {
        Self { account, gate, limits, tally: Tally::default() }
    }
}
