//! The argument `<service>`.

use super::{Usage, Words};
use crate::protocol::quorum::Service;

/// Reads a service by its number.
pub(super) fn service(words: &mut Words<'_>) -> Result<Service, Usage> {
    let word = words.next("service")?;
    let service = word.parse().ok().and_then(Service::numbered);
    service.ok_or_else(|| Usage::Invalid {
        word: word.to_owned(),
        expected: "a service, 0 to 6, such as 3 (USER_MGMT) or 4 (MISC_CO)",
    })
}
