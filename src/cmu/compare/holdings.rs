//! What one server holds, with users by name: their ids differ from server to server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde_json::{Value, json};

use crate::foreign::shown;
use crate::protocol::compare::{KeyPrint, UserPrint, UserPrints};
use crate::protocol::key::KeyHandle;
use crate::protocol::user::{UserId, UserType};

/// A user's type and name. Case does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cmu) struct Name {
    pub(in crate::cmu) user_type: UserType,
    folded: String,
}

impl Name {
    pub(in crate::cmu) fn new(user_type: UserType, name: &str) -> Self {
        Self { user_type, folded: name.to_ascii_lowercase() }
    }

    /// The name alone.
    pub(in crate::cmu) fn word(&self) -> String {
        shown(&self.folded).into_owned()
    }

    /// For JSON.
    pub(super) fn value(&self) -> Value {
        json!({ "type": self.user_type.to_string(), "name": self.word() })
    }

    /// A row for JSON: why it was not copied.
    pub(in crate::cmu) fn row(&self, why: &str) -> Value {
        json!({ "user": self.value(), "text": why })
    }

    /// Whether another one has the same name, whatever its type.
    pub(super) fn is_namesake(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

/// As `loginHSM` has it: `alice(CU)`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", shown(&self.folded), self.user_type)
    }
}

/// Keys in the order of their handles, in pages as the server gave them: a list of all would have to be copied.
#[derive(Default)]
pub(in crate::cmu) struct Keys(pub(super) Vec<Vec<KeyPrint>>);

impl Keys {
    pub(super) fn iter(&self) -> impl Iterator<Item = &KeyPrint> {
        self.0.iter().flatten()
    }

    pub(in crate::cmu) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// The users and keys of a server.
pub(in crate::cmu) struct Holdings {
    pub(in crate::cmu) number: usize,
    pub(in crate::cmu) family: [u8; 16],
    /// Without the AU, which each HSM has of its own.
    pub(in crate::cmu) users: BTreeMap<Name, UserPrint>,
    pub(in crate::cmu) keys: Keys,
    /// Keys that this HSM and another one of its cluster leave as they are.
    pub(super) unordered: BTreeSet<KeyHandle>,
    /// Looked up for each key, several times.
    names: HashMap<UserId, Name>,
}

impl Holdings {
    pub(super) fn new(number: usize, UserPrints { family, users }: UserPrints) -> Self {
        let name = |user: &UserPrint| Name::new(user.user_type, &user.name);
        let names = users.iter().map(|user| (user.id, name(user))).collect();
        let users = users.into_iter().filter(|user| user.user_type != UserType::Au);
        let users = users.map(|user| (name(&user), user)).collect();
        Self { number, family, users, keys: Keys::default(), unordered: BTreeSet::new(), names }
    }

    /// Whether users can be compared: the HSM says more than their names to a CO only.
    pub(in crate::cmu) fn shows_users(&self) -> bool {
        self.users.values().all(|user| user.details.is_some())
    }

    /// The name of a user; `None` of one who came after the users were asked for.
    pub(in crate::cmu) fn name(&self, id: UserId) -> Option<&Name> {
        self.names.get(&id)
    }

    /// Whether each user has the same number there.
    pub(super) fn has_numbers_of(&self, other: &Self) -> bool {
        self.names == other.names
    }

    /// Users of all types.
    pub(super) fn user_count(&self) -> usize {
        self.names.len()
    }

    pub(in crate::cmu) fn owner(&self, key: &KeyPrint) -> Option<&Name> {
        self.name(key.owner)
    }

    /// In alphabetical order.
    pub(super) fn sharers(&self, key: &KeyPrint) -> Vec<&Name> {
        let mut sharers: Vec<_> = key.shared_with.iter().filter_map(|id| self.name(*id)).collect();
        sharers.sort();
        sharers
    }

    /// Forgets the keys of all other users.
    pub(super) fn keep_keys_of(&mut self, owner: &Name) {
        let names = &self.names;
        self.keys.0.iter_mut().for_each(|page| page.retain(|key| names.get(&key.owner) == Some(owner)));
    }
}
