//! What a key may be used for, as far as its owner decides.

use serde::{Deserialize, Serialize};

use super::attribute::Attributes;

/// The attributes of a key that its owner may choose, and that go with it when it is wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the field of that name in `Attributes`")]
pub struct Flags {
    pub encrypt: bool,
    pub decrypt: bool,
    pub wrap: bool,
    pub unwrap: bool,
    pub sign: bool,
    pub verify: bool,
    pub derive: bool,
    pub destroyable: bool,
    pub wrap_with_trusted: bool,
}

impl Flags {
    /// Those of a key.
    #[must_use]
    pub fn of(attributes: &Attributes) -> Self {
        Self {
            encrypt: attributes.encrypt,
            decrypt: attributes.decrypt,
            wrap: attributes.wrap,
            unwrap: attributes.unwrap,
            sign: attributes.sign,
            verify: attributes.verify,
            derive: attributes.derive,
            destroyable: attributes.destroyable,
            wrap_with_trusted: attributes.wrap_with_trusted,
        }
    }

    /// The attributes of a key that gets these.
    #[must_use]
    pub fn given_to(self, attributes: Attributes) -> Attributes {
        Attributes {
            encrypt: self.encrypt,
            decrypt: self.decrypt,
            wrap: self.wrap,
            unwrap: self.unwrap,
            sign: self.sign,
            verify: self.verify,
            derive: self.derive,
            destroyable: self.destroyable,
            wrap_with_trusted: self.wrap_with_trusted,
            ..attributes
        }
    }
}
