//! What has to be copied from one server to another to make them alike, and what has to be left to a person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use super::holdings::{Holdings, Name};
use crate::protocol::compare::{KeyPrint, UserDetails, UserPrint};
use crate::protocol::key::KeyHandle;
use crate::protocol::masked::Existing;
use crate::protocol::user::UserId;

/// What to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmu) enum Part {
    Everything,
    Users,
    Keys,
    /// The keys of one user.
    KeysOf(Name),
}

/// What makes one server like the source.
#[derive(Default)]
pub(in crate::cmu) struct Plan {
    pub(in crate::cmu) destination: usize,
    pub(in crate::cmu) users: Vec<(UserId, Name, Existing)>,
    /// In the order of their handles, with the most bytes that each takes.
    pub(in crate::cmu) keys: Vec<(KeyHandle, Existing, u32)>,
    pub(in crate::cmu) left: Vec<Left>,
}

/// What the plan does not do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmu) struct Left {
    pub(in crate::cmu) what: Items,
    pub(in crate::cmu) why: Why,
}

/// Why a plan leaves something as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cmu) enum Why {
    /// The source does not have it, and nothing is deleted.
    OnlyThere,
    /// The servers remain different.
    Conflict(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyThere => f.write_str("only there, and nothing is deleted"),
            Self::Conflict(why) => f.write_str(why),
        }
    }
}

/// Of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmu) enum Items {
    Users(Vec<Name>),
    Keys(Vec<KeyHandle>),
}

/// Users and keys that an HSM holds.
const MAX_USERS: usize = 1024;
const MAX_KEYS: usize = 16_666;

/// Compares a destination with the source. `login` is who is logged in there by this console.
pub(in crate::cmu) fn plan(
    source: &Holdings,
    destination: &Holdings,
    part: &Part,
    login: Option<&Name>,
) -> Plan {
    let mut planner = Planner {
        source,
        destination,
        login,
        plan: Plan { destination: destination.number, ..Plan::default() },
        users_left: BTreeMap::new(),
        keys_left: BTreeMap::new(),
    };
    let has_users = source.shows_users() && destination.shows_users();
    if has_users && matches!(part, Part::Everything | Part::Users) {
        planner.plan_users();
    }
    match part {
        Part::Everything | Part::Keys => planner.plan_keys(|_| true),
        Part::KeysOf(owner) => planner.plan_keys(|name| name == owner),
        Part::Users => {}
    }
    planner.finish()
}

struct Planner<'a> {
    source: &'a Holdings,
    destination: &'a Holdings,
    login: Option<&'a Name>,
    plan: Plan,
    users_left: BTreeMap<Why, Vec<Name>>,
    keys_left: BTreeMap<Why, Vec<KeyHandle>>,
}

impl Planner<'_> {
    fn plan_users(&mut self) {
        let (source, destination) = (self.source, self.destination);
        let mut count = destination.user_count();
        for (name, user) in &source.users {
            let there = destination.users.get(name);
            match self.existing(name, user, there) {
                Ok(None) => {}
                Ok(Some(Existing::Compare)) if count >= MAX_USERS => {
                    self.leave_user(name, Why::Conflict("the server holds no more users".to_owned()));
                }
                Ok(Some(existing)) => {
                    count = count.saturating_add(usize::from(there.is_none()));
                    self.plan.users.push((user.id, name.clone(), existing));
                }
                Err(why) => self.leave_user(name, Why::Conflict(why)),
            }
        }
        let extra = destination.users.keys().filter(|name| !source.users.contains_key(name));
        for name in extra {
            self.leave_user(name, Why::OnlyThere);
        }
    }

    /// How a user is to be copied, if at all.
    fn existing(
        &self,
        name: &Name,
        user: &UserPrint,
        there: Option<&UserPrint>,
    ) -> Result<Option<Existing>, String> {
        let (Some(here), there) = (&user.details, there.map(|user| user.details.as_ref())) else {
            return Ok(None);
        };
        let taken = |other: &UserPrint| {
            other.details.as_ref().is_some_and(|other| other.quorum_key == here.quorum_key)
        };
        let is_taken = here.quorum_key.is_some()
            && self.destination.users.iter().any(|(other, user)| other != name && taken(user));
        match there {
            Some(Some(there)) if is_alike(here, there) => {
                let is_locked = !here.locked && there.locked;
                if is_locked {
                    Err("locked there: changePswd lets them in again".to_owned())
                } else {
                    Ok(None)
                }
            }
            _ if is_taken => Err("another user there has the same registered key".to_owned()),
            Some(_) if self.login == Some(name) => {
                Err("this console is logged in there as this user: log in as another CO".to_owned())
            }
            Some(_) => Ok(Some(Existing::Replace)),
            None => Ok(Some(Existing::Compare)),
        }
    }

    fn plan_keys(&mut self, is_meant: impl Fn(&Name) -> bool) {
        let (source, destination) = (self.source, self.destination);
        let there: BTreeMap<KeyHandle, &KeyPrint> =
            destination.keys.iter().map(|key| (key.handle, key)).collect();
        let here: BTreeSet<KeyHandle> = source.keys.iter().map(|key| key.handle).collect();
        let mut names: BTreeSet<&Name> = destination.users.keys().collect();
        let coming = self.plan.users.iter().map(|(_, name, _)| name.clone()).collect::<Vec<_>>();
        names.extend(coming.iter());
        let mut count = destination.keys.len();
        for key in source.keys.iter().filter(|key| source.owner(key).is_some_and(&is_meant)) {
            match self.existing_key(key, there.get(&key.handle).copied(), &names) {
                Ok(None) => {}
                Ok(Some(Existing::Compare)) if count >= MAX_KEYS => {
                    self.leave_key(key.handle, Why::Conflict("the server holds no more keys".to_owned()));
                }
                Ok(Some(existing)) => {
                    count = count.saturating_add(usize::from(existing == Existing::Compare));
                    self.plan.keys.push((key.handle, existing, key.size));
                }
                Err(why) => self.leave_key(key.handle, Why::Conflict(why)),
            }
        }
        for key in destination.keys.iter().filter(|key| destination.owner(key).is_some_and(&is_meant)) {
            if !here.contains(&key.handle) {
                self.leave_key(key.handle, Why::OnlyThere);
            }
        }
    }

    fn existing_key(
        &self,
        key: &KeyPrint,
        there: Option<&KeyPrint>,
        names: &BTreeSet<&Name>,
    ) -> Result<Option<Existing>, String> {
        let (source, destination) = (self.source, self.destination);
        let owner = source.owner(key);
        if let Some(there) = there {
            if there.value != key.value {
                return Err("another key has this handle there: a person has to decide".to_owned());
            }
            let is_alike = (there.attributes, there.m_value, there.approved)
                == (key.attributes, key.m_value, key.approved)
                && destination.owner(there) == owner
                && destination.sharers(there) == source.sharers(key);
            if is_alike {
                return Ok(None);
            }
            if key.m_value > 1 && key.approved < there.approved {
                return Err("the copy there has an approved change that this one lacks".to_owned());
            }
        }
        let users = owner.into_iter().chain(source.sharers(key));
        let absent: BTreeSet<String> =
            users.filter(|name| !names.contains(name)).map(ToString::to_string).collect();
        if !absent.is_empty() {
            let absent = absent.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!("its users are missing there: {absent}"));
        }
        Ok(Some(if there.is_some() { Existing::Replace } else { Existing::Compare }))
    }

    fn leave_user(&mut self, name: &Name, why: Why) {
        self.users_left.entry(why).or_default().push(name.clone());
    }

    fn leave_key(&mut self, handle: KeyHandle, why: Why) {
        self.keys_left.entry(why).or_default().push(handle);
    }

    fn finish(self) -> Plan {
        let users = self.users_left.into_iter().map(|(why, names)| Left { what: Items::Users(names), why });
        let keys = self.keys_left.into_iter().map(|(why, handles)| Left { what: Items::Keys(handles), why });
        Plan { left: users.chain(keys).collect(), ..self.plan }
    }
}

fn is_alike(here: &UserDetails, there: &UserDetails) -> bool {
    (here.password, here.quorum_key, here.second_factor)
        == (there.password, there.quorum_key, there.second_factor)
}

impl Plan {
    pub(in crate::cmu) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.keys.is_empty()
    }

    /// Whether the destination has all that it should have.
    pub(in crate::cmu) fn is_fulfilled(&self) -> bool {
        self.is_empty() && self.left.iter().all(|left| left.why == Why::OnlyThere)
    }

    /// The command lines, in an order that works.
    pub(in crate::cmu) fn lines(&self) -> Vec<String> {
        let destination = self.destination;
        let users = self.users.iter().map(|(id, ..)| format!("syncUser {id} {destination}"));
        let keys = self.keys.iter().map(|(handle, ..)| format!("syncKey {handle} {destination}"));
        users.chain(keys).collect()
    }

    /// A row for JSON.
    pub(in crate::cmu) fn row(&self) -> Value {
        let left: Vec<Value> = self.left.iter().flat_map(Left::rows).collect();
        json!({ "server": self.destination, "lines": self.lines(), "left": left })
    }
}

impl Left {
    /// A row for each, for JSON.
    pub(in crate::cmu) fn rows(&self) -> Vec<Value> {
        let why = self.why.to_string();
        match &self.what {
            Items::Users(names) => names.iter().map(|name| name.row(&why)).collect(),
            Items::Keys(handles) => {
                handles.iter().map(|handle| json!({ "key_handle": handle.0, "text": why })).collect()
            }
        }
    }
}

impl Items {
    /// `Keys 6-9,12`.
    pub(in crate::cmu) fn text(&self) -> String {
        match self {
            Self::Users(names) => {
                let word = if names.len() == 1 { "User" } else { "Users" };
                format!("{word} {}", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Keys(handles) => {
                let word = if handles.len() == 1 { "Key" } else { "Keys" };
                let numbers = handles.iter().filter_map(|handle| usize::try_from(handle.0).ok());
                format!("{word} {}", super::ranges(numbers))
            }
        }
    }

    pub(in crate::cmu) fn len(&self) -> usize {
        match self {
            Self::Users(names) => names.len(),
            Self::Keys(handles) => handles.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Holdings, Items, Left, Name, Part, Plan, Why, plan};
    use crate::protocol::compare::{KeyPrint, UserDetails, UserPrint, UserPrints};
    use crate::protocol::key::KeyHandle;
    use crate::protocol::masked::Existing;
    use crate::protocol::user::{UserId, UserType};

    fn user(id: u32, name: &str, password: u8) -> UserPrint {
        let print = [password; 16];
        let details = UserDetails {
            method: [0; 16],
            password: print,
            quorum_key: None,
            second_factor: false,
            locked: false,
        };
        UserPrint { id: UserId(id), user_type: UserType::Cu, name: name.to_owned(), details: Some(details) }
    }

    fn key(handle: u32, owner: u32, value: u8) -> KeyPrint {
        KeyPrint {
            handle: KeyHandle(handle),
            owner: UserId(owner),
            shared_with: Vec::new(),
            value: [value; 16],
            attributes: [0; 16],
            m_value: 0,
            approved: 0,
            size: 300,
        }
    }

    fn holdings(number: usize, users: Vec<UserPrint>, keys: Vec<KeyPrint>) -> Holdings {
        let mut holdings = Holdings::new(number, UserPrints { family: [0; 16], users });
        holdings.keys.0.push(keys);
        holdings
    }

    fn conflict(handle: u32, why: &str) -> Left {
        Left { what: Items::Keys(vec![KeyHandle(handle)]), why: Why::Conflict(why.to_owned()) }
    }

    fn everything(from: &Holdings, to: &Holdings) -> Plan {
        plan(from, to, &Part::Everything, None)
    }

    #[test]
    fn users_come_before_their_keys_and_nothing_is_deleted() {
        let from =
            holdings(0, vec![user(3, "alice", 1), user(5, "bob", 1)], vec![key(6, 5, 1), key(7, 3, 1)]);
        let to = holdings(2, vec![user(3, "ALICE", 2), user(4, "carl", 1)], vec![key(9, 4, 1)]);
        let plan = everything(&from, &to);
        assert_eq!(plan.lines(), ["syncUser 3 2", "syncUser 5 2", "syncKey 6 2", "syncKey 7 2"]);
        assert_eq!(plan.users[0].2, Existing::Replace);
        let left: Vec<_> = plan.left.iter().map(|left| (left.what.text(), left.why.clone())).collect();
        let only_there = |what: &str| (what.to_owned(), Why::OnlyThere);
        assert_eq!(left, [only_there("User carl(CU)"), only_there("Key 9")]);
        assert!(everything(&from, &from).is_fulfilled());
    }

    #[test]
    fn what_a_copy_would_destroy_is_left_to_a_person() {
        let users = || vec![user(3, "alice", 1), user(4, "bob", 1)];
        let approved = |approved| KeyPrint { m_value: 2, approved, ..key(7, 3, 1) };
        let from = holdings(0, users(), vec![key(6, 3, 1), approved(1), key(8, 4, 1)]);
        let to = holdings(1, users(), vec![key(6, 3, 2), approved(2), key(8, 3, 1)]);
        let plan = everything(&from, &to);
        assert_eq!(plan.keys, [(KeyHandle(8), Existing::Replace, 300)], "another owner");
        assert_eq!(
            plan.left,
            [
                conflict(6, "another key has this handle there: a person has to decide"),
                conflict(7, "the copy there has an approved change that this one lacks"),
            ]
        );
        let alone = holdings(1, vec![user(3, "alice", 1)], Vec::new());
        let plan = super::plan(&from, &alone, &Part::Keys, None);
        assert_eq!(plan.left, [conflict(8, "its users are missing there: bob(CU)")]);
        assert!(!plan.is_fulfilled());
        let bob = Part::KeysOf(Name::new(UserType::Cu, "bob"));
        assert_eq!(super::plan(&from, &to, &bob, None).lines(), ["syncKey 8 1"]);
    }

    #[test]
    fn nobody_is_replaced_who_makes_the_copies() {
        let (from, to) =
            (holdings(0, vec![user(3, "alice", 1)], vec![]), holdings(1, vec![user(3, "alice", 2)], vec![]));
        let alice = Name::new(UserType::Cu, "alice");
        let plan = plan(&from, &to, &Part::Everything, Some(&alice));
        assert!(plan.is_empty() && !plan.is_fulfilled());
    }
}
