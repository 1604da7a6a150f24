//! The rules for users.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Case, Decide, Decided, Env, Event, Hsm, No, QuorumKey, Ruling, Work, Worked};
use crate::protocol::second_factor::Purpose;
use crate::protocol::user::{
    ChangePassword, CreateUser, DeleteUser, EndSessions, ListUsers, UserId, UserRow, UserType,
};
use crate::protocol::{Operation, Refusal, Secret};

/// How many users an HSM holds.
pub const MAX_USERS: usize = 1024;

/// The password of a new HSM's `admin`. Whoever activates the HSM replaces it.
pub const FIRST_PASSWORD: &str = "password";

/// How many characters a password has.
pub(super) const PASSWORD_LENGTHS: RangeInclusive<usize> = 7..=32;

/// So many wrong passwords or second factors lock a user out.
const MAX_FAILURES: u32 = 5;

/// A user of an HSM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never [`UserType::Unknown`].
    pub user_type: UserType,
    /// Unique for its type, without regard to case.
    pub name: UserName,
    /// What a password is compared with.
    pub password: PasswordHash,
    /// Wrong passwords and second factors since the last login.
    failures: u32,
    /// Registered for approvals, or with a second factor.
    pub(super) quorum_key: Option<QuorumKey>,
}

impl User {
    /// A user without failed logins.
    #[must_use]
    pub fn new(user_type: UserType, name: UserName, password: PasswordHash) -> Self {
        Self { user_type, name, password, failures: 0, quorum_key: None }
    }

    pub(super) fn with_quorum_key(self, quorum_key: Option<QuorumKey>) -> Self {
        Self { quorum_key, ..self }
    }

    pub(super) fn has_second_factor(&self) -> bool {
        self.second_factor().is_some()
    }

    pub(super) fn second_factor(&self) -> Option<&QuorumKey> {
        self.quorum_key.as_ref().filter(|key| key.is_second_factor)
    }

    pub(super) fn is_called(&self, user_type: UserType, name: &str) -> bool {
        self.user_type == user_type && self.name.0.eq_ignore_ascii_case(name)
    }

    pub(super) fn is_locked_out(&self) -> bool {
        self.failures >= MAX_FAILURES
    }
}

/// 1 to 31 ASCII letters, digits and `_`, kept as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserName(String);

impl UserName {
    /// The longest name, in characters.
    pub const MAX: usize = 31;

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidInput`] if it is anything else.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_word && (1..=Self::MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::InvalidInput)
        }
    }

    /// As typed when the user was created.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all names that count as equal.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// An Argon2id hash in PHC string format. No password matches anything else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub String);

impl Decide for ListUsers {
    fn decide(&self, case: &Case<'_>) -> Ruling<Vec<UserRow>> {
        let row = |(id, user): (&UserId, &User)| UserRow {
            id: *id,
            user_type: user.user_type,
            name: user.name.0.clone(),
            quorum_key: user.quorum_key.is_some(),
            login_failures: user.failures,
            second_factor: user.has_second_factor(),
        };
        Ok(Decided::read(case.hsm.users.iter().map(row).collect()))
    }
}

impl Decide for CreateUser {
    fn decide(&self, case: &Case<'_>) -> Ruling<UserId> {
        must_be_manageable(self.user_type)?;
        let name = UserName::parse(&self.name)?;
        must_have_allowed_length(&self.password)?;
        if let Ok((_, user)) = case.hsm.find_user(self.user_type, &self.name) {
            return Err(exists(self, case, user));
        }
        let id = case.hsm.free_user_id()?;
        let (new, about) = (self.second_factor.as_ref(), (self.user_type, self.name.as_str()));
        let quorum_key = case.new_second_factor(new, Purpose::CreateUser, about)?;
        let user = User::new(self.user_type, name, new_password(case.env)?).with_quorum_key(quorum_key);
        Ok(Decided::new(id, vec![Event::UserCreated { id, user }]))
    }
}

/// Refuses to create a user who is there. Whoever repeats a command, as its answer was lost, learns whether it was done.
/// The password is compared for nobody else, and with no other than the one that the caller gave the user: it helps
/// nobody to guess.
fn exists(create: &CreateUser, case: &Case<'_>, user: &User) -> No {
    let caller = case.user().ok().map(|(id, _)| id);
    let given = case.hsm.done.last(&create.clone().into_request()).and_then(|created| created.gave.as_ref());
    let is_callers = given.is_some_and(|given| Some(given.by) == caller && given.are_those_of(user));
    if !is_callers || create.second_factor.is_some() {
        return Refusal::UserExists.into();
    }
    match case.checked(&user.password) {
        Ok(true) if user.has_second_factor() => Refusal::CreatedWithSecondFactor.into(),
        Ok(true) => Refusal::CreatedAlready.into(),
        Ok(false) => Refusal::UserExists.into(),
        Err(work) => work.into(),
    }
}

impl Decide for DeleteUser {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        must_be_manageable(self.user_type)?;
        let (id, user) = case.hsm.find_user(self.user_type, &self.name).map_err(|_| is_gone(self, case))?;
        if case.hsm.has_session(id, None) {
            return Err(Refusal::UserIsLoggedIn.into());
        }
        if case.hsm.keys.owns_any(id) {
            return Err(Refusal::UserOwnsKeys.into());
        }
        case.hsm.must_be_dispensable(user)?;
        Ok(Decided::done(Event::UserDeleted(id)))
    }
}

/// Refuses to delete a user who is not there. Whoever repeats a command, as its answer was lost, learns whether it was
/// done.
fn is_gone(delete: &DeleteUser, case: &Case<'_>) -> Refusal {
    if case.hsm.done.last(&delete.clone().into_request()).is_some() {
        Refusal::DeletedAlready
    } else {
        Refusal::NoSuchUser
    }
}

impl Decide for EndSessions {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let (id, _) = case.hsm.find_user(self.user_type, &self.name)?;
        let sessions = case.hsm.sessions_of(id).filter(|session| *session != case.caller);
        Ok(Decided::new((), sessions.map(Event::LoggedOut).collect()))
    }
}

impl Decide for ChangePassword {
    fn decide(&self, case: &Case<'_>) -> Ruling<()> {
        let user_type = after_password_change(self.user_type)?;
        must_have_allowed_length(&self.password)?;
        let (id, user) = case.hsm.find_user(self.user_type, &self.name)?;
        // Users change their own password while they are logged in; nobody else's session may be open.
        let own = Some(case.caller).filter(|_| case.user().is_ok_and(|(caller, _)| caller == id));
        if case.hsm.has_session(id, own) {
            return Err(Refusal::UserIsLoggedIn.into());
        }
        if user_type != self.user_type && case.hsm.find_user(user_type, &self.name).is_ok() {
            return Err(Refusal::UserExists.into());
        }
        let (new, about) = (self.second_factor.as_ref(), (self.user_type, self.name.as_str()));
        let key = case.new_second_factor(new, Purpose::ChangePassword, about)?;
        let mut events = vec![Event::PasswordChanged { id, user_type, password: new_password(case.env)? }];
        // Without a new one, a second factor ends; a key that was only registered stays.
        if key.is_some() || user.has_second_factor() {
            events.push(Event::QuorumKeySet { id, key });
        }
        Ok(Decided::new((), events))
    }
}

impl Hsm {
    pub(super) fn find_user(&self, user_type: UserType, name: &str) -> Result<(UserId, &User), Refusal> {
        self.users
            .iter()
            .find(|(_, user)| user.is_called(user_type, name))
            .map(|(id, user)| (*id, user))
            .ok_or(Refusal::NoSuchUser)
    }

    /// The number of the next user: never one that a user has had, as others may still name it by an old list.
    pub(super) fn free_user_id(&self) -> Result<UserId, Refusal> {
        if self.users.len() < MAX_USERS {
            Ok(UserId(self.next_user.max(1)))
        } else {
            Err(Refusal::TooManyUsers)
        }
    }

    pub(super) fn insert_user(&mut self, id: UserId, user: User) {
        self.next_user = self.next_user.max(id.0.saturating_add(1));
        self.users.insert(id, user);
    }

    pub(super) fn remove_user(&mut self, id: UserId) {
        self.changing(&self.keys.shared_with(id), |hsm| {
            hsm.users.remove(&id);
            hsm.keys.forget_user(id);
        });
        // Who deletes the user on another HSM, too, has not done so because a key followed.
        self.pasts.name_nothing();
    }

    pub(super) fn replace_password(&mut self, id: UserId, user_type: UserType, password: &PasswordHash) {
        if let Some(user) = self.users.get_mut(&id) {
            user.user_type = user_type;
            user.password = password.clone();
            user.failures = 0;
        }
    }

    pub(super) fn count_failure(&mut self, id: UserId) {
        if let Some(user) = self.users.get_mut(&id) {
            user.failures = user.failures.saturating_add(1);
        }
    }

    pub(super) fn forget_failures(&mut self, id: UserId) {
        if let Some(user) = self.users.get_mut(&id) {
            user.failures = 0;
        }
    }
}

/// Officers create, copy and delete all users but the AU, which comes with the HSM.
pub(super) fn must_be_manageable(user_type: UserType) -> Result<(), Refusal> {
    match user_type {
        UserType::Co | UserType::Cu | UserType::PreCo => Ok(()),
        UserType::Unknown | UserType::Au => Err(Refusal::InvalidUserType),
    }
}

/// A PRECO becomes a CO. For the first one, this activates the HSM.
fn after_password_change(user_type: UserType) -> Result<UserType, Refusal> {
    match user_type {
        UserType::PreCo => Ok(UserType::Co),
        UserType::Co | UserType::Cu => Ok(user_type),
        UserType::Unknown | UserType::Au => Err(Refusal::InvalidUserType),
    }
}

fn must_have_allowed_length(password: &Secret) -> Result<(), Refusal> {
    let length = password.expose().chars().count();
    if PASSWORD_LENGTHS.contains(&length) { Ok(()) } else { Err(Refusal::PasswordLength) }
}

fn new_password(env: &Env<'_>) -> Result<PasswordHash, No> {
    match env.worked {
        Some(Worked::Hashed(hash)) => Ok(hash.clone()),
        _ => Err(No::Needs(Work::HashPassword)),
    }
}

#[cfg(test)]
mod tests {
    use super::UserName;

    #[test]
    fn names_are_words_of_up_to_31_characters() {
        for good in ["a", "crypto_user1", "A_1", &"x".repeat(31)] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a-b", "a b", "é", "a\0", &"x".repeat(32)] {
            assert!(UserName::parse(bad).is_err(), "{bad}");
        }
    }
}
