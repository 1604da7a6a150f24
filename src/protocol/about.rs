//! What a request says of itself. Permission, approvals and the audit record are decided from this and the table of
//! operations, so that no rule can forget them.

use super::Secret;
use super::key_handle::KeyHandle;
use super::service::Service;
use super::user_type::UserType;

/// What one operation says of itself. By default it names nothing and is as its line of the table lists it.
pub trait About {
    /// The user that the operation is about.
    fn subject(&self) -> Option<(UserType, &str)> {
        None
    }

    /// The key that the operation uses or changes.
    fn key(&self) -> Option<KeyHandle> {
        None
    }

    /// The second key that it uses, which needs approvals of its own.
    fn other_key(&self) -> Option<KeyHandle> {
        None
    }

    /// The password in it: given to log in, or new.
    fn password(&self) -> Option<&Secret> {
        None
    }

    /// Whether it brings signatures of digests.
    fn is_signed(&self) -> bool {
        false
    }

    /// Who may ask.
    fn access(&self, listed: Access) -> Access {
        listed
    }

    /// Its number in the audit log; `None` if it is not recorded.
    fn opcode(&self, listed: Option<u16>) -> Option<u16> {
        listed
    }

    /// What others may have to approve it for.
    fn service(&self, listed: Option<Service>) -> Option<Service> {
        listed
    }
}

/// Who may ask for an operation. An HSM decides this before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, even on a connection whose other end has proved nothing.
    Public,
    /// Anyone, once the HSM has proved that it belongs to the cluster: the question holds a secret, or the answer is
    /// for a login.
    Anyone,
    /// Any user who is logged in.
    LoggedIn,
    /// A CO.
    Officer,
    /// A CO, or any user for themselves.
    OfficerOrSelf,
    /// A CO or a CU, for themselves.
    Oneself,
    /// A CU.
    CryptoUser,
    /// A CO or the AU, who keep HSMs alike.
    Overseer,
    /// A CU, a CO or the AU.
    User,
    /// Whoever may set the attribute: [`About::access`] says who that is.
    ByAttribute,
}
