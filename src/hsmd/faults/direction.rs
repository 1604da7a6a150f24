//! What is to go wrong, in words: `server 1 dies after 2`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Door, Fault};
use crate::hsm::Lost;
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserType;

/// What is to happen to a server. It is shown as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direction {
    text: String,
    /// Its number in the configuration; `None` for all servers.
    pub server: Option<usize>,
    /// What happens.
    pub what: What,
}

/// What happens to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `server 1 refuses`, `stalls`, `is no HSM`, `has another key`, `is back`: how connections begin from now on.
    Door(Door),
    /// `server 1 dies after 2`, and what else is in [`Fault`]: so many calls are answered before it.
    Fault(usize, Fault),
    /// `server 1 restarts`: its connections are gone.
    Restarts,
    /// `server 1 lacks CU alice`, `server 1 lacks key 7`
    Lacks(Lost),
    /// `clock +10 minutes`, `server 1 clock +1 day`
    ClockAhead(Duration),
}

/// Words that are no direction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}: not a fault; they are: server N refuses | stalls | is no HSM | has another key | is back | restarts | \
     lacks TYPE NAME | lacks key HANDLE | clock +N minutes (hours, days); and server N dies | stalls | hangs up | \
     loses an answer | sends garbage after N"
)]
pub struct NoDirection(String);

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Direction {
    type Err = NoDirection;

    fn from_str(text: &str) -> Result<Self, NoDirection> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (server, rest) = match words.as_slice() {
            ["server", number, rest @ ..] => (number.parse().ok().map(Some), rest),
            rest @ ["clock", ..] => (Some(None), rest),
            _ => (None, [].as_slice()),
        };
        let parsed =
            server.and_then(|server| Some(Self { text: words.join(" "), server, what: what(rest)? }));
        parsed.ok_or_else(|| NoDirection(text.to_owned()))
    }
}

fn what(words: &[&str]) -> Option<What> {
    Some(match words {
        ["clock", amount, unit] => What::ClockAhead(duration(amount, unit)?),
        ["lacks", "key", handle] => What::Lacks(Lost::Key(KeyHandle(handle.parse().ok()?))),
        ["lacks", user_type, name] => match UserType::parse(user_type) {
            UserType::Unknown => return None,
            user_type => What::Lacks(Lost::User(user_type, (*name).to_owned())),
        },
        ["restarts"] => What::Restarts,
        [words @ .., "after", calls] => What::Fault(calls.parse().ok()?, Fault::parse(&words.join(" "))?),
        words => What::Door(Door::parse(&words.join(" "))?),
    })
}

/// `+10` and `minutes`.
fn duration(amount: &str, unit: &str) -> Option<Duration> {
    let amount: u64 = amount.strip_prefix('+')?.parse().ok()?;
    let seconds = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(amount.checked_mul(seconds)?))
}

impl Fault {
    fn parse(words: &str) -> Option<Self> {
        Some(match words {
            "dies" => Self::Dies,
            "stalls" => Self::Stalls,
            "hangs up" => Self::ClosesBefore,
            "hangs up on a call" => Self::ClosesWithin,
            "loses an answer" => Self::ClosesAfter,
            "sends half an answer" => Self::HalfFrame,
            "sends garbage" => Self::Garbage,
            "sends too much" => Self::Oversized,
            "sends another answer" => Self::WrongReply,
            "trickles" => Self::Trickles,
            "gives another token" => Self::OtherToken,
            _ => return None,
        })
    }
}

impl Door {
    fn parse(words: &str) -> Option<Self> {
        Some(match words {
            "refuses" => Self::Refuses,
            "stalls" => Self::StallsInHandshake,
            "is no HSM" => Self::SpeaksNoTls,
            "has another key" => Self::WrongCertificate,
            "is back" => Self::Open,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Direction, What};
    use crate::hsm::Lost;
    use crate::hsmd::faults::{Door, Fault};
    use crate::protocol::key::KeyHandle;
    use crate::protocol::user::UserType;

    #[test]
    fn directions_are_read() {
        let day = Duration::from_secs(24 * 60 * 60);
        for (text, server, what) in [
            ("server 1 dies after 2", Some(1), What::Fault(2, Fault::Dies)),
            ("server 0 stalls after 0", Some(0), What::Fault(0, Fault::Stalls)),
            ("server 0 stalls", Some(0), What::Door(Door::StallsInHandshake)),
            ("server 2 loses an answer after 1", Some(2), What::Fault(1, Fault::ClosesAfter)),
            ("server 1 is back", Some(1), What::Door(Door::Open)),
            ("server 1 restarts", Some(1), What::Restarts),
            ("server 1 lacks CU alice", Some(1), What::Lacks(Lost::User(UserType::Cu, "alice".to_owned()))),
            ("server 1 lacks key 7", Some(1), What::Lacks(Lost::Key(KeyHandle(7)))),
            ("server 1 clock +1 day", Some(1), What::ClockAhead(day)),
            ("clock +24 hours", None, What::ClockAhead(day)),
        ] {
            assert_eq!(text.parse(), Ok(Direction { text: text.to_owned(), server, what }), "{text}");
        }
    }

    #[test]
    fn other_words_are_refused() {
        for text in [
            "",
            "server",
            "server 1",
            "server x dies after 2",
            "server 1 dies",
            "server 1 dies after x",
            "server 1 lacks alice",
            "server 1 lacks XX alice",
            "clock 10 minutes",
            "clock +10 years",
            "clock +99999999999999999999 days",
            "activated",
        ] {
            assert!(text.parse::<Direction>().is_err(), "{text}");
        }
    }
}
