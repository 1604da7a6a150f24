//! Arguments that several commands take.

use crate::command::{Argument, Given, Kind, Usage};
use crate::protocol::quorum::Service;

pub(super) const USER_TYPE: Argument = Argument::word("user-type", Kind::UserType);
pub(super) const USER_NAME: Argument = Argument::word("user-name", Kind::UserName);
pub(super) const USER_ID: Argument = Argument::word("user-id", Kind::UserId);
pub(super) const KEY_HANDLE: Argument = Argument::word("key-handle", Kind::Handle);
pub(super) const SERVER: Argument = Argument::word("server-number", Kind::Server);
pub(super) const SERVICE: Argument = Argument::word("service", Kind::Service);
pub(super) const OUTPUT_FILE: Argument = Argument::word("output-file", Kind::File).optional();

/// Reads [`SERVICE`].
pub(super) fn service(given: &Given<'_>) -> Result<Service, Usage> {
    let word = given.word(&SERVICE)?;
    let service = word.parse().ok().and_then(Service::numbered);
    service.ok_or_else(|| {
        given.invalid(&SERVICE, word, "a service, 0 to 6, such as 3 (USER_MGMT) or 4 (MISC_CO)")
    })
}
