//! The attributes of keys, by PKCS #11's numbers, and the operations on them.

use serde::{Deserialize, Serialize};

use super::about::{About, Access};
use super::key::{KeyClass, KeyType};
use super::key_handle::KeyHandle;
use super::service::Service;

/// Asks for all attributes of a key that the caller may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadAttributes {
    /// Own, shared or public.
    pub handle: KeyHandle,
}

impl About for ReadAttributes {}

/// Changes an attribute of a key: the owner sets most of them, a CO only whether the key is trusted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAttribute {
    /// The caller's own; for a CO, any.
    pub handle: KeyHandle,
    /// One that can be set.
    pub attribute: Attribute,
    /// The new value.
    pub value: Value,
}

impl About for SetAttribute {
    fn key(&self) -> Option<KeyHandle> {
        Some(self.handle)
    }

    fn access(&self, _listed: Access) -> Access {
        match self.attribute.set_by() {
            SetBy::Officer => Access::Officer,
            // The owner of the key learns from the HSM that nobody may set it.
            SetBy::Owner | SetBy::Nobody => Access::CryptoUser,
        }
    }

    /// Approvals come from those who may use the key, and it is not for them to call it trusted.
    fn service(&self, listed: Option<Service>) -> Option<Service> {
        match self.attribute.set_by() {
            SetBy::Officer => None,
            SetBy::Owner | SetBy::Nobody => listed,
        }
    }
}

/// What a key is and may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "PKCS #11 has the names")]
pub struct Attributes {
    pub class: KeyClass,
    pub key_type: KeyType,
    /// Whether it outlives its session.
    pub token: bool,
    /// Need not be unique.
    pub label: String,
    /// Unique on its HSM, except that both halves of a pair have it. Empty if the key has no id.
    pub id: String,
    /// Whether a CO vouches for it as a wrapping key.
    pub trusted: bool,
    /// Whether its value never leaves the HSM in clear.
    pub sensitive: bool,
    pub encrypt: bool,
    pub decrypt: bool,
    pub wrap: bool,
    pub unwrap: bool,
    pub sign: bool,
    pub verify: bool,
    pub derive: bool,
    /// Whether it may be wrapped out of the HSM.
    pub extractable: bool,
    /// Whether it was made in this clone family.
    pub local: bool,
    /// Whether it never could be wrapped out.
    pub never_extractable: bool,
    /// Whether it always was sensitive.
    pub always_sensitive: bool,
    /// Whether it may be deleted.
    pub destroyable: bool,
    /// Whether only a trusted key may wrap it.
    pub wrap_with_trusted: bool,
    /// Length in bytes; for an RSA key, what the original reports.
    pub value_len: u32,
    /// Key check value: of a symmetric key the first bytes of an encrypted zero block, of a pair those of the SHA-1
    /// of the public key. A generic secret has none.
    pub kcv: Option<[u8; 3]>,
    /// An RSA key's modulus, an EC key's point.
    pub modulus: Option<Vec<u8>>,
    /// Bits of an RSA key's modulus or of an EC key's field.
    pub modulus_bits: Option<u32>,
    /// An RSA key's.
    pub public_exponent: Option<Vec<u8>>,
}

/// The value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// One byte wide: a flag, a class, a key type.
    Byte(u8),
    /// Four bytes wide.
    Number(u32),
    /// A label or an id.
    Text(String),
    /// A key check value, a modulus, an exponent.
    Bytes(Vec<u8>),
}

/// Who may set an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The key's owner.
    Owner,
    /// A CO.
    Officer,
    /// Nobody.
    Nobody,
}

/// A line of the list names an attribute, its number, the consoles' name for it, and who may set it.
macro_rules! attributes {
    ($($name:ident = $number:literal, $text:literal, $set_by:ident;)*) => {
        /// One attribute. New ones go to the end: the order is the wire format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each is the field of that name, in `Attributes`")]
        pub enum Attribute { $($name,)* }

        impl Attribute {
            /// All of them, in the order of `listAttributes`.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// PKCS #11's number.
            #[must_use]
            pub fn number(self) -> u32 {
                match self { $(Self::$name => $number,)* }
            }

            /// As the consoles show it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Who may change it.
            #[must_use]
            pub fn set_by(self) -> SetBy {
                match self { $(Self::$name => SetBy::$set_by,)* }
            }
        }
    };
}

attributes! {
    Class            = 0,   "OBJ_ATTR_CLASS",             Nobody;
    Token            = 1,   "OBJ_ATTR_TOKEN",             Owner;
    Private          = 2,   "OBJ_ATTR_PRIVATE",           Nobody;
    Label            = 3,   "OBJ_ATTR_LABEL",             Owner;
    Trusted          = 134, "OBJ_ATTR_TRUSTED",           Officer;
    KeyType          = 256, "OBJ_ATTR_KEY_TYPE",          Nobody;
    Id               = 258, "OBJ_ATTR_ID",                Nobody;
    Sensitive        = 259, "OBJ_ATTR_SENSITIVE",         Nobody;
    Encrypt          = 260, "OBJ_ATTR_ENCRYPT",           Owner;
    Decrypt          = 261, "OBJ_ATTR_DECRYPT",           Owner;
    Wrap             = 262, "OBJ_ATTR_WRAP",              Owner;
    Unwrap           = 263, "OBJ_ATTR_UNWRAP",            Owner;
    Sign             = 264, "OBJ_ATTR_SIGN",              Owner;
    Verify           = 266, "OBJ_ATTR_VERIFY",            Owner;
    Derive           = 268, "OBJ_ATTR_DERIVE",            Owner;
    Local            = 355, "OBJ_ATTR_LOCAL",             Nobody;
    Modulus          = 288, "OBJ_ATTR_MODULUS",           Nobody;
    ModulusBits      = 289, "OBJ_ATTR_MODULUS_BITS",      Nobody;
    PublicExponent   = 290, "OBJ_ATTR_PUBLIC_EXPONENT",   Nobody;
    ValueLen         = 353, "OBJ_ATTR_VALUE_LEN",         Nobody;
    Extractable      = 354, "OBJ_ATTR_EXTRACTABLE",       Nobody;
    NeverExtractable = 356, "OBJ_ATTR_NEVER_EXTRACTABLE", Nobody;
    AlwaysSensitive  = 357, "OBJ_ATTR_ALWAYS_SENSITIVE",  Nobody;
    Destroyable      = 370, "OBJ_ATTR_DESTROYABLE",       Owner;
    Kcv              = 371, "OBJ_ATTR_KCV",               Nobody;
    WrapWithTrusted  = 528, "OBJ_ATTR_WRAP_WITH_TRUSTED", Owner;
    // No key has a template: this HSM does not make keys from one.
    WrapTemplate     = 1_073_742_353, "OBJ_ATTR_WRAP_TEMPLATE",   Nobody;
    UnwrapTemplate   = 1_073_742_354, "OBJ_ATTR_UNWRAP_TEMPLATE", Nobody;
}

/// The number that stands for all attributes.
pub const ALL_ATTRIBUTES: u32 = 512;

/// The name of [`ALL_ATTRIBUTES`].
pub const ALL_ATTRIBUTES_NAME: &str = "OBJ_ATTR_ALL";

impl Attribute {
    /// Those in a dump of all, in the original's order.
    pub const DUMPED: [Self; 26] = [
        Self::Class,
        Self::KeyType,
        Self::Token,
        Self::Private,
        Self::Encrypt,
        Self::Decrypt,
        Self::Wrap,
        Self::Unwrap,
        Self::Sign,
        Self::Verify,
        Self::Local,
        Self::Sensitive,
        Self::Extractable,
        Self::Label,
        Self::Id,
        Self::ValueLen,
        Self::Kcv,
        Self::Modulus,
        Self::ModulusBits,
        Self::PublicExponent,
        Self::Trusted,
        Self::WrapWithTrusted,
        Self::Destroyable,
        Self::Derive,
        Self::AlwaysSensitive,
        Self::NeverExtractable,
    ];

    /// The attribute with this number.
    #[must_use]
    pub fn numbered(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|attribute| attribute.number() == number)
    }

    /// The attribute with exactly this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|attribute| attribute.name() == name)
    }
}

impl Attributes {
    /// The value of an attribute; `None` if a key of this kind does not have it.
    #[must_use]
    pub fn value(&self, attribute: Attribute) -> Option<Value> {
        let byte = |number: u32| u8::try_from(number).ok().map(Value::Byte);
        match attribute {
            Attribute::Class => byte(self.class.number()),
            Attribute::KeyType => byte(self.key_type.number()),
            // No key is shown without a login.
            Attribute::Private => byte(1),
            Attribute::Label => Some(Value::Text(self.label.clone())),
            Attribute::Id => Some(Value::Text(self.id.clone())),
            Attribute::Modulus => self.modulus.clone().map(Value::Bytes),
            Attribute::ModulusBits => self.modulus_bits.map(Value::Number),
            Attribute::PublicExponent => self.public_exponent.clone().map(Value::Bytes),
            Attribute::ValueLen => Some(Value::Number(self.value_len)),
            Attribute::Kcv => self.kcv.map(|kcv| Value::Bytes(kcv.to_vec())),
            flag => self.flag(flag).and_then(|is_set| byte(u32::from(is_set))),
        }
    }

    /// Sets a flag or the label; `None` if the attribute is neither or cannot have this value.
    pub fn set(&mut self, attribute: Attribute, value: &Value) -> Option<()> {
        match value {
            Value::Text(text) if attribute == Attribute::Label => self.label.clone_from(text),
            Value::Byte(flag @ (0 | 1)) => *self.flag_mut(attribute)? = *flag == 1,
            Value::Text(_) | Value::Byte(_) | Value::Number(_) | Value::Bytes(_) => return None,
        }
        Some(())
    }

    fn flag(&self, attribute: Attribute) -> Option<bool> {
        self.clone().flag_mut(attribute).copied()
    }

    fn flag_mut(&mut self, attribute: Attribute) -> Option<&mut bool> {
        Some(match attribute {
            Attribute::Token => &mut self.token,
            Attribute::Trusted => &mut self.trusted,
            Attribute::Sensitive => &mut self.sensitive,
            Attribute::Encrypt => &mut self.encrypt,
            Attribute::Decrypt => &mut self.decrypt,
            Attribute::Wrap => &mut self.wrap,
            Attribute::Unwrap => &mut self.unwrap,
            Attribute::Sign => &mut self.sign,
            Attribute::Verify => &mut self.verify,
            Attribute::Derive => &mut self.derive,
            Attribute::Local => &mut self.local,
            Attribute::Extractable => &mut self.extractable,
            Attribute::NeverExtractable => &mut self.never_extractable,
            Attribute::AlwaysSensitive => &mut self.always_sensitive,
            Attribute::Destroyable => &mut self.destroyable,
            Attribute::WrapWithTrusted => &mut self.wrap_with_trusted,
            Attribute::Class
            | Attribute::Private
            | Attribute::Label
            | Attribute::KeyType
            | Attribute::Id
            | Attribute::Modulus
            | Attribute::ModulusBits
            | Attribute::PublicExponent
            | Attribute::ValueLen
            | Attribute::Kcv
            | Attribute::WrapTemplate
            | Attribute::UnwrapTemplate => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Value};
    use crate::protocol::flags::tests::with_all;

    #[test]
    fn only_flags_and_the_label_are_set() {
        let before = with_all();
        let set = |attribute, value: Value| {
            let mut attributes = before.clone();
            attributes.set(attribute, &value).map(|()| attributes)
        };
        let text = || Value::Text("sun".to_owned());
        assert_eq!(set(Attribute::Label, text()).map(|set| set.label), Some("sun".to_owned()));
        assert_eq!(set(Attribute::Encrypt, Value::Byte(0)).map(|set| set.encrypt), Some(false));
        assert_eq!(set(Attribute::Encrypt, Value::Byte(1)), Some(before.clone()));
        for (attribute, value) in [
            (Attribute::Id, text()),
            (Attribute::Encrypt, text()),
            (Attribute::Encrypt, Value::Byte(2)),
            (Attribute::Label, Value::Byte(1)),
            (Attribute::ValueLen, Value::Number(1)),
        ] {
            assert_eq!(set(attribute, value), None);
        }
    }
}
