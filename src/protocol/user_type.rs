//! The kinds of users.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user is for. A user is known by type and name together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UserType {
    /// A word that names no type. It is sent like the others: refusing it is up to the HSM.
    Unknown,
    /// Crypto user: owns and uses keys.
    Cu,
    /// Crypto officer: manages users.
    Co,
    /// Appliance user: `app_user`, by which a cluster's owner synchronises.
    Au,
    /// Precrypto officer: becomes a CO when its password is changed, as the `admin` of a new HSM does.
    PreCo,
}

impl UserType {
    /// Reads a type as it is typed; case counts. `PCO` is what early HSMs called their first CO.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "CU" => Self::Cu,
            "CO" | "PCO" => Self::Co,
            "AU" => Self::Au,
            "PRECO" | "preCO" | "PO" => Self::PreCo,
            _ => Self::Unknown,
        }
    }

    /// The type's number and name in the audit log.
    #[must_use]
    pub fn audit_name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN (0)",
            Self::Cu => "CN_CRYPTO_USER (1)",
            Self::Co => "CN_CRYPTO_OFFICER (2)",
            Self::Au => "CN_APPLIANCE_USER (5)",
            Self::PreCo => "CN_CRYPTO_PRE_OFFICER (6)",
        }
    }
}

impl fmt::Display for UserType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "Unknown",
            Self::Cu => "CU",
            Self::Co => "CO",
            Self::Au => "AU",
            Self::PreCo => "PRECO",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::UserType;

    #[test]
    fn types_are_read_as_they_are_shown() {
        for user_type in [UserType::Cu, UserType::Co, UserType::Au, UserType::PreCo] {
            assert_eq!(UserType::parse(&user_type.to_string()), user_type);
        }
        assert_eq!(
            ["PCO", "PO", "preCO"].map(UserType::parse),
            [UserType::Co, UserType::PreCo, UserType::PreCo]
        );
        assert_eq!(["", "co", "XX"].map(UserType::parse), [UserType::Unknown; 3]);
    }
}
