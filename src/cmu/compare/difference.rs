//! What is not the same everywhere, grouped by the servers that agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::holdings::{Holdings, Name};
use super::ranges::ranges;
use crate::protocol::compare::{KeyPrint, Print, UserPrint};
use crate::protocol::key::KeyHandle;

/// A user or a key that is not the same on all servers.
pub(in crate::cmu) struct Difference {
    subject: Subject,
    /// What is where: servers that agree are together, in the order of the first of each.
    groups: Vec<(Vec<usize>, State)>,
    /// HSMs of one cluster, which bring each other's keys up to date, leave this key to a person.
    is_unordered: bool,
}

enum Subject {
    User(Name),
    Key(KeyHandle),
}

/// A respect in which servers differ, as JSON and as people read it.
#[derive(Clone, PartialEq)]
struct Aspect {
    name: &'static str,
    value: Value,
    text: String,
}

const UNORDERED: &str = "changed on both sides of a cut: it stays so until syncKey or syncHSM";

/// Only the aspects that are not the same everywhere.
type State = Vec<Aspect>;

/// All that differs: users first, then keys, in order.
pub(in crate::cmu) fn differences(all: &[&Holdings]) -> Vec<Difference> {
    let mut differences = Vec::new();
    if all.iter().all(|one| one.shows_users()) {
        let names: BTreeSet<&Name> = all.iter().flat_map(|one| one.users.keys()).collect();
        differences.extend(names.into_iter().filter_map(|name| of_user(all, name)));
    }
    let mut rest: Vec<_> = all.iter().map(|one| one.keys.iter().peekable()).collect();
    let numbers: Vec<Numbers> = all.iter().map(|one| Numbers::of(one, all)).collect();
    let mut keys = Vec::new();
    while let Some(handle) = rest.iter_mut().filter_map(|keys| keys.peek()).map(|key| key.handle).min() {
        keys.clear();
        keys.extend(rest.iter_mut().map(|keys| keys.next_if(|key| key.handle == handle)));
        if !is_same_everywhere(all, &numbers, &keys) {
            differences.extend(of_key(all, handle, &keys));
        }
    }
    differences
}

fn of_user(all: &[&Holdings], name: &Name) -> Option<Difference> {
    let users: Vec<Option<&UserPrint>> = all.iter().map(|one| one.users.get(name)).collect();
    // Most users are the same everywhere; saying so must be quick.
    let mut details = users.iter().map(|user| user.and_then(|user| user.details.as_ref()));
    let first = details.next().flatten();
    if first.is_some() && details.all(|other| other == first) {
        return None;
    }
    let mut letters = Letters::default();
    let has_one_method = users.iter().flatten().filter_map(|user| Some(user.details.as_ref()?.method));
    let is_comparable = has_one_method.collect::<BTreeSet<_>>().len() < 2;
    let states = all.iter().zip(&users).map(|(one, user)| {
        let Some(user) = user else {
            return vec![missing(one.users.keys().find(|other| name.is_namesake(other)))];
        };
        let mut state = vec![present()];
        if let Some(details) = &user.details {
            let credentials = letters.of("credentials", &details.password);
            let doubt = if is_comparable { "" } else { " (hashed apart)" };
            let text = format!("credentials {credentials}{doubt}");
            state.push(aspect("credentials", json!(credentials), text));
            if !is_comparable {
                state.push(aspect("comparable", json!(false), String::new()));
            }
            let key = details.quorum_key.map(|key| letters.of("key", &key));
            let text =
                key.as_ref().map_or("no registered key".to_owned(), |key| format!("registered key {key}"));
            state.push(aspect("quorum_key", json!(key), text));
            let text = if details.second_factor { "2FA" } else { "no 2FA" };
            state.push(aspect("second_factor", json!(details.second_factor), text.to_owned()));
            let text = if details.locked { "locked" } else { "not locked" };
            state.push(aspect("locked", json!(details.locked), text.to_owned()));
        }
        state
    });
    let states = states.collect();
    grouped(Subject::User(name.clone()), all, states)
}

/// Most keys are; saying so must be quick.
fn is_same_everywhere(all: &[&Holdings], numbers: &[Numbers], keys: &[Option<&KeyPrint>]) -> bool {
    let (Some(first), Some(Some(told))) = (all.first(), keys.first()) else { return false };
    all.iter().zip(numbers).zip(keys).skip(1).all(|((one, numbers), key)| {
        key.is_some_and(|key| {
            let is_alike = (key.value, key.attributes, key.m_value, key.approved)
                == (told.value, told.attributes, told.m_value, told.approved);
            is_alike
                && match numbers {
                    Numbers::AsOnTheFirst => (key.owner, &key.shared_with) == (told.owner, &told.shared_with),
                    Numbers::Others => {
                        one.owner(key) == first.owner(told) && one.sharers(key) == first.sharers(told)
                    }
                }
        })
    })
}

/// The numbers that a server has for users. If the first has the same, names need not be looked up for each key.
enum Numbers {
    AsOnTheFirst,
    Others,
}

impl Numbers {
    fn of(one: &Holdings, all: &[&Holdings]) -> Self {
        if all.first().is_some_and(|first| one.has_numbers_of(first)) {
            Self::AsOnTheFirst
        } else {
            Self::Others
        }
    }
}

fn of_key(all: &[&Holdings], handle: KeyHandle, keys: &[Option<&KeyPrint>]) -> Option<Difference> {
    let mut letters = Letters::default();
    let states = all.iter().zip(keys).map(|(one, key)| match key {
        None => vec![missing(None)],
        Some(key) => key_state(one, key, &mut letters),
    });
    let mut states: Vec<State> = states.collect();
    // Attributes of two different keys say nothing about each other.
    if letters.count("key") > 1 {
        states.iter_mut().for_each(|state| state.retain(|aspect| aspect.name != "attributes"));
    }
    let is_unordered = all.iter().any(|one| one.unordered.contains(&handle));
    grouped(Subject::Key(handle), all, states).map(|difference| Difference { is_unordered, ..difference })
}

fn key_state(one: &Holdings, key: &KeyPrint, letters: &mut Letters) -> State {
    let value = letters.of("key", &key.value);
    let attributes = letters.of("attributes", &key.attributes);
    let owner = one.owner(key).map_or(format!("user {}", key.owner), Name::word);
    let sharers: Vec<String> = one.sharers(key).into_iter().map(Name::word).collect();
    let shared = if sharers.is_empty() {
        "not shared".to_owned()
    } else {
        format!("shared with {}", sharers.join(","))
    };
    vec![
        present(),
        aspect("value", json!(value), format!("key {value}")),
        aspect("owner", json!(owner), format!("owner {owner}")),
        aspect("shared_with", json!(sharers), shared),
        aspect("attributes", json!(attributes), format!("attributes {attributes}")),
        aspect("m_value", json!(key.m_value), format!("M value {}", key.m_value)),
        aspect("approved", json!(key.approved), format!("{} approved changes", key.approved)),
    ]
}

fn aspect(name: &'static str, value: Value, text: String) -> Aspect {
    Aspect { name, value, text }
}

fn present() -> Aspect {
    aspect("present", json!(true), "present".to_owned())
}

fn missing(namesake: Option<&Name>) -> Aspect {
    let but = namesake.map(|name| format!(", but there is {name}"));
    aspect("present", json!(false), format!("missing{}", but.unwrap_or_default()))
}

/// `None` if all states are the same.
fn grouped(subject: Subject, all: &[&Holdings], mut states: Vec<State>) -> Option<Difference> {
    let is_there = |state: &&State| state.first().is_some_and(|first| first.value == json!(true));
    let there: Vec<State> = states.iter().filter(is_there).cloned().collect();
    let varies = |aspect: &Aspect| {
        let same = |state: &State| {
            state.iter().any(|other| other.name == aspect.name && other.value == aspect.value)
        };
        aspect.name == "comparable" || !there.iter().all(same)
    };
    for state in &mut states {
        let is_present = state.len() > 1;
        let mut kept: State = state.iter().filter(|aspect| varies(aspect)).cloned().collect();
        if kept.is_empty() && is_present {
            kept.push(present());
        }
        if is_present || !kept.is_empty() {
            *state = kept;
        }
    }
    let mut groups: Vec<(Vec<usize>, State)> = Vec::new();
    for (one, state) in all.iter().zip(states) {
        match groups.iter_mut().find(|(_, other)| *other == state) {
            Some((numbers, _)) => numbers.push(one.number),
            None => groups.push((vec![one.number], state)),
        }
    }
    (groups.len() > 1).then_some(Difference { subject, groups, is_unordered: false })
}

/// Letters for values that are not shown.
#[derive(Default)]
struct Letters(BTreeMap<&'static str, Vec<Print>>);

impl Letters {
    fn of(&mut self, kind: &'static str, print: &Print) -> String {
        let known = self.0.entry(kind).or_default();
        let at = known.iter().position(|other| other == print).unwrap_or_else(|| {
            known.push(*print);
            known.len().saturating_sub(1)
        });
        let letter = u32::try_from(at).ok().and_then(|at| char::from_u32(u32::from(b'A').saturating_add(at)));
        letter.filter(char::is_ascii_uppercase).map_or_else(|| format!("#{at}"), String::from)
    }

    fn count(&self, kind: &str) -> usize {
        self.0.get(kind).map_or(0, Vec::len)
    }
}

impl Difference {
    fn groups_text(&self) -> String {
        let group = |(numbers, state): &(Vec<usize>, State)| {
            let words: Vec<&str> =
                state.iter().map(|aspect| aspect.text.as_str()).filter(|text| !text.is_empty()).collect();
            format!("{}: {}", servers(numbers), words.join(", "))
        };
        let groups = self.groups.iter().map(group).collect::<Vec<_>>().join("; ");
        if self.is_unordered { format!("{groups} ({UNORDERED})") } else { groups }
    }

    fn row(&self) -> Value {
        let state = |(numbers, state): &(Vec<usize>, State)| {
            let aspects = state.iter().map(|aspect| (aspect.name.to_owned(), aspect.value.clone()));
            let mut row: Map<String, Value> = aspects.collect();
            row.insert("servers".to_owned(), json!(numbers));
            row.entry("present").or_insert(json!(true));
            Value::Object(row)
        };
        let states: Vec<Value> = self.groups.iter().map(state).collect();
        match &self.subject {
            Subject::User(name) => {
                json!({ "user": name.value(), "states": states })
            }
            Subject::Key(handle) if self.is_unordered => {
                json!({ "key_handle": handle.0, "states": states, "unordered": true })
            }
            Subject::Key(handle) => json!({ "key_handle": handle.0, "states": states }),
        }
    }
}

/// `server 1` or `servers 0-2,5`.
pub(in crate::cmu) fn servers(numbers: &[usize]) -> String {
    let word = if numbers.len() == 1 { "server" } else { "servers" };
    format!("{word} {}", ranges(numbers.iter().copied()))
}

/// A line for all that differs in the same way.
pub(in crate::cmu) fn text(differences: &[Difference]) -> String {
    let (mut places, mut lines) = (BTreeMap::new(), Vec::<(String, Vec<&Subject>)>::new());
    for difference in differences {
        let groups = difference.groups_text();
        let kind = matches!(difference.subject, Subject::User(_));
        let at = *places.entry((kind, groups.clone())).or_insert_with(|| {
            lines.push((groups, Vec::new()));
            lines.len().saturating_sub(1)
        });
        if let Some((_, subjects)) = lines.get_mut(at) {
            subjects.push(&difference.subject);
        }
    }
    lines.iter().map(|(groups, subjects)| format!("{}: {groups}\n", named(subjects))).collect()
}

fn named(subjects: &[&Subject]) -> String {
    let users: Vec<String> = subjects
        .iter()
        .filter_map(|subject| match subject {
            Subject::User(name) => Some(name.to_string()),
            Subject::Key(_) => None,
        })
        .collect();
    let handles = subjects.iter().filter_map(|subject| match subject {
        Subject::Key(handle) => usize::try_from(handle.0).ok(),
        Subject::User(_) => None,
    });
    let word = |one: &'static str, several: &'static str| if subjects.len() == 1 { one } else { several };
    match users.is_empty() {
        true => format!("{} {}", word("Key", "Keys"), ranges(handles)),
        false => format!("{} {}", word("User", "Users"), users.join(", ")),
    }
}

/// The rows for JSON.
pub(in crate::cmu) fn rows(differences: &[Difference]) -> Vec<Value> {
    differences.iter().map(Difference::row).collect()
}
