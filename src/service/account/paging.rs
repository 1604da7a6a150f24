//! Lists in parts. A part begins after the place where the one before ended, so that what comes or goes meanwhile neither
//! repeats nor hides anything else.

use std::fmt::Display;

use data_encoding::BASE64URL_NOPAD;

use crate::service::failure::Failure;
use crate::service::shapes::names::NextToken;

/// The place of something in its list; places are in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn oldest_first(created: u64, id: &impl Display) -> Self {
        Self(format!("o{created:020}{id}"))
    }

    pub(super) fn newest_first(created: u64, id: &impl Display) -> Self {
        Self(format!("n{:020}{id}", u64::MAX.saturating_sub(created)))
    }

    pub(super) fn number(number: usize) -> Self {
        Self(format!("t{number:05}"))
    }
}

/// The next part of a list, and the token of the one after.
///
/// # Errors
///
/// If the token is not one of this list's.
pub(super) fn page<T>(
    mut all: Vec<(Place, T)>,
    token: Option<&NextToken>,
    max: usize,
) -> Result<(Vec<T>, Option<String>), Failure> {
    all.sort_by(|(first, _), (second, _)| first.cmp(second));
    if let Some(token) = token.filter(|token| !token.as_str().is_empty()) {
        let after = read(token).ok_or_else(|| Failure::invalid("NextToken is not valid."))?;
        let is_of_another =
            |(place, _): &(Place, T)| place.0.as_bytes().first() != after.0.as_bytes().first();
        if all.first().is_some_and(is_of_another) {
            return Err(Failure::invalid("NextToken is not one of this list."));
        }
        all.retain(|(place, _)| *place > after);
    }
    let last = all.get(max.saturating_sub(1)).map(|(place, _)| place.clone());
    let next_token = last.filter(|_| all.len() > max).map(|place| BASE64URL_NOPAD.encode(place.0.as_bytes()));
    Ok((all.into_iter().take(max).map(|(_, item)| item).collect(), next_token))
}

fn read(token: &NextToken) -> Option<Place> {
    let bytes = BASE64URL_NOPAD.decode(token.as_str().as_bytes()).ok()?;
    String::from_utf8(bytes).ok().filter(|place| place.starts_with(['o', 'n', 't'])).map(Place)
}

#[cfg(test)]
mod tests {
    use super::{Place, page};
    use crate::service::shapes::names::NextToken;

    #[test]
    fn a_list_goes_on_after_what_was_shown_even_if_that_is_gone() {
        let all = |numbers: &[usize]| numbers.iter().map(|n| (Place::number(*n), *n)).collect::<Vec<_>>();
        let (shown, token) = page(all(&[3, 1, 2]), None, 2).unwrap();
        assert_eq!(shown, [1, 2]);
        let token = NextToken::parse(&token.unwrap()).unwrap();
        assert_eq!(page(all(&[1, 3, 4]), Some(&token), 2).unwrap(), (vec![3, 4], None));
        assert_eq!(page(all(&[]), Some(&token), 2).unwrap(), (vec![], None));
        assert!(page(all(&[1]), Some(&NextToken::parse("???").unwrap()), 2).is_err());
        let other = vec![(Place::oldest_first(1, &"a"), 1)];
        assert!(page(other, Some(&token), 2).is_err());
    }
}
