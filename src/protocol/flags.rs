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

#[cfg(test)]
pub(super) mod tests {
    use super::Flags;
    use crate::protocol::attribute::Attributes;
    use crate::protocol::key::{KeyClass, KeyType};

    #[test]
    fn each_flag_goes_with_the_key() {
        let none = Flags::default();
        let each = [
            Flags { encrypt: true, ..none },
            Flags { decrypt: true, ..none },
            Flags { wrap: true, ..none },
            Flags { unwrap: true, ..none },
            Flags { sign: true, ..none },
            Flags { verify: true, ..none },
            Flags { derive: true, ..none },
            Flags { destroyable: true, ..none },
            Flags { wrap_with_trusted: true, ..none },
        ];
        for flags in each {
            let given = flags.given_to(none.given_to(with_all()));
            assert_eq!(Flags::of(&given), flags);
        }
        let all = with_all();
        assert_eq!(Flags::of(&all).given_to(all.clone()), all);
        assert_ne!(none.given_to(all.clone()), all);
    }

    /// A key that may be used for all.
    pub(in crate::protocol) fn with_all() -> Attributes {
        Attributes {
            class: KeyClass::Secret,
            key_type: KeyType::Aes,
            token: true,
            label: String::new(),
            id: String::new(),
            trusted: false,
            sensitive: true,
            encrypt: true,
            decrypt: true,
            wrap: true,
            unwrap: true,
            sign: true,
            verify: true,
            derive: true,
            extractable: true,
            local: true,
            never_extractable: false,
            always_sensitive: true,
            destroyable: true,
            wrap_with_trusted: true,
            value_len: 16,
            kcv: None,
            modulus: None,
            modulus_bits: None,
            public_exponent: None,
        }
    }
}
