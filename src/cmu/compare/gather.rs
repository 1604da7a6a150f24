//! Asking servers what they hold.

use std::collections::BTreeMap;

use super::holdings::{Holdings, Name};
use crate::cluster::{Failure, Question};
use crate::cmu::{Session, Stop};
use crate::protocol::Refusal;
use crate::protocol::compare::{KeyPrints, PrintKeys, PrintUsers};
use crate::protocol::user::UserType;

/// What servers hold.
pub(in crate::cmu) struct Gathered {
    /// Of one clone family, in the order of their numbers.
    pub(in crate::cmu) holdings: Vec<Holdings>,
    /// Servers that cannot be compared with them, and why.
    pub(in crate::cmu) missing: Vec<(usize, Failure)>,
    /// If a CU asked: only the keys of this user were compared.
    pub(in crate::cmu) only: Option<Name>,
}

impl Gathered {
    pub(in crate::cmu) fn of(&self, number: usize) -> Option<&Holdings> {
        self.holdings.iter().find(|holdings| holdings.number == number)
    }
}

/// Asks these servers, all at once. Those of another clone family than `source`, or than most, cannot be compared.
pub(in crate::cmu) fn gather(
    session: &mut Session<'_>,
    scope: &[usize],
    source: Option<usize>,
) -> Result<Gathered, Stop> {
    session.reconnect(scope);
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    let answers = session.query(scope, &Question::new(PrintUsers)?);
    for (number, answer) in scope.iter().zip(answers) {
        match answer {
            Ok(users) => drop(found.insert(*number, Holdings::new(*number, users))),
            Err(failure) => missing.push((*number, failure)),
        }
    }
    let family = family(&found, source);
    let strangers: Vec<_> =
        found.values().filter(|one| Some(one.family) != family).map(|one| one.number).collect();
    for number in strangers {
        found.remove(&number);
        let failure = Failure::Refused(Refusal::MaskedObjectForeign);
        session.tally.failed(number, &failure);
        missing.push((number, failure));
    }
    missing.extend(add_keys(session, &mut found)?);
    missing.sort_by_key(|(number, _)| *number);
    let only = found.values().find(|one| !one.shows_users()).and_then(|one| login(session, one.number));
    if let Some(owner) = &only {
        found.values_mut().for_each(|one| one.keep_keys_of(owner));
    }
    Ok(Gathered { holdings: found.into_values().collect(), missing, only })
}

fn login(session: &Session<'_>, number: usize) -> Option<Name> {
    let who = session.server(number)?.login()?;
    (who.user_type == UserType::Cu).then(|| Name::new(who.user_type, &who.name))
}

/// The source's, or the one that most servers belong to.
fn family(found: &BTreeMap<usize, Holdings>, source: Option<usize>) -> Option<[u8; 16]> {
    if let Some(source) = source.and_then(|source| found.get(&source)) {
        return Some(source.family);
    }
    let count = |family: [u8; 16]| found.values().filter(|one| one.family == family).count();
    // Of several, the last one that is greatest: that of the first server.
    found.values().rev().map(|one| one.family).max_by_key(|family| count(*family))
}

/// Adds the keys, page by page. A server that fails is removed and returned.
fn add_keys(
    session: &mut Session<'_>,
    found: &mut BTreeMap<usize, Holdings>,
) -> Result<Vec<(usize, Failure)>, Stop> {
    let scope: Vec<_> = found.keys().copied().collect();
    let after = |page: &KeyPrints| {
        let last = page.keys.last().filter(|_| !page.is_last)?;
        Some(PrintKeys { after: Some(last.handle) })
    };
    let mut failed = Vec::new();
    let answers = session.query_pages(&scope, PrintKeys { after: None }, after)?;
    for (number, answer) in scope.into_iter().zip(answers) {
        match (found.get_mut(&number), answer) {
            (Some(one), Ok(pages)) => {
                for page in pages {
                    one.unordered.extend(page.unordered);
                    one.keys.0.push(page.keys);
                }
            }
            (_, Err(failure)) => {
                found.remove(&number);
                failed.push((number, failure));
            }
            (None, Ok(_)) => {}
        }
    }
    Ok(failed)
}
