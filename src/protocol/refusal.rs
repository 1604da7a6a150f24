//! The closed table of reasons why an HSM says no.

use serde::{Deserialize, Serialize};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why an HSM did not do what it was asked. Nothing has changed there but counted failures.
        ///
        /// New ones go to the end: the order is the wire format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number in the audit log. Numbers from 0x10000 are this project's: the original's are unknown.
            #[must_use]
            pub fn code(self) -> u32 {
                match self { $(Self::$name => $code,)* }
            }

            /// The words behind `failed:`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

refusals! {
    /// The password is wrong.
    LoginFailure = 0xa3, "HSM Error: RET_USER_LOGIN_FAILURE";
    /// No user has this type and name.
    NoSuchUser = 0xce, "HSM Error: This user doesn't exist";
    /// The type is not one that the operation takes.
    InvalidUserType = 0xdb, "invalid user type";
    /// Another user has this type and name.
    UserExists = 0x10001, "HSM Error: This user is already created";
    /// The name, or another value, is not one that the operation takes.
    InvalidInput = 0x10002, "HSM Error: Invalid input data/params";
    /// The password is too short or too long.
    PasswordLength = 0x10003, "min pswd len 7 and max pswd len 32";
    /// The operation needs a login.
    NotLoggedIn = 0x10004, "HSM Error: No user is logged in to do this operation";
    /// The operation needs another user.
    NotAuthorized = 0x10005, "HSM Error: The current logged in user is not authorized to do this operation";
    /// The user has a session open.
    UserIsLoggedIn = 0x10006, "HSM Error: Deletion or Changing password of a logged in User is denied";
    /// Too many wrong passwords; only a CO's changePswd unlocks.
    UserLockedOut = 0x10007, "HSM Error: This user is locked out after too many login failures";
    /// The HSM holds 1,024 users.
    TooManyUsers = 0x10008, "HSM Error: The maximum number of users is reached";
    /// The change could not be made durable; the HSM takes no more changes until it is restarted.
    StoreFailure = 0x10009, "HSM Error: The change could not be stored, no more changes until the HSM is restarted";
    /// The HSM did another operation under the same id.
    OperationIdReused = 0x1000a, "HSM Error: Operation id is already used for another operation";
    /// The HSM is stopping.
    ShuttingDown = 0x1000b, "HSM Error: The HSM is shutting down";
    /// Memory or random numbers could not be had; the HSM's log may say more.
    OutOfResources = 0x1000c, "HSM Error: The HSM is out of resources";
    /// No key has this handle.
    InvalidHandle = 0xa8, "HSM Error: Invalid object handle is passed to this operation";
    /// FIPS mode, or this HSM, does not make such a key.
    PolicyViolation = 0xb3, "HSM Error: This operation violates the current configured/FIPS policies";
    /// The key belongs to somebody else.
    KeyAccessDenied = 0xc6, "HSM Error: Key Access is denied";
    /// The HSM holds 16,666 keys.
    TooManyKeys = 0x1000d, "HSM Error: The maximum number of keys is reached";
    /// The user owns keys.
    UserOwnsKeys = 0x1000e, "HSM Error: This user owns keys and cannot be deleted";
    /// OBJ_ATTR_DESTROYABLE is 0.
    KeyNotDestroyable = 0x1000f, "HSM Error: This key is not destroyable";
    /// Nobody may set the attribute.
    AttributeReadOnly = 0x10010, "HSM Error: This attribute is not modifiable";
    /// The object is damaged, or not one.
    MaskedObjectInvalid = 0x10011, "HSM Error: The masked object is damaged or of another kind";
    /// The object is of an HSM that this one was not cloned from or with.
    MaskedObjectForeign = 0x10012, "HSM Error: The masked object is of another clone family";
    /// The key's owner, or a user that it is shared with, is not on this HSM.
    MaskedOwnerMissing = 0x10013, "HSM Error: The owner of the key, or a user it is shared with, doesn't exist on this HSM";
    /// Another key has the handle.
    HandleTaken = 0x10014, "HSM Error: Another key has this handle on this HSM";
    /// Nobody owns the cluster yet; the HSM answers public questions only.
    NotInitialized = 0x10015, "HSM Error: The cluster is not initialized";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Refusal;

    #[test]
    fn codes_and_texts_are_unique() {
        let codes: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        let texts: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.text()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        assert_eq!(texts.len(), Refusal::ALL.len());
    }
}
