//! Moments.

use ciborium::tag::Required;
use serde::{Serialize, Serializer};

/// Microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Seconds since 1970, with milliseconds as a fraction.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "so many milliseconds are exact until the year 287396")]
    pub fn seconds(self) -> f64 {
        (self.0 / 1000) as f64 / 1000.0
    }
}

impl Serialize for Timestamp {
    /// A number in JSON; in CBOR the same number with tag 1.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(self.seconds())
        } else {
            Required::<f64, 1>(self.seconds()).serialize(serializer)
        }
    }
}
