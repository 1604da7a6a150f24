//! What officers sign outside the console, and the files that carry it: tokens, approval files and authentication
//! data.
//!
//! The console and `key_mgmt_util` read what was signed here or by openssl; both make the same bytes.

pub mod approval;
pub mod authdata;
mod legacy;
pub mod private_key;
pub mod public_key;
pub mod sign;
pub mod signature_file;
pub mod token_file;
