//! What the front refuses by itself, before the account hears of it, in the words of AWS.

use hyper::StatusCode;

/// Why a request does not reach the account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    #[error("{0}")]
    IncompleteSignature(String),
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    #[error("{0}")]
    InvalidSignature(String),
    #[error("Without --credentials, this service is only called by an IP address or as localhost.")]
    OtherHost,
    #[error("{0}")]
    Serialization(String),
    #[error("This service has no such operation.")]
    UnknownOperation,
    #[error("The content type of this protocol is {0}.")]
    UnsupportedMediaType(&'static str),
    #[error("The request is larger than {0} bytes.")]
    TooLarge(usize),
    #[error("The request did not arrive in time.")]
    TooSlow,
    /// The connection broke: nobody reads the answer.
    #[error("The request did not arrive whole.")]
    Cut,
}

impl Refusal {
    /// The name by which SDKs know it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature(_) => "InvalidSignatureException",
            Self::OtherHost => "AccessDeniedException",
            Self::Serialization(_) | Self::Cut => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnsupportedMediaType(_) => "UnsupportedMediaTypeException",
            Self::TooLarge(_) => "RequestEntityTooLargeException",
            Self::TooSlow => "RequestTimeoutException",
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::MissingAuthenticationToken
            | Self::UnrecognizedClient
            | Self::InvalidSignature(_)
            | Self::OtherHost => StatusCode::FORBIDDEN,
            Self::IncompleteSignature(_) | Self::Serialization(_) | Self::Cut => StatusCode::BAD_REQUEST,
            Self::UnknownOperation => StatusCode::NOT_FOUND,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }
}
