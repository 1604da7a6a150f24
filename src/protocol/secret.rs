//! Text that must not be seen.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A password: wiped from memory when dropped, without `Debug` or `Display`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's copy, if any, is the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Name every place that calls this in review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}
