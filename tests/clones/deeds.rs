//! What operators and their programs do to one HSM, and what is to be seen of it afterwards.

use std::collections::BTreeMap;

use cloudhsm::cluster::Failure;
use cloudhsm::protocol::attribute::{Attribute, SetAttribute, Value};
use cloudhsm::protocol::compare::{KeyPrint, PrintKeys, PrintUsers, UserDetails};
use cloudhsm::protocol::key::{DeleteKey, FindKeys, GenerateKey, KeyHandle, ShareKey, Sharing, Template};
use cloudhsm::protocol::user::{ChangePassword, CreateUser, DeleteUser, UserId, UserType};

use crate::region::{AES, Dice, Region, secret};

/// What a server holds, whatever the ids of its users.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) users: BTreeMap<(UserType, String), Option<UserDetails>>,
    /// With the names of the owner and of those who share it.
    pub(crate) keys: BTreeMap<KeyHandle, (String, Vec<String>, KeyPrint)>,
}

/// A change that one call makes.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    CreateUser(UserType, String),
    DeleteUser(UserType, String),
    ChangePassword(UserType, String, String),
    MakeKey,
    Share(KeyHandle, UserId),
    Label(KeyHandle, String),
    DeleteKey(KeyHandle),
}

impl Contents {
    /// Of each server. A CO is logged in there.
    pub(crate) async fn of_all(region: &mut Region) -> Vec<Self> {
        let mut all = Vec::new();
        for server in 0..region.size() {
            all.push(Self::of(region, server).await);
        }
        all
    }

    async fn of(region: &mut Region, server: usize) -> Self {
        let users = region.ask(server, PrintUsers).await.unwrap().users;
        let name = |id: &UserId| users.iter().find(|user| user.id == *id).unwrap().name.clone();
        let page = region.ask(server, PrintKeys { after: None }).await.unwrap();
        assert!(page.is_last);
        let key = |key: &KeyPrint| {
            let mut sharers: Vec<_> = key.shared_with.iter().map(name).collect();
            sharers.sort();
            let print = KeyPrint { owner: UserId(0), shared_with: Vec::new(), size: 0, ..key.clone() };
            (key.handle, (name(&key.owner), sharers, print))
        };
        let keys = page.keys.iter().map(key).collect();
        let users = users.iter().map(|user| ((user.user_type, user.name.clone()), user.details.clone()));
        Self { users: users.collect(), keys }
    }

    /// Those of the source, and what is here besides.
    pub(crate) fn made_like(&self, source: &Self) -> Self {
        let mut alike = self.clone();
        alike.users.extend(source.users.clone());
        alike.keys.extend(source.keys.clone());
        alike
    }

    /// Whether each user and key is as in one of these, and all of the first one are there.
    pub(crate) fn is_between(&self, before: &Self, after: &Self) -> bool {
        let has_all = before.users.keys().all(|name| self.users.contains_key(name))
            && before.keys.keys().all(|handle| self.keys.contains_key(handle));
        let mut users = self.users.iter();
        let mut keys = self.keys.iter();
        has_all
            && users
                .all(|(name, user)| [before, after].iter().any(|other| other.users.get(name) == Some(user)))
            && keys
                .all(|(handle, key)| [before, after].iter().any(|other| other.keys.get(handle) == Some(key)))
    }
}

impl Deed {
    /// Something that could be done here. Whoever may do it is logged in afterwards.
    pub(crate) async fn on(region: &mut Region, server: usize, dice: &mut Dice) -> Option<Self> {
        let name = format!("user_{}", dice.throw(4));
        let password = format!("rotated_{}", dice.throw(3));
        let choice = dice.throw(9);
        match choice {
            0 | 1 => return Some(Self::CreateUser(UserType::Cu, name)),
            2 => return Some(Self::CreateUser(UserType::Co, "idle".to_owned())),
            3 => return Some(Self::DeleteUser(UserType::Cu, name)),
            // Others log in with theirs.
            4 => return Some(Self::ChangePassword(UserType::Co, "idle".to_owned(), password)),
            _ => {}
        }
        if !region.names(server).await.contains(&name) {
            return None;
        }
        let sharer = region.names(server).await[0].clone();
        let sharer = region.id(server, &sharer).await;
        region.as_cu_on(server, &name).await;
        let handles = region.ask(server, FindKeys::default()).await.unwrap();
        let handle = handles.get(dice.throw(handles.len().max(1))).copied();
        Some(match (choice, handle) {
            (6, Some(handle)) => Self::Share(handle, sharer),
            (7, Some(handle)) => Self::Label(handle, password),
            (8, Some(handle)) => Self::DeleteKey(handle),
            _ => Self::MakeKey,
        })
    }

    pub(crate) async fn perform(&self, region: &mut Region, server: usize) -> Result<(), Failure> {
        let initial = || secret("password1");
        match self.clone() {
            Self::CreateUser(user_type, name) => {
                let create = CreateUser { user_type, name, password: initial(), second_factor: None };
                region.ask(server, create).await.map(drop)
            }
            Self::DeleteUser(user_type, name) => region.ask(server, DeleteUser { user_type, name }).await,
            Self::ChangePassword(user_type, name, password) => {
                let password = secret(&password);
                region.ask(server, ChangePassword { user_type, name, password, second_factor: None }).await
            }
            Self::MakeKey => {
                let generate = GenerateKey { spec: AES, template: Template::default() };
                region.ask(server, generate).await.map(drop)
            }
            Self::Share(handle, user) => {
                region.ask(server, ShareKey { handle, users: vec![user], sharing: Sharing::Share }).await
            }
            Self::Label(handle, label) => {
                let (attribute, value) = (Attribute::Label, Value::Text(label));
                region.ask(server, SetAttribute { handle, attribute, value }).await
            }
            Self::DeleteKey(handle) => region.ask(server, DeleteKey { handle }).await,
        }
    }

    /// Whether nothing but this may have been done between the two, and at most once.
    pub(crate) fn explains(&self, before: &Contents, after: &Contents) -> bool {
        let new = after.keys.keys().filter(|handle| !before.keys.contains_key(handle)).count();
        let most = usize::from(matches!(self, Self::MakeKey));
        let rest = |contents: &Contents| {
            let mut rest = contents.clone();
            match self {
                Self::MakeKey => rest.keys.retain(|handle, _| before.keys.contains_key(handle)),
                Self::Share(handle, _) | Self::Label(handle, _) | Self::DeleteKey(handle) => {
                    rest.keys.remove(handle);
                }
                Self::CreateUser(user_type, name) | Self::ChangePassword(user_type, name, _) => {
                    rest.users.remove(&(*user_type, name.clone()));
                }
                Self::DeleteUser(user_type, name) => {
                    rest.users.remove(&(*user_type, name.clone()));
                    // It ends the shares of that user.
                    rest.keys.values_mut().for_each(|(_, sharers, _)| sharers.retain(|other| other != name));
                }
            }
            rest
        };
        new <= most && rest(before) == rest(after)
    }

    /// Whether it shows, where it was acknowledged.
    pub(crate) fn shows(&self, before: &Contents, after: &Contents) -> bool {
        match self {
            Self::CreateUser(user_type, name) => after.users.contains_key(&(*user_type, name.clone())),
            Self::DeleteUser(user_type, name) => !after.users.contains_key(&(*user_type, name.clone())),
            Self::MakeKey => after.keys.len() == before.keys.len() + 1,
            Self::DeleteKey(handle) => !after.keys.contains_key(handle),
            Self::Share(handle, _) => !after.keys[handle].1.is_empty(),
            // The same may have been there before.
            Self::ChangePassword(..) | Self::Label(..) => true,
        }
    }
}
