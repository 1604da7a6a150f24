//! What goes wrong: when a client connects, or when it calls.

/// What a client meets that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The HSM.
    Open,
    /// Nobody listens.
    Refuses,
    /// Accepts and never says a word.
    StallsInHandshake,
    /// Holds a certificate that the owner's CA does not know.
    WrongCertificate,
    /// Is something else than an HSM.
    SpeaksNoTls,
}

/// What a client meets that calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Hangs up after the answer before.
    ClosesBefore,
    /// Hangs up on the call, which the HSM never sees.
    ClosesWithin,
    /// Hangs up on the call, which the HSM has done.
    ClosesAfter,
    /// As [`ClosesWithin`](Self::ClosesWithin), and nobody listens from then on.
    Dies,
    /// Sends half of the answer and hangs up.
    HalfFrame,
    /// Sends a frame that is no answer.
    Garbage,
    /// Announces a frame of 2 GiB.
    Oversized,
    /// Sends the answer to another question.
    WrongReply,
    /// Gives a token for something else.
    OtherToken,
    /// Sends nothing.
    Stalls,
    /// Sends the answer a byte at a time.
    Trickles,
}

impl Fault {
    /// Those that any call can meet.
    pub const ANY_CALL: [Self; 10] = [
        Self::ClosesBefore,
        Self::ClosesWithin,
        Self::ClosesAfter,
        Self::Dies,
        Self::HalfFrame,
        Self::Garbage,
        Self::Oversized,
        Self::WrongReply,
        Self::Stalls,
        Self::Trickles,
    ];
}
