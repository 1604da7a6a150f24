//! The table of operations: what each replies, who may ask for it, what it leaves behind, its number in the audit
//! log, and what others may have to approve it for.
//!
//! # Adding an operation
//!
//! 1. `protocol/<noun>.rs`: its struct, and an [`About`] for it, empty unless the operation names a user or a key.
//! 2. The table: a line at its end.
//! 3. `hsm/<noun>.rs`: its rule, a `Decide`.
//! 4. `cmu/data.rs`: a `Data` for its reply, unless another operation has a reply of the same type.
//!
//! The compiler asks for each of them. An audited operation whose number is new gets a name in `hsm/audit.rs`, too; a
//! test asks for that.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Secret;
use super::about::{About, Access};
use super::attestation::{Attest, Attestation};
use super::attribute::{Attributes, ReadAttributes, SetAttribute};
use super::certificate::{Certificate, GetCertificate};
use super::compare::{KeyPrints, PrintKeys, PrintUsers, UserPrints};
use super::device::{
    DescribeHsm, DescribePartition, HsmDescription, ListMembers, Member, PartitionDescription,
};
use super::key::{
    CreatePublicKey, DeleteKey, DescribeKey, FindKeys, GenerateKey, KeyDescription, KeyHandle, KeyList,
    ListKeys, PublicKeyInfo, ReadPublicKey, ShareKey, Sign, Signature, Verify,
};
use super::masked::{
    ExtractKey, ExtractKeys, ExtractUser, InsertKey, InsertKeys, InsertUser, Inserted, MaskedObject, Rows,
};
use super::quorum::Service::{ManageKey, MiscCo, UseKey, UserManagement};
use super::quorum::{
    ApproveToken, DeleteTokens, GetMValue, GetToken, ListTokens, RegisterQuorumKey, Service, SetMValue,
    Token, TokenRow,
};
use super::second_factor::{Digest, GetDigest};
use super::session::{Login, Logout};
use super::user::{
    ChangePassword, CreateUser, DeleteUser, EndSessions, ListUsers, UserId, UserRow, UserType,
};
use super::wrap::{Sealed, UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};

/// Something a client may ask an HSM: a line of the table.
pub trait Operation: About + Serialize + DeserializeOwned + Send {
    /// What the HSM says if it does not refuse.
    type Reply: Clone + Send;

    /// Who may ask.
    const ACCESS: Access;

    /// What it leaves behind.
    const EFFECT: Effect;

    /// Its number in the audit log, which records management commands only.
    const OPCODE: Option<u16>;

    /// What others may have to approve it for: if an M value is set for that, or the key has one.
    const SERVICE: Option<Service>;

    /// The operation as one of all.
    fn into_request(self) -> Request;

    /// The operation's own reply as one of all.
    fn wrap(reply: Self::Reply) -> Reply;

    /// The operation's own reply out of all; `None` if the HSM answered another question.
    fn reply(reply: Reply) -> Option<Self::Reply>;
}

/// Does something with an operation, or with a reply, by its own type. A visitor of requests has an implementation for
/// each operation of the table; without one of them [`Request::visit`] does not compile.
pub trait Visit<T> {
    /// The same for all types.
    type Output;

    /// Does it with this one.
    fn visit(&self, visited: &T) -> Self::Output;
}

/// What an operation leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Something that ends with the connection: a login, a token, a digest, or that a token is used up. Such an
    /// operation is never answered from memory.
    Session,
    /// A durable change: rehearsed first, audited, and done once however often it is asked.
    Change,
}

/// Ties each request to its reply and its properties by one name. It is a macro because the two enums, the
/// [`Operation`] of each struct and every forwarding `match` repeat the same list: written out, they would disagree.
macro_rules! operations {
    ($($operation:ident -> $reply:ty, $access:ident, $effect:ident, $opcode:tt, $service:tt;)*) => {
        /// Everything that can be asked. New ones go to the end: the order is the wire format.
        #[derive(Clone, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented where its struct is")]
        pub enum Request { $($operation($operation),)* }

        /// Everything that can be answered, by the name of the question.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented where its struct is")]
        pub enum Reply { $($operation($reply),)* }

        impl Request {
            /// The names of all operations, in the order of the table.
            pub const NAMES: &[&str] = &[$(stringify!($operation),)*];

            /// Their numbers in the audit log.
            #[cfg(test)]
            pub(crate) const OPCODES: &[Option<u16>] = &[$($operation::OPCODE,)*];

            /// The operation's name, as it stands in the table.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$operation(_) => stringify!($operation),)* }
            }

            /// What it leaves behind.
            #[must_use]
            pub fn effect(&self) -> Effect {
                match self { $(Self::$operation(_) => $operation::EFFECT,)* }
            }

            /// [`About::access`]
            #[must_use]
            pub fn access(&self) -> Access {
                match self { $(Self::$operation(op) => op.access($operation::ACCESS),)* }
            }

            /// [`About::service`]
            #[must_use]
            pub fn service(&self) -> Option<Service> {
                match self { $(Self::$operation(op) => op.service($operation::SERVICE),)* }
            }

            /// [`About::opcode`]
            #[must_use]
            pub fn opcode(&self) -> Option<u16> {
                match self { $(Self::$operation(op) => op.opcode($operation::OPCODE),)* }
            }

            /// [`About::subject`]
            #[must_use]
            pub fn subject(&self) -> Option<(UserType, &str)> {
                match self { $(Self::$operation(op) => op.subject(),)* }
            }

            /// [`About::key`]
            #[must_use]
            pub fn key(&self) -> Option<KeyHandle> {
                match self { $(Self::$operation(op) => op.key(),)* }
            }

            /// [`About::other_key`]
            #[must_use]
            pub fn other_key(&self) -> Option<KeyHandle> {
                match self { $(Self::$operation(op) => op.other_key(),)* }
            }

            /// [`About::password`]
            #[must_use]
            pub fn password(&self) -> Option<&Secret> {
                match self { $(Self::$operation(op) => op.password(),)* }
            }

            /// [`About::is_signed`]
            #[must_use]
            pub fn is_signed(&self) -> bool {
                match self { $(Self::$operation(op) => op.is_signed(),)* }
            }

            /// Has the operation visited by its own type.
            pub fn visit<V, T>(&self, visitor: &V) -> T
            where
                $(V: Visit<$operation, Output = T>,)*
            {
                match self { $(Self::$operation(op) => visitor.visit(op),)* }
            }
        }

        impl Reply {
            /// The name of the operation that it answers.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$operation(_) => stringify!($operation),)* }
            }

            /// Has the reply visited by its own type.
            pub fn visit<V, T>(&self, visitor: &V) -> T
            where
                $(V: Visit<$reply, Output = T>,)*
            {
                match self { $(Self::$operation(reply) => visitor.visit(reply),)* }
            }
        }

        $(impl Operation for $operation {
            type Reply = $reply;

            const ACCESS: Access = Access::$access;

            const EFFECT: Effect = Effect::$effect;

            const OPCODE: Option<u16> = operations!(@optional $opcode);

            const SERVICE: Option<Service> = operations!(@optional $service);

            fn into_request(self) -> Request { Request::$operation(self) }

            fn wrap(reply: $reply) -> Reply { Reply::$operation(reply) }

            fn reply(reply: Reply) -> Option<$reply> {
                match reply { Reply::$operation(reply) => Some(reply), _ => None }
            }
        })*
    };
    (@optional -) => { None };
    (@optional $value:expr) => { Some($value) };
}

// Opcodes from 0x1000 are this project's: the original's are unknown.
operations! {
    // operation         reply                who may ask    effect   opcode  approved for
    DescribeHsm       -> HsmDescription,      Public,        None,    -,      -;
    ListMembers       -> Vec<Member>,         Public,        None,    -,      -;
    ListUsers         -> Vec<UserRow>,        Public,        None,    -,      -;
    Login             -> (),                  Anyone,        Session, 0x0d,   -;
    Logout            -> (),                  LoggedIn,      Session, 0x0e,   -;
    CreateUser        -> UserId,              Officer,       Change,  0x03,   UserManagement;
    DeleteUser        -> (),                  Officer,       Change,  0xa1,   UserManagement;
    ChangePassword    -> (),                  OfficerOrSelf, Change,  0x09,   UserManagement;
    GenerateKey       -> Vec<KeyHandle>,      CryptoUser,    Change,  0x17,   -;
    DeleteKey         -> (),                  CryptoUser,    Change,  0x11,   -;
    FindKeys          -> Vec<KeyHandle>,      CryptoUser,    None,    -,      -;
    DescribeKey       -> KeyDescription,      CryptoUser,    None,    -,      -;
    ReadAttributes    -> Attributes,          CryptoUser,    None,    -,      -;
    SetAttribute      -> (),                  ByAttribute,   Change,  0x1f,   ManageKey;
    ShareKey          -> (),                  CryptoUser,    Change,  0x12,   ManageKey;
    ListKeys          -> KeyList,             Overseer,      None,    -,      -;
    ExtractKey        -> MaskedObject,        User,          None,    0xf0,   -;
    InsertKey         -> Inserted<KeyHandle>, User,          Change,  0xf1,   -;
    ExtractUser       -> MaskedObject,        Officer,       None,    0xf0,   -;
    InsertUser        -> Inserted<UserId>,    Officer,       Change,  0xf1,   UserManagement;
    GetCertificate    -> Certificate,         Public,        None,    -,      -;
    RegisterQuorumKey -> (),                  Oneself,       Change,  0x1001, -;
    SetMValue         -> (),                  Officer,       Change,  0x1002, MiscCo;
    GetMValue         -> u8,                  LoggedIn,      None,    -,      -;
    GetToken          -> Token,               LoggedIn,      Session, 0x1003, -;
    ApproveToken      -> (),                  LoggedIn,      Session, 0x1004, -;
    ListTokens        -> Vec<TokenRow>,       LoggedIn,      None,    -,      -;
    DeleteTokens      -> (),                  LoggedIn,      Session, 0x1005, -;
    GetDigest         -> Digest,              Anyone,        Session, -,      -;
    Sign              -> Signature,           CryptoUser,    Session, -,      UseKey;
    WrapKey           -> WrappedBytes,        CryptoUser,    Session, 0x1a,   UseKey;
    UnwrapKey         -> KeyHandle,           CryptoUser,    Change,  0x1b,   UseKey;
    WrapHost          -> WrappedBytes,        CryptoUser,    Session, 0x1e,   UseKey;
    UnwrapHost        -> Sealed,              CryptoUser,    Session, 0x1e,   UseKey;
    CreatePublicKey   -> KeyHandle,           CryptoUser,    Change,  0x1006, -;
    ReadPublicKey     -> PublicKeyInfo,       CryptoUser,    None,    -,      -;
    Verify            -> (),                  CryptoUser,    None,    -,      -;
    Attest            -> Attestation,         CryptoUser,    None,    -,      -;
    DescribePartition -> PartitionDescription, Public,       None,    -,      -;
    EndSessions       -> (),                  Officer,       Change,  0x1007, -;
    PrintUsers        -> UserPrints,          User,          None,    -,      -;
    PrintKeys         -> KeyPrints,           User,          None,    -,      -;
    ExtractKeys       -> Rows<MaskedObject>,  User,          None,    0xf0,   -;
    InsertKeys        -> Rows<Inserted<KeyHandle>>, User,    Change,  0xf1,   -;
}
