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
    /// Others have to approve it, and there is no token that enough of them have approved.
    MxnAuthFailed = 0x10016, "RET_MXN_AUTH_FAILED";
    /// It is something else.
    PublicKeyInvalid = 0x10017, "HSM Error: The public key is not an RSA key of 2048 bits";
    /// Another user has registered it: one person would approve twice.
    PublicKeyTaken = 0x10018, "HSM Error: The public key is registered for another user";
    /// registerQuorumPubKey does not change it.
    PublicKeyIsSecondFactor = 0x10019, "HSM Error: The key is the second factor of this user, changePswd -2fa changes it";
    /// Of something else, by another key, or damaged.
    SignatureInvalid = 0x1001a, "HSM Error: The signature does not verify";
    /// Below 2, above 8, or above the number of COs who can approve.
    MValueInvalid = 0x1001b, "HSM Error: M is to be 2 to 8, and at most the number of COs with a registered key";
    /// Who may change the M value of service 3 has to be at least as many as that.
    MValueOrder = 0x1001c, "HSM Error: M of service 4 is to be set first, and never below that of service 3";
    /// It is one without approvals, or with those of each key.
    NoMValue = 0x1001d, "HSM Error: This service has no M value that could be set";
    /// Nobody has to approve it.
    NoQuorum = 0x1001e, "HSM Error: No approvals are needed for this, M is not set";
    /// The HSM holds 1,024 tokens, none of them expired.
    TooManyTokens = 0x1001f, "HSM Error: The maximum number of tokens is reached";
    /// Tokens are only for who is logged in.
    TokenForAnother = 0x10020, "HSM Error: A token is given to the user who is logged in only";
    /// There is none of this HSM in the file.
    TokenForeign = 0x10021, "HSM Error: The token is of another HSM";
    /// It was used up, deleted, or its session ended.
    TokenGone = 0x10022, "HSM Error: The token was used or deleted, or its login has ended";
    /// Another user got it.
    TokenOfAnother = 0x10023, "HSM Error: The token is of another user";
    /// The same user got it, on another connection.
    TokenOfAnotherSession = 0x10024, "HSM Error: The token is of another session";
    /// It is older than ten minutes.
    TokenExpired = 0x10025, "HSM Error: The token has expired";
    /// One approval counts once.
    AlreadyApproved = 0x10026, "HSM Error: This approver has approved the token already";
    /// There is nothing to verify a signature with.
    ApproverNotRegistered = 0x10027, "HSM Error: This approver has no registered public key";
    /// A CU for what COs approve, a CO or a stranger to the key for what its users approve.
    NotAnApprover = 0x10028, "HSM Error: This user is none of those who may approve this";
    /// Without it fewer than M could approve.
    OfficerNeeded = 0x10029, "HSM Error: The quorum needs this CO, fewer than M would be left to approve";
    /// The user has one, and nothing was signed.
    SecondFactorMissing = 0x1002a, "HSM Error: This user logs in with a second factor, use -2fa and sign the digests";
    /// No digest was given in this session for this user and this purpose, or it was used.
    DigestUnknown = 0x1002b, "HSM Error: No digest was given for this, or it was used already";
    /// Only COs have one.
    SecondFactorForOfficers = 0x1002c, "HSM Error: Only a CO can have a second factor";
    /// Its attributes say no, or it is of another kind.
    KeyUnfit = 0x1002d, "HSM Error: The key does not allow this, or the mechanism does not fit it";
    /// There is a signature of another digest only, such as an earlier one, or none.
    DigestUnsigned = 0x1002e, "HSM Error: The digest that was given last is not signed";
    /// It is one of the original that this HSM has not.
    ServiceNotOffered = 0x1002f, "HSM Error: This HSM does not offer this service";
    /// Others approved what was done to the key since the copy was made.
    CopyIsOlder = 0x10030, "HSM Error: The copy is older than what was approved for this key since";
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
