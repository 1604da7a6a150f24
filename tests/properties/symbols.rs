//! Cryptography in symbols: the value of a key is a name, and what is wrapped says in clear under which name.

use cloudhsm::hsm::{Computation, Computed, Copied, CopiedKey, Material, NewKey, Work, Worked, Wrapped};
use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attribute::Attributes;
use cloudhsm::protocol::key::{KeyClass, KeySpec, KeyType, PublicKeyInfo};
use cloudhsm::protocol::wrap::{Sealed, WrappedBytes};
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::wire::frame::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::keys::attributes;

/// A key's value. The halves of a pair have one name: whoever knows the private half knows what the other encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Value {
    pub(crate) class: KeyClass,
    pub(crate) key_type: KeyType,
    pub(crate) name: u32,
}

/// A wrapped value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blob {
    /// The name of the wrapping key, or pair.
    pub(crate) under: u32,
    pub(crate) mechanism: WrapMechanism,
    pub(crate) value: Value,
}

impl Value {
    pub(crate) fn secret(name: u32) -> Self {
        Self { class: KeyClass::Secret, key_type: KeyType::Aes, name }
    }

    fn half(class: KeyClass, name: u32) -> Self {
        Self { class, key_type: KeyType::Rsa, name }
    }

    pub(crate) fn public(name: u32) -> PublicKeyInfo {
        PublicKeyInfo(Self::half(KeyClass::Public, name).to_bytes())
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        encode(&self).unwrap().to_vec()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode(bytes).ok()
    }

    pub(crate) fn of(material: &Material) -> Self {
        Self::from_bytes(&material.wrapped.0).unwrap()
    }

    fn key(self) -> NewKey {
        let bytes = self.to_bytes();
        let mut fingerprint = [0; 32];
        fingerprint[..bytes.len()].copy_from_slice(&bytes);
        let is = |class| self.class == class;
        NewKey {
            attributes: Attributes {
                key_type: self.key_type,
                encrypt: !is(KeyClass::Private),
                wrap: !is(KeyClass::Private),
                decrypt: !is(KeyClass::Public),
                unwrap: !is(KeyClass::Public),
                sign: is(KeyClass::Private),
                verify: is(KeyClass::Public),
                modulus: (!is(KeyClass::Secret)).then(|| encode(&self.name).unwrap().to_vec()),
                ..attributes(self.class)
            },
            material: Material { wrapped: Wrapped(bytes), fingerprint },
        }
    }
}

impl Blob {
    pub(crate) fn new(under: u32, value: Value) -> Self {
        Self { under, mechanism: WrapMechanism::AesWrapPad, value }
    }

    pub(crate) fn wrapped(self) -> WrappedBytes {
        WrappedBytes { bytes: encode(&self).unwrap().to_vec(), iv: Vec::new() }
    }

    pub(crate) fn read(wrapped: &WrappedBytes) -> Option<Self> {
        decode(&wrapped.bytes).ok()
    }

    fn opened(wrapped: &WrappedBytes, by: &Material, mechanism: &WrapMechanism) -> Result<Value, Refusal> {
        let fits = |blob: &Self| blob.under == Value::of(by).name && blob.mechanism == *mechanism;
        Self::read(wrapped).filter(fits).map(|blob| blob.value).ok_or(Refusal::WrappedKeyInvalid)
    }
}

/// What making a key would bring: a new name, if no other number is the same.
pub(crate) fn generated(spec: KeySpec, number: u32) -> Vec<NewKey> {
    match spec {
        KeySpec::Rsa { .. } | KeySpec::RsaWithExponent { .. } | KeySpec::Ec(_) | KeySpec::Dsa { .. } => {
            [KeyClass::Public, KeyClass::Private].map(|class| Value::half(class, number).key()).to_vec()
        }
        KeySpec::Aes { .. } | KeySpec::GenericSecret { .. } | KeySpec::TripleDes => {
            vec![Value::secret(number).key()]
        }
    }
}

/// Work with the values of keys.
pub(crate) fn done(work: &Work) -> Option<Worked> {
    match work {
        Work::Compute(of) => Some(Worked::Computed { of: of.clone(), result: computed(of) }),
        // The signer is no part of the HSM as a value.
        Work::Attest(statement) => {
            Some(Worked::Attested { statement: statement.clone(), signature: vec![1] })
        }
        Work::Mask(copied) => Some(Worked::Masked(encode(copied).unwrap().to_vec())),
        Work::Unmask(object) => {
            Some(Worked::Unmasked(decode(object).map_err(|_| Refusal::MaskedObjectInvalid)))
        }
        Work::MaskAll(keys) => {
            let masked =
                |key: &CopiedKey| (key.handle, Some(encode(&Copied::Key(key.clone())).unwrap().to_vec()));
            Some(Worked::MaskedAll(keys.iter().map(masked).collect()))
        }
        Work::UnmaskAll(objects) => {
            let read = |object: &Vec<u8>| decode(object).map_err(|_| Refusal::MaskedObjectInvalid);
            Some(Worked::UnmaskedAll(objects.iter().map(read).collect()))
        }
        Work::Print(of) => {
            let prints = of.iter().map(|_| ([1; 16], [2; 16])).collect();
            Some(Worked::Printed { of: of.clone(), family: [3; 16], prints })
        }
        Work::HashPassword | Work::CheckPassword(_) | Work::Generate(_) | Work::Random => None,
    }
}

fn computed(what: &Computation) -> Result<Computed, Refusal> {
    let wrap = |by: &Material, mechanism: &WrapMechanism, value| {
        let (under, mechanism) = (Value::of(by).name, mechanism.clone());
        Ok(Computed::Wrapped(Blob { under, mechanism, value }.wrapped()))
    };
    match what {
        Computation::Wrap { key, wrapping, mechanism } => wrap(wrapping, mechanism, Value::of(key)),
        Computation::WrapHost { wrapping, mechanism, data } => {
            wrap(wrapping, mechanism, Value::from_bytes(data.expose()).ok_or(Refusal::InvalidInput)?)
        }
        Computation::Unwrap { wrapping, mechanism, wrapped, class, key_type } => {
            let value = Blob::opened(wrapped, wrapping, mechanism)?;
            let is_of_kind = (value.class, value.key_type) == (*class, *key_type);
            if is_of_kind { Ok(Computed::Key(value.key().into())) } else { Err(Refusal::WrappedKeyInvalid) }
        }
        Computation::UnwrapHost { wrapping, mechanism, wrapped, recipient } => {
            let sealed = Blob::opened(wrapped, wrapping, mechanism)?.to_bytes();
            Ok(Computed::Sealed(Sealed { sender: recipient.clone(), sealed }))
        }
        Computation::TakeInPublic(PublicKeyInfo(bytes)) => {
            let value = Value::from_bytes(bytes).filter(|value| value.class == KeyClass::Public);
            Ok(Computed::Key(value.ok_or(Refusal::InvalidInput)?.key().into()))
        }
        Computation::ReadPublic(key) => Ok(Computed::Bytes(key.wrapped.0.clone())),
        Computation::Sign { key, hash, .. } => Ok(Computed::Bytes(signature(key, hash))),
        Computation::Verify { key, hash, signature: given, .. } => {
            let is_right = *given == signature(key, hash);
            if is_right { Ok(Computed::Bytes(Vec::new())) } else { Err(Refusal::BadSignature) }
        }
    }
}

fn signature(key: &Material, hash: &[u8]) -> Vec<u8> {
    [encode(&Value::of(key).name).unwrap().as_ref(), hash].concat()
}
