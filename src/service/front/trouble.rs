//! How a request fails: refused here, or failed in the account.

use hyper::StatusCode;

use super::protocol::Exception;
use super::refusal::Refusal;
use crate::service::failure::Failure;
use crate::service::shapes::decode::Undecodable;

/// Why a client gets no answer to its question.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<Undecodable> for Trouble {
    fn from(error: Undecodable) -> Self {
        match error {
            Undecodable::Type { .. } => Self::Refused(Refusal::Serialization(error.to_string())),
            Undecodable::Value(failure) => Self::Failed(failure),
        }
    }
}

impl Trouble {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::Failed(failure) => failure.kind(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Failed(failure) => {
                StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The exceptions of the model have a `Message`, those that all services share a `message`.
    pub(super) fn exception(&self) -> Exception<'static> {
        let member = match self {
            Self::Refused(_) => "message",
            Self::Failed(_) => "Message",
        };
        Exception { name: self.name(), member, text: self.to_string() }
    }
}
