//! What the commands of both tools have in common.

mod certificate;
mod hsm_info;
mod output_file;

pub(crate) use certificate::certificate_kind;
pub(crate) use hsm_info::hsm_info;
pub(crate) use output_file::{OutputFile, Unwritable};
