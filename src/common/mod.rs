//! What the commands of both tools have in common.

mod certificate;
mod hsm_info;
mod output_file;

use std::borrow::Cow;

pub(crate) use certificate::certificate_kind;
pub(crate) use hsm_info::hsm_info;
pub(crate) use output_file::{OutputFile, Unwritable};

/// Text from an HSM, without control characters: an impostor must not be able to forge lines or control the terminal.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { text.replace(char::is_control, "?").into() } else { text.into() }
}
