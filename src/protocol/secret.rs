//! Text and bytes that must not be seen.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A password: wiped from memory when dropped, without `Debug` or `Display`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over the text. If the caller has copies, the caller wipes them.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. A review looks at every place that calls this.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A key's value on its way into an HSM, or what came out: wiped from memory when dropped, without `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over the bytes. If the caller has copies, the caller wipes them.
    #[must_use]
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. A review looks at every place that calls this.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::marker::PhantomData;

    use super::{Secret, SecretBytes};
    use crate::protocol::session::Login;
    use crate::protocol::wrap::WrapHost;

    /// A type, of which one asks whether `{:?}` formats it.
    struct Of<T>(PhantomData<T>);

    trait NotShown {
        const IS_SHOWN: bool = false;
    }

    impl<T> NotShown for Of<T> {}

    /// Inherent, so that it is found before the trait's.
    impl<T: Debug> Of<T> {
        const IS_SHOWN: bool = true;
    }

    /// So that no panic message, log or error can contain it.
    const _: () = {
        assert!(Of::<String>::IS_SHOWN);
        assert!(!Of::<Secret>::IS_SHOWN);
        assert!(!Of::<SecretBytes>::IS_SHOWN);
        assert!(!Of::<Login>::IS_SHOWN);
        assert!(!Of::<WrapHost>::IS_SHOWN);
    };
}
