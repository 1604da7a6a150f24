//! Quorum services.

use serde::{Deserialize, Serialize};

/// What approvals are for. New ones go to the end: the order is the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Service {
    /// Not offered by this HSM.
    BackupByCu,
    /// Not offered by this HSM.
    BackupByCo,
    /// Not offered by this HSM.
    Cloning,
    /// Creating, copying and deleting users, and changing another one's password: approved by COs.
    UserManagement,
    /// Setting M values: approved by COs.
    MiscCo,
    /// Using a key: approved by those who may use it.
    UseKey,
    /// Sharing a key and changing its attributes: approved by those who may use it.
    ManageKey,
}

impl Service {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::BackupByCu,
        Self::BackupByCo,
        Self::Cloning,
        Self::UserManagement,
        Self::MiscCo,
        Self::UseKey,
        Self::ManageKey,
    ];

    /// The number by which commands name it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::BackupByCu => 0,
            Self::BackupByCo => 1,
            Self::Cloning => 2,
            Self::UserManagement => 3,
            Self::MiscCo => 4,
            Self::UseKey => 5,
            Self::ManageKey => 6,
        }
    }

    /// The service of that number, if there is one.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.number() == number)
    }

    /// Whether its tokens are about one key.
    #[must_use]
    pub fn is_of_key(self) -> bool {
        matches!(self, Self::UseKey | Self::ManageKey)
    }

    /// As `getMValue` shows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BackupByCu => "BACKUP_BY_CU",
            Self::BackupByCo => "BACKUP_BY_CO",
            Self::Cloning => "CLONING",
            Self::UserManagement => "USER_MGMT",
            Self::MiscCo => "MISC_CO",
            Self::UseKey => "USE_KEY",
            Self::ManageKey => "MANAGE_KEY",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn services_have_the_originals_numbers() {
        for (service, number) in Service::ALL.into_iter().zip(0..) {
            assert_eq!((service.number(), Service::numbered(number)), (number, Some(service)));
        }
        assert_eq!(Service::numbered(7), None);
        assert_eq!([Service::UserManagement, Service::MiscCo].map(Service::name), ["USER_MGMT", "MISC_CO"]);
    }
}
