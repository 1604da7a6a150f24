//! Which certificate `getCert` asks for.

use crate::command::{Argument, Given, Usage};
use crate::protocol::certificate::CertificateKind;

/// Reads the number of a certificate.
pub(crate) fn certificate_kind(given: &Given<'_>, argument: &Argument) -> Result<CertificateKind, Usage> {
    let word = given.word(argument)?;
    let kind = word.parse().ok().and_then(CertificateKind::of_number);
    kind.ok_or_else(|| given.invalid(argument, word, "1, 2, 4, 8 or 16"))
}
