//! The closed table of reasons why an HSM says no.

use serde::{Deserialize, Serialize};

/// A line of the table gives a reason its code and its text, and, where the text was improved later, the one that the
/// audit log keeps.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal $(, logged as $logged:literal)?;)*) => {
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

            /// The words that a console prints after `failed:`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The words in the audit log. Each record hashes its text, so these never change: older logs would no
            /// longer verify.
            #[must_use]
            pub fn logged(self) -> &'static str {
                match self { $(Self::$name => refusals!(@logged $text $(, $logged)?),)* }
            }
        }
    };
    (@logged $text:literal) => { $text };
    (@logged $text:literal, $logged:literal) => { $logged };
}

refusals! {
    /// The password is wrong.
    LoginFailure = 0xa3, "HSM Error: RET_USER_LOGIN_FAILURE";
    /// No user has this type and name.
    NoSuchUser = 0xce, "HSM Error: This user doesn't exist";
    /// The operation does not take users of this type.
    InvalidUserType = 0xdb, "invalid user type";
    /// Another user has this type and name.
    UserExists = 0x10001, "HSM Error: This user is already created";
    /// The operation does not take this name or another of its values.
    InvalidInput = 0x10002, "HSM Error: Invalid input data/params";
    /// The password is too short or too long.
    PasswordLength = 0x10003, "min pswd len 7 and max pswd len 32";
    /// The operation needs a login.
    NotLoggedIn = 0x10004, "HSM Error: No user is logged in to do this operation";
    /// The operation is for other users.
    NotAuthorized = 0x10005, "HSM Error: The current logged in user is not authorized to do this operation";
    /// The user has a session open.
    UserIsLoggedIn = 0x10006, "HSM Error: Deletion or Changing password of a logged in User is denied";
    /// Too many wrong passwords; only a CO's changePswd unlocks.
    UserLockedOut = 0x10007, "HSM Error: This user is locked out after too many login failures";
    /// The HSM holds 1,024 users.
    TooManyUsers = 0x10008, "HSM Error: The maximum number of users is reached";
    /// The change may not be durable; the HSM tries its store again before the next one.
    StoreFailure = 0x10009, "HSM Error: The change could not be stored, try again when the HSM's disk has space",
        logged as "HSM Error: The change could not be stored, no more changes until the HSM is restarted";
    /// The HSM did another operation under the same id.
    OperationIdReused = 0x1000a, "HSM Error: Operation id is already used for another operation";
    /// The HSM is stopping.
    ShuttingDown = 0x1000b, "HSM Error: The HSM is shutting down";
    /// No memory or no random numbers were to be had; the HSM's log may say more.
    OutOfResources = 0x1000c, "HSM Error: The HSM is out of resources";
    /// No key has this handle.
    InvalidHandle = 0xa8, "HSM Error: Invalid object handle is passed to this operation";
    /// FIPS mode, or this HSM, does not allow such a key.
    PolicyViolation = 0xb3, "HSM Error: This operation violates the current configured/FIPS policies";
    /// The key belongs to another user.
    KeyAccessDenied = 0xc6, "HSM Error: Key Access is denied";
    /// The HSM holds 16,666 keys.
    TooManyKeys = 0x1000d, "HSM Error: The maximum number of keys is reached";
    /// A user's keys cannot outlive the user.
    UserOwnsKeys = 0x1000e, "HSM Error: This user owns keys and cannot be deleted";
    /// OBJ_ATTR_DESTROYABLE is 0.
    KeyNotDestroyable = 0x1000f, "HSM Error: This key is not destroyable";
    /// Nobody may set the attribute.
    AttributeReadOnly = 0x10010, "HSM Error: This attribute is not modifiable";
    /// It was altered, or it is a key where a user is wanted, or the other way round.
    MaskedObjectInvalid = 0x10011, "HSM Error: The masked object is damaged or of another kind";
    /// This HSM shares no origin, and so no masking key, with the one that made the object.
    MaskedObjectForeign = 0x10012, "HSM Error: The masked object belongs to another clone family",
        logged as "HSM Error: The masked object is of another clone family";
    /// Users are found by type and name.
    MaskedOwnerMissing = 0x10013, "HSM Error: The owner of the key, or a user it is shared with, doesn't exist on this HSM";
    /// A copy replaces the same key only.
    HandleTaken = 0x10014, "HSM Error: Another key has this handle on this HSM";
    /// Nobody owns the cluster yet; the HSM answers public questions only.
    NotInitialized = 0x10015, "HSM Error: The cluster is not initialized";
    /// Others have to approve it, and no token has enough approvals.
    MxnAuthFailed = 0x10016, "RET_MXN_AUTH_FAILED";
    /// It is another kind of key, or not a key.
    PublicKeyInvalid = 0x10017, "HSM Error: The public key is not an RSA key of 2048 bits";
    /// One person could approve twice.
    PublicKeyTaken = 0x10018, "HSM Error: The public key is registered for another user";
    /// registerQuorumPubKey would end the second factor.
    PublicKeyIsSecondFactor = 0x10019, "HSM Error: The key is the second factor of this user, changePswd -2fa changes it";
    /// It signs something else, another key made it, or it is damaged.
    SignatureInvalid = 0x1001a, "HSM Error: The signature does not verify";
    /// With more, nothing could ever be approved.
    MValueInvalid = 0x1001b, "HSM Error: M must be 2 to 8 and no more than the number of COs",
        logged as "HSM Error: M is to be 2 to 8, and at most the number of COs with a registered key";
    /// Service 4 approves changes of M values: fewer COs than service 3 needs must not be able to lower that number.
    MValueOrder = 0x1001c, "HSM Error: M of service 4 must be set first and must not be less than that of service 3",
        logged as "HSM Error: M of service 4 is to be set first, and never below that of service 3";
    /// Its operations need no approval, or the keys have M values of their own.
    NoMValue = 0x1001d, "HSM Error: This service has no M value that could be set";
    /// A token would be good for nothing.
    NoQuorum = 0x1001e, "HSM Error: No approvals are needed for this, M is not set";
    /// The HSM holds 1,024 tokens, and none of them has expired.
    TooManyTokens = 0x1001f, "HSM Error: The maximum number of tokens is reached";
    /// The name is another user's.
    TokenForAnother = 0x10020, "HSM Error: A token is given only to the user who is logged in",
        logged as "HSM Error: A token is given to the user who is logged in only";
    /// None in the file is this HSM's.
    TokenForeign = 0x10021, "HSM Error: The token belongs to another HSM",
        logged as "HSM Error: The token is of another HSM";
    /// The HSM no longer has it.
    TokenGone = 0x10022, "HSM Error: The token was used or deleted, or its login has ended";
    /// Another user got it.
    TokenOfAnother = 0x10023, "HSM Error: The token belongs to another user",
        logged as "HSM Error: The token is of another user";
    /// The same user got it on another connection.
    TokenOfAnotherSession = 0x10024, "HSM Error: The token belongs to another session",
        logged as "HSM Error: The token is of another session";
    /// It is older than ten minutes.
    TokenExpired = 0x10025, "HSM Error: The token has expired";
    /// One approval counts once.
    AlreadyApproved = 0x10026, "HSM Error: This approver has already approved the token",
        logged as "HSM Error: This approver has approved the token already";
    /// No key would verify a signature.
    ApproverNotRegistered = 0x10027, "HSM Error: This approver has no registered public key";
    /// COs approve what officers do; who may use a key approves its use.
    NotAnApprover = 0x10028, "HSM Error: This user may not approve this",
        logged as "HSM Error: This user is none of those who may approve this";
    /// Nothing could ever be approved again.
    OfficerNeeded = 0x10029, "HSM Error: Without this CO fewer than M approvers would be left",
        logged as "HSM Error: The quorum needs this CO, fewer than M would be left to approve";
    /// The user has one, and the login brings no signature.
    SecondFactorMissing = 0x1002a, "HSM Error: This user logs in with a second factor, use -2fa and sign the digests";
    /// This session has no digest for this user and this purpose, or has used it.
    DigestUnknown = 0x1002b, "HSM Error: No digest was given for this, or it was used already";
    /// CUs and the AU log in by password alone.
    SecondFactorForOfficers = 0x1002c, "HSM Error: Only a CO can have a second factor";
    /// Its attributes forbid it, or it is of another kind.
    KeyUnfit = 0x1002d, "HSM Error: The key does not allow this, or the mechanism does not fit it";
    /// The signature, if any, is of another digest, such as an earlier one.
    DigestUnsigned = 0x1002e, "HSM Error: The latest digest is not signed",
        logged as "HSM Error: The digest that was given last is not signed";
    /// The original has it, this HSM does not.
    ServiceNotOffered = 0x1002f, "HSM Error: This HSM does not offer this service";
    /// It would undo a change that others have approved since.
    CopyIsOlder = 0x10030, "HSM Error: The copy is older than an approved change of this key",
        logged as "HSM Error: The copy is older than what was approved for this key since";
    /// The signature is not one of this hash by this key.
    BadSignature = 0x1b, "CSP Error: ERR_BAD_PKCS_DATA";
    /// OBJ_ATTR_EXTRACTABLE is 0.
    KeyNotExtractable = 0x10031, "HSM Error: This key is not extractable";
    /// OBJ_ATTR_WRAP_WITH_TRUSTED is 1, and the wrapping key's OBJ_ATTR_TRUSTED is 0.
    TrustedKeyNeeded = 0x10032, "HSM Error: Only a trusted key may wrap this key";
    /// It could be a key that only trusted keys may wrap.
    TrustedKeyDecrypts = 0x10033, "HSM Error: A trusted key, or one that only trusted keys may wrap, does not decrypt data";
    /// It was altered, cut, or wrapped otherwise: by another key or mechanism, or the value is of another kind. Which of
    /// them stays unsaid, as it could help to find the value.
    WrappedKeyInvalid = 0x10034, "HSM Error: The wrapped key cannot be unwrapped";
    /// The same command of the same CO created the user with the same password, which is still the user's.
    CreatedAlready = 0x10035, "HSM Error: This user is already created, by this command";
    /// The same command deleted the user.
    DeletedAlready = 0x10036, "HSM Error: This user is already deleted, by this command";
    /// As [`CreatedAlready`](Self::CreatedAlready), for a command that gave the user a second factor, too.
    CreatedWithSecondFactor = 0x10037, "HSM Error: This user is already created with a second factor, by this command";
}

impl Refusal {
    /// Whether it is for a request that was done already, by the command that is repeated.
    #[must_use]
    pub fn is_of_repetition(self) -> bool {
        matches!(self, Self::CreatedAlready | Self::CreatedWithSecondFactor | Self::DeletedAlready)
    }
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
