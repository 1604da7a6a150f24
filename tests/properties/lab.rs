//! Three CUs and a CO on the model HSM, all logged in, and short words for what they ask.

use cloudhsm::hsm::{SessionId, Verdict};
use cloudhsm::protocol::attribute::{Attribute, Attributes, ReadAttributes, SetAttribute, Value as Setting};
use cloudhsm::protocol::key::{GenerateKey, KeyHandle, KeySpec, ShareKey, Sharing, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Inserted, MaskedObject, Place};
use cloudhsm::protocol::user::{UserId, UserType};
use cloudhsm::protocol::wrap::{UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Operation, Refusal, SecretBytes};

use crate::model::{self, World};
use crate::symbols::{Blob, Value};

pub(crate) const ALICE: SessionId = SessionId(1);
pub(crate) const BOB: SessionId = SessionId(2);
pub(crate) const CARL: SessionId = SessionId(3);
pub(crate) const OFFICER: SessionId = SessionId(4);

/// The CUs' ids, by their sessions.
pub(crate) fn id(session: SessionId) -> UserId {
    UserId(session.0 + 2)
}

pub(crate) const AES: KeySpec = KeySpec::Aes { bytes: 32 };
pub(crate) const RSA: KeySpec = KeySpec::Rsa { bits: 2048 };

pub(crate) struct Lab {
    pub(crate) world: World,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let mut lab = Self { world: World::with_users() };
        lab.log_in();
        lab
    }

    pub(crate) fn log_in(&mut self) {
        for (session, name) in [(ALICE, "alice"), (BOB, "bob"), (CARL, "carl")] {
            self.world.perform(&model::login(UserType::Cu, name, true), session);
        }
        self.world.perform(&model::login(UserType::Co, "officer", true), OFFICER);
    }

    pub(crate) fn ask<O: Operation>(&mut self, who: SessionId, operation: O) -> Result<O::Reply, Refusal> {
        match self.world.perform(&operation.into_request(), who).verdict {
            Verdict::Reply(reply) => Ok(O::reply(reply).unwrap()),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Needs(_) => panic!("all work was done"),
        }
    }

    pub(crate) fn make(&mut self, who: SessionId, spec: KeySpec) -> Vec<KeyHandle> {
        self.ask(who, GenerateKey { spec, template: Template::default() }).unwrap()
    }

    pub(crate) fn make_aes(&mut self, who: SessionId) -> KeyHandle {
        self.make(who, AES)[0]
    }

    /// One that a CO trusts, and that the others may use.
    pub(crate) fn make_trusted(&mut self, who: SessionId, others: &[SessionId]) -> KeyHandle {
        let key = self.make_aes(who);
        self.share(who, key, others);
        self.trust(key);
        key
    }

    pub(crate) fn share(&mut self, who: SessionId, handle: KeyHandle, others: &[SessionId]) {
        let users = others.iter().map(|other| id(*other)).collect();
        self.ask(who, ShareKey { handle, users, sharing: Sharing::Share }).unwrap();
    }

    pub(crate) fn trust(&mut self, handle: KeyHandle) {
        self.set(OFFICER, handle, Attribute::Trusted, 1).unwrap();
    }

    pub(crate) fn set(
        &mut self,
        who: SessionId,
        handle: KeyHandle,
        attribute: Attribute,
        flag: u8,
    ) -> Result<(), Refusal> {
        self.ask(who, SetAttribute { handle, attribute, value: Setting::Byte(flag) })
    }

    pub(crate) fn attributes(&mut self, who: SessionId, handle: KeyHandle) -> Attributes {
        self.ask(who, ReadAttributes { handle }).unwrap()
    }

    pub(crate) fn wrap(
        &mut self,
        who: SessionId,
        handle: KeyHandle,
        wrapping: KeyHandle,
    ) -> Result<WrappedBytes, Refusal> {
        let mechanism = WrapMechanism::AesWrapPad;
        self.ask(who, WrapKey { handle, wrapping, mechanism })
    }

    /// By the mechanism and as the kind of key that the bytes speak of.
    pub(crate) fn unwrap(
        &mut self,
        who: SessionId,
        wrapping: KeyHandle,
        wrapped: &WrappedBytes,
    ) -> Result<KeyHandle, Refusal> {
        self.unwrap_as(who, wrapping, wrapped, Template::default())
    }

    pub(crate) fn unwrap_as(
        &mut self,
        who: SessionId,
        wrapping: KeyHandle,
        wrapped: &WrappedBytes,
        template: Template,
    ) -> Result<KeyHandle, Refusal> {
        let Blob { mechanism, value: Value { class, key_type, .. }, .. } = Blob::read(wrapped).unwrap();
        let wrapped = wrapped.clone();
        self.ask(who, UnwrapKey { wrapping, mechanism, wrapped, class, key_type, flags: None, template })
    }

    pub(crate) fn wrap_data(
        &mut self,
        who: SessionId,
        wrapping: KeyHandle,
        mechanism: WrapMechanism,
        value: Value,
    ) -> Result<WrappedBytes, Refusal> {
        let data = SecretBytes::new(value.to_bytes().into());
        self.ask(who, WrapHost { wrapping, mechanism, data })
    }

    /// What the caller then knows.
    pub(crate) fn decrypt(
        &mut self,
        who: SessionId,
        wrapping: KeyHandle,
        wrapped: &WrappedBytes,
    ) -> Result<Value, Refusal> {
        let (mechanism, wrapped) = (Blob::read(wrapped).unwrap().mechanism, wrapped.clone());
        let sealed = self.ask(who, UnwrapHost { wrapping, mechanism, wrapped, recipient: vec![4] })?;
        Ok(Value::from_bytes(&sealed.sealed).unwrap())
    }

    pub(crate) fn mask(&mut self, who: SessionId, handle: KeyHandle) -> Result<MaskedObject, Refusal> {
        self.ask(who, ExtractKey { handle })
    }

    pub(crate) fn insert(
        &mut self,
        who: SessionId,
        object: &MaskedObject,
        place: Place,
    ) -> Result<KeyHandle, Refusal> {
        let (object, existing) = (object.clone(), Existing::Replace);
        self.ask(who, InsertKey { object, place, existing }).map(|inserted: Inserted<_>| *inserted.id())
    }
}
