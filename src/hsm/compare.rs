//! The rules for comparing HSMs: what one says of its users and keys without their secrets.

use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use super::hash::sha256;
use super::{Case, Decide, Decided, Hsm, Key, No, PasswordHash, Ruling, User, Work, Worked};
use crate::protocol::compare::{
    KeyPrint, KeyPrints, PAGE, Print, PrintKeys, PrintUsers, UserDetails, UserPrint, UserPrints,
};
use crate::protocol::key::KeyHandle;
use crate::protocol::user::UserId;

/// A CU learns the names, as from `listUsers`: their keys are compared by the names of owners.
impl Decide for PrintUsers {
    fn decide(&self, case: &Case<'_>) -> Ruling<UserPrints> {
        let compared = if case.is_overseer() { usize::MAX } else { 0 };
        let users = || case.hsm.users.iter();
        let hashes: Vec<PasswordHash> =
            users().take(compared).map(|(_, user)| user.password.clone()).collect();
        let (family, prints) = match case.env.worked {
            Some(Worked::Printed { of, family, prints }) if *of == hashes => (*family, prints),
            // Nothing was printed yet, or a password was changed meanwhile.
            _ => return Err(No::Needs(Work::Print(hashes))),
        };
        let mut prints = prints.iter();
        let row = |(id, user): (&UserId, &User)| UserPrint {
            id: *id,
            user_type: user.user_type,
            name: user.name.as_str().to_owned(),
            details: prints.next().map(|prints| details(user, *prints)),
        };
        Ok(Decided::read(UserPrints { family, users: users().map(row).collect() }))
    }
}

impl Decide for PrintKeys {
    fn decide(&self, case: &Case<'_>) -> Ruling<KeyPrints> {
        let (caller, _) = case.user()?;
        let sees_all = case.is_overseer();
        let after = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut keys = case.hsm.keys.tokens_after(after).filter(|(_, key)| sees_all || key.owner == caller);
        let mut buffer = Vec::new();
        let printed = |(handle, key): (&KeyHandle, &Arc<Key>)| case.hsm.printed(*handle, key, &mut buffer);
        // With room for all: a list that grows is copied.
        let mut page = Vec::with_capacity(PAGE.min(case.hsm.keys.len()));
        page.extend(keys.by_ref().take(PAGE).map(printed));
        // Whoever knows the other HSMs adds that.
        let unordered = Vec::new();
        Ok(Decided::read(KeyPrints { keys: page, is_last: keys.next().is_none(), unordered }))
    }
}

fn details(user: &User, (method, password): (Print, Print)) -> UserDetails {
    UserDetails {
        method,
        password,
        quorum_key: user.quorum_key.as_ref().map(|key| short(&key.public_key.bytes())),
        second_factor: user.has_second_factor(),
        locked: user.is_locked_out(),
    }
}

/// The prints of a key, made when they are first asked for: a list of all keys is asked for again and again.
///
/// A clone has none yet, as it may be changed, and they do not count when keys are compared.
#[derive(Default)]
pub struct Prints(OnceLock<Made>);

impl Clone for Prints {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Prints {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Prints {}

#[derive(Clone, Copy)]
struct Made {
    handle: KeyHandle,
    value: Print,
    attributes: Print,
    /// Of the attributes and the fingerprint, in a masked object.
    size: usize,
}

impl Made {
    /// The fingerprint, which only this family can make, goes into both prints, and the handle: without that, whoever can
    /// make keys could find out a short value by making them all. The buffer is reused, as there are many keys.
    fn of(handle: KeyHandle, key: &Key, buffer: &mut Vec<u8>) -> Self {
        let fingerprint = &key.material.fingerprint;
        fill(buffer, &[b"value", &handle.0.to_be_bytes(), fingerprint]);
        let value = short(buffer);
        fill(buffer, &[b"attributes", fingerprint]);
        // They can always be encoded.
        *buffer = postcard::to_extend(&key.attributes, std::mem::take(buffer)).unwrap_or_default();
        Self { handle, value, attributes: short(buffer), size: buffer.len() }
    }
}

impl Hsm {
    fn printed(&self, handle: KeyHandle, key: &Key, buffer: &mut Vec<u8>) -> KeyPrint {
        let made = *key.prints.0.get_or_init(|| Made::of(handle, key, buffer));
        // One key has one handle; if it had another, it would need other prints.
        let made = if made.handle == handle { made } else { Made::of(handle, key, buffer) };
        let named =
            |id: &UserId| self.users.get(id).map_or(0, |user| user.name.as_str().len().saturating_add(2));
        let names = [&key.owner].into_iter().chain(&key.shared_with).map(named).sum::<usize>();
        let size = [made.size, key.material.wrapped.0.len(), names, OVERHEAD].into_iter().sum::<usize>();
        KeyPrint {
            handle,
            owner: key.owner,
            shared_with: key.shared_with.iter().copied().collect(),
            value: made.value,
            attributes: made.attributes,
            m_value: key.m_value,
            approved: key.approved,
            size: u32::try_from(size).unwrap_or(u32::MAX),
        }
    }
}

/// Of a masked object, in bytes, beside the names, the attributes, the wrapped value, and the fingerprint, which comes
/// with the attributes here: header, nonce and tag, handle and lengths.
const OVERHEAD: usize = 60;

fn fill(buffer: &mut Vec<u8>, parts: &[&[u8]]) {
    buffer.clear();
    parts.iter().for_each(|part| buffer.extend_from_slice(part));
}

fn short(bytes: &[u8]) -> Print {
    sha256(bytes).first_chunk().copied().unwrap_or_default()
}
