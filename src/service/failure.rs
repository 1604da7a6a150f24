//! How an operation fails.

use std::fmt::Display;

/// The exceptions of the service model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the model's names")]
pub enum Failure {
    #[error("{0}")]
    AccessDenied(String),
    /// A fault of this program or its machine; clients try again.
    #[error("{0}")]
    InternalFailure(String),
    #[error("{0}")]
    InvalidRequest(String),
    #[error("{0}")]
    ResourceLimitExceeded(String),
    #[error("{0}")]
    ResourceNotFound(String),
    #[error("{0}")]
    Service(String),
    #[error("{0}")]
    Tag(String),
}

impl Failure {
    /// The shape's name, `__type` in an answer.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) => "CloudHsmAccessDeniedException",
            Self::InternalFailure(_) => "CloudHsmInternalFailureException",
            Self::InvalidRequest(_) => "CloudHsmInvalidRequestException",
            Self::ResourceLimitExceeded(_) => "CloudHsmResourceLimitExceededException",
            Self::ResourceNotFound(_) => "CloudHsmResourceNotFoundException",
            Self::Service(_) => "CloudHsmServiceException",
            Self::Tag(_) => "CloudHsmTagException",
        }
    }

    /// The HTTP status: only an internal failure is a fault of the server in the model.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InternalFailure(_) => 500,
            Self::AccessDenied(_)
            | Self::InvalidRequest(_)
            | Self::ResourceLimitExceeded(_)
            | Self::ResourceNotFound(_)
            | Self::Service(_)
            | Self::Tag(_) => 400,
        }
    }

    pub(in crate::service) fn invalid(reason: impl Display) -> Self {
        Self::InvalidRequest(reason.to_string())
    }

    pub(in crate::service) fn internal(reason: impl Display) -> Self {
        Self::InternalFailure(reason.to_string())
    }
}
