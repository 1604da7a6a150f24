//! The table of operations: each tied to its one kind of reply, to who may ask, and to what others may have
//! to approve it for.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Secret;
use super::attribute::Attributes;
use super::certificate::{Certificate, GetCertificate};
use super::device::{DescribeHsm, HsmDescription, ListMembers, Member};
use super::key::{
    DeleteKey, DescribeKey, FindKeys, GenerateKey, KeyDescription, KeyHandle, KeyList, ListKeys,
    ReadAttributes, SetAttribute, ShareKey, Sign, Signature,
};
use super::masked::{ExtractKey, ExtractUser, InsertKey, InsertUser, Inserted, MaskedObject};
use super::quorum::Service::{ManageKey, MiscCo, UseKey, UserManagement};
use super::quorum::{
    ApproveToken, DeleteTokens, GetMValue, GetToken, ListTokens, RegisterQuorumKey, Service, SetMValue,
    Token, TokenRow,
};
use super::second_factor::{Digest, GetDigest};
use super::session::{Login, Logout};
use super::user::{ChangePassword, CreateUser, DeleteUser, ListUsers, UserId, UserRow, UserType};

/// Something a client may ask an HSM.
pub trait Operation: Serialize + DeserializeOwned + Send {
    /// What the HSM says if it does not refuse.
    type Reply: Clone + Send;

    /// Who may ask.
    const ACCESS: Access;

    /// What it leaves behind.
    const EFFECT: Effect;

    /// What others may have to approve it for: if an M value is set for that, or the key has one.
    const SERVICE: Option<Service>;

    /// The operation as one of all.
    fn into_request(self) -> Request;

    /// The operation's own reply as one of all.
    fn wrap(reply: Self::Reply) -> Reply;

    /// The operation's own reply out of all; `None` if the HSM answered another question.
    fn reply(reply: Reply) -> Option<Self::Reply>;
}

/// Who may ask for an operation. An HSM decides this before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also on a connection whose other end has proved nothing.
    Public,
    /// Everybody whose HSM has proved to be of the cluster: the question holds a secret, or the answer is for a login.
    Anyone,
    /// Everybody who is logged in.
    LoggedIn,
    /// A CO.
    Officer,
    /// A CO, and anybody for oneself.
    OfficerOrSelf,
    /// A CO or a CU, for oneself.
    Oneself,
    /// A CU.
    CryptoUser,
    /// A CO or the AU: who sees to it that HSMs are equal.
    Overseer,
    /// A CU, a CO or the AU.
    User,
    /// Whoever may set the attribute: a CU, or a CO for whether a key is trusted.
    ByAttribute,
}

/// What an operation leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Something of the connection's: its login, its tokens, or that one is used up. It ends with the connection, so it
    /// is never answered from memory.
    Session,
    /// A durable change: rehearsed first, audited, and done once however often it is asked.
    Change,
}

/// The one macro of the project: a line of the table gives a request, its reply and its properties one name.
macro_rules! operations {
    ($($operation:ident -> $reply:ty, $access:ident, $effect:ident, $service:expr;)*) => {
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

            /// Who may ask.
            #[must_use]
            pub fn access(&self) -> Access {
                match self { $(Self::$operation(_) => $operation::ACCESS,)* }
            }

            /// What it leaves behind.
            #[must_use]
            pub fn effect(&self) -> Effect {
                match self { $(Self::$operation(_) => $operation::EFFECT,)* }
            }

            /// What others may have to approve it for.
            #[must_use]
            pub fn service(&self) -> Option<Service> {
                match self { $(Self::$operation(_) => $operation::SERVICE,)* }
            }

            /// The operation's name, as it stands in the table.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$operation(_) => stringify!($operation),)* }
            }
        }

        impl Reply {
            /// The name of the operation that it answers.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$operation(_) => stringify!($operation),)* }
            }
        }

        $(impl Operation for $operation {
            type Reply = $reply;

            const ACCESS: Access = Access::$access;

            const EFFECT: Effect = Effect::$effect;

            const SERVICE: Option<Service> = $service;

            fn into_request(self) -> Request { Request::$operation(self) }

            fn wrap(reply: $reply) -> Reply { Reply::$operation(reply) }

            fn reply(reply: Reply) -> Option<$reply> {
                match reply { Reply::$operation(reply) => Some(reply), _ => None }
            }
        })*
    };
}

operations! {
    DescribeHsm       -> HsmDescription,      Public,        None,    None;
    ListMembers       -> Vec<Member>,         Public,        None,    None;
    ListUsers         -> Vec<UserRow>,        Public,        None,    None;
    Login             -> (),                  Anyone,        Session, None;
    Logout            -> (),                  LoggedIn,      Session, None;
    CreateUser        -> UserId,              Officer,       Change,  Some(UserManagement);
    DeleteUser        -> (),                  Officer,       Change,  Some(UserManagement);
    ChangePassword    -> (),                  OfficerOrSelf, Change,  Some(UserManagement);
    GenerateKey       -> Vec<KeyHandle>,      CryptoUser,    Change,  None;
    DeleteKey         -> (),                  CryptoUser,    Change,  None;
    FindKeys          -> Vec<KeyHandle>,      CryptoUser,    None,    None;
    DescribeKey       -> KeyDescription,      CryptoUser,    None,    None;
    ReadAttributes    -> Attributes,          CryptoUser,    None,    None;
    SetAttribute      -> (),                  ByAttribute,   Change,  Some(ManageKey);
    ShareKey          -> (),                  CryptoUser,    Change,  Some(ManageKey);
    ListKeys          -> KeyList,             Overseer,      None,    None;
    ExtractKey        -> MaskedObject,        User,          None,    None;
    InsertKey         -> Inserted<KeyHandle>, User,          Change,  None;
    ExtractUser       -> MaskedObject,        Officer,       None,    None;
    InsertUser        -> Inserted<UserId>,    Officer,       Change,  Some(UserManagement);
    GetCertificate    -> Certificate,         Public,        None,    None;
    RegisterQuorumKey -> (),                  Oneself,       Change,  None;
    SetMValue         -> (),                  Officer,       Change,  Some(MiscCo);
    GetMValue         -> u8,                  LoggedIn,      None,    None;
    GetToken          -> Token,               LoggedIn,      Session, None;
    ApproveToken      -> (),                  LoggedIn,      Session, None;
    ListTokens        -> Vec<TokenRow>,       LoggedIn,      None,    None;
    DeleteTokens      -> (),                  LoggedIn,      Session, None;
    GetDigest         -> Digest,              Anyone,        Session, None;
    Sign              -> Signature,           CryptoUser,    Session, Some(UseKey);
}

impl Request {
    /// The password in it, if there is one: given to log in, or new.
    #[must_use]
    pub fn password(&self) -> Option<&Secret> {
        if let Self::Login(Login { password, .. })
        | Self::CreateUser(CreateUser { password, .. })
        | Self::ChangePassword(ChangePassword { password, .. }) = self
        {
            return Some(password);
        }
        None
    }

    /// Whether it brings signatures of digests.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        matches!(
            self,
            Self::Login(Login { second_factor: Some(_), .. })
                | Self::CreateUser(CreateUser { second_factor: Some(_), .. })
                | Self::ChangePassword(ChangePassword { second_factor: Some(_), .. })
        )
    }

    /// The key that the operation uses or changes.
    #[must_use]
    pub fn key(&self) -> Option<KeyHandle> {
        if let Self::DeleteKey(DeleteKey { handle })
        | Self::ShareKey(ShareKey { handle, .. })
        | Self::SetAttribute(SetAttribute { handle, .. })
        | Self::ExtractKey(ExtractKey { handle })
        | Self::Sign(Sign { handle, .. }) = self
        {
            return Some(*handle);
        }
        None
    }

    /// The user that the operation is about: for permission and for the audit log.
    #[must_use]
    pub fn subject(&self) -> Option<(UserType, &str)> {
        if let Self::Login(Login { user_type, name, .. })
        | Self::CreateUser(CreateUser { user_type, name, .. })
        | Self::DeleteUser(DeleteUser { user_type, name })
        | Self::ChangePassword(ChangePassword { user_type, name, .. })
        | Self::RegisterQuorumKey(RegisterQuorumKey { user_type, name, .. })
        | Self::ApproveToken(ApproveToken { user_type, name, .. })
        | Self::GetDigest(GetDigest { user_type, name, .. }) = self
        {
            return Some((*user_type, name));
        }
        None
    }
}
