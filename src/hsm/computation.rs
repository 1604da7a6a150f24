//! What is computed with the values of keys, which rules never see.

use super::{Case, Material, NewKey, No, Work, Worked};
use crate::protocol::key::{KeyClass, KeyType, PublicKeyInfo, SignMechanism};
use crate::protocol::wrap::{Sealed, WrappedBytes};
use crate::protocol::wrapping::WrapMechanism;
use crate::protocol::{Refusal, SecretBytes};

/// Something to be computed. Only the HSM's cryptography sees the values.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Computation {
    /// Encrypts a key.
    Wrap { key: Material, wrapping: Material, mechanism: WrapMechanism },
    /// Decrypts a key, and makes one of its value.
    Unwrap {
        wrapping: Material,
        mechanism: WrapMechanism,
        wrapped: WrappedBytes,
        class: KeyClass,
        key_type: KeyType,
    },
    /// Encrypts data of the caller.
    WrapHost { wrapping: Material, mechanism: WrapMechanism, data: SecretBytes },
    /// Decrypts, and encrypts again for a recipient.
    UnwrapHost { wrapping: Material, mechanism: WrapMechanism, wrapped: WrappedBytes, recipient: Vec<u8> },
    /// Makes a key of a public key.
    TakeInPublic(PublicKeyInfo),
    /// Decrypts a public key.
    ReadPublic(Material),
    /// Signs a hash with a private key.
    Sign { key: Material, mechanism: SignMechanism, hash: Vec<u8> },
    /// Checks a signature with a public key.
    Verify { key: Material, mechanism: SignMechanism, hash: Vec<u8>, signature: Vec<u8> },
}

/// The result of a [`Computation`].
#[derive(Clone)]
pub enum Computed {
    /// Of [`Computation::Wrap`] and [`Computation::WrapHost`].
    Wrapped(WrappedBytes),
    /// Of [`Computation::Unwrap`] and [`Computation::TakeInPublic`].
    Key(Box<NewKey>),
    /// Of [`Computation::UnwrapHost`].
    Sealed(Sealed),
    /// Of all others: a SubjectPublicKeyInfo in DER, a signature, or nothing.
    Bytes(Vec<u8>),
}

impl Computed {
    pub(super) fn wrapped(&self) -> Option<&WrappedBytes> {
        if let Self::Wrapped(wrapped) = self { Some(wrapped) } else { None }
    }

    pub(super) fn key(&self) -> Option<&NewKey> {
        if let Self::Key(key) = self { Some(key) } else { None }
    }

    pub(super) fn sealed(&self) -> Option<&Sealed> {
        if let Self::Sealed(sealed) = self { Some(sealed) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&Vec<u8>> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

impl<'a> Case<'a> {
    /// The result of a computation. That of another one is ignored: a handle may be another key's by now.
    pub(super) fn computed<T>(
        &self,
        what: Computation,
        kind: fn(&'a Computed) -> Option<&'a T>,
    ) -> Result<&'a T, No> {
        match self.env.worked {
            Some(Worked::Computed { of, result: Ok(result) }) if **of == what => {
                kind(result).ok_or_else(|| Refusal::OutOfResources.into())
            }
            Some(Worked::Computed { of, result: Err(refusal) }) if **of == what => Err((*refusal).into()),
            _ => Err(No::Needs(Work::Compute(Box::new(what)))),
        }
    }
}
