//! What officers sign outside the console, and the files for it: tokens, approval files and authentication data.
//!
//! The console and `key_mgmt_util` read what was signed here or by openssl; both make the same bytes.
//!
//! The crate `pem` reads PEM here, and rustls-pki-types elsewhere: the latter knows neither encrypted private keys nor
//! the headers of the old ones, and no block that was pasted into one line.

pub mod approval;
pub mod authdata;
mod legacy;
pub mod private_key;
pub mod public_key;
pub mod sign;
pub mod signature_file;
pub mod token_file;
