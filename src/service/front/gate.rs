//! Who may call, and which region a call is for: the credential scope of its signature says so, and nothing else does.

mod authorization;
pub mod credentials;
mod signature;

use std::net::IpAddr;
use std::time::SystemTime;

use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use super::refusal::Refusal;
use crate::service::shapes::names::Region;
use authorization::Authorization;
use credentials::Credentials;

/// Lets calls in.
pub struct Gate {
    entry: Entry,
    /// The region of calls without a signature.
    default_region: Region,
}

/// Whose calls are answered.
pub enum Entry {
    /// Everybody's: signatures are not verified, and need not be there.
    Everybody,
    /// Those of the owners of these credentials.
    Owners(Credentials),
}

impl Gate {
    /// A gate for new calls.
    #[must_use]
    pub const fn new(entry: Entry, default_region: Region) -> Self {
        Self { entry, default_region }
    }

    /// The region that the call is for, if it may come in.
    pub(super) fn region(&self, request: &Parts, body: &[u8], now: SystemTime) -> Result<Region, Refusal> {
        let header = request.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        match (header, &self.entry) {
            (None, Entry::Everybody) => {
                check_host(request)?;
                Ok(self.default_region.clone())
            }
            (None, Entry::Owners(_)) => Err(Refusal::MissingAuthenticationToken),
            (Some(header), entry) => {
                let signed = Authorization::parse(header)?;
                match entry {
                    Entry::Owners(known) => signature::verify(request, body, &signed, known, now)?,
                    Entry::Everybody => check_host(request)?,
                }
                region(signed.scope.region)
            }
        }
    }
}

/// Everybody means every program of this machine. A page in a browser is none, but its own name may lead here: then the
/// browser takes this service for a part of the page's site, and lets the page send what it likes.
fn check_host(request: &Parts) -> Result<(), Refusal> {
    let Some(host) = request.headers.get(HOST) else { return Ok(()) };
    let authority: Option<Authority> = host.to_str().ok().and_then(|host| host.parse().ok());
    let name = authority.as_ref().map(Authority::host).unwrap_or_default();
    let address = name.trim_matches(['[', ']']);
    if name == "localhost" || name.ends_with(".localhost") || address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Refusal::OtherHost)
}

fn region(name: &str) -> Result<Region, Refusal> {
    Region::parse(name).map_err(|_| {
        let sentence = format!("Credential should be scoped to a valid region, not '{name}'.");
        Refusal::InvalidSignature(sentence)
    })
}
