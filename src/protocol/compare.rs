//! What HSMs hold, in a form that can be compared: names, and prints in the place of values.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::key_handle::KeyHandle;
use super::user::{UserId, UserType};

/// Stands for a value: equal for equal values in one clone family. Nobody can find the value by it.
pub type Print = [u8; 16];

/// Asks for the prints of all users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrintUsers;

impl About for PrintUsers {}

/// The users of an HSM. They all fit in a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPrints {
    /// The name of the clone family. Prints of another family say nothing.
    pub family: [u8; 16],
    /// In the order of their ids.
    pub users: Vec<UserPrint>,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPrint {
    /// On the HSM that answers.
    pub id: UserId,
    /// With the name, the same on all HSMs.
    pub user_type: UserType,
    /// As typed when the user was created.
    pub name: String,
    /// `None` for a caller who may not compare users.
    pub details: Option<UserDetails>,
}

/// What may differ between two copies of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDetails {
    /// How the password is hashed. If that differs, equal passwords have different prints.
    pub method: Print,
    /// The hash of the password.
    pub password: Print,
    /// The key registered for approvals, or as a second factor.
    pub quorum_key: Option<Print>,
    /// Whether the user signs with that key to log in.
    pub second_factor: bool,
    /// Whether too many wrong passwords were given.
    pub locked: bool,
}

/// Asks for the prints of token keys: a CU for their own, a CO or the AU for all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrintKeys {
    /// The last handle of the page before.
    pub after: Option<KeyHandle>,
}

impl About for PrintKeys {}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPrints {
    /// In the order of their handles.
    pub keys: Vec<KeyPrint>,
    /// Whether this is the last page.
    pub is_last: bool,
    /// Those of them that were changed differently here and on another HSM of the cluster, which stay as they are.
    pub unordered: Vec<KeyHandle>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPrint {
    /// The same on all HSMs.
    pub handle: KeyHandle,
    /// By the number that the owner has on this HSM.
    pub owner: UserId,
    /// By their numbers on this HSM.
    pub shared_with: Vec<UserId>,
    /// The key's value.
    pub value: Print,
    /// All attributes.
    pub attributes: Print,
    /// How many users have to approve its use.
    pub m_value: u8,
    /// How many of its changes were approved.
    pub approved: u32,
    /// About as many bytes has its masked object.
    pub size: u32,
}

/// Keys of one page: at most some hundred kilobytes.
pub const PAGE: usize = 4096;
