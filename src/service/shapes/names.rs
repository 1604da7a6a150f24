//! The patterns of identifiers and other texts.

use std::ops::RangeInclusive;

use super::text::{Kind, Text};

/// As in the model.
pub type BackupId = Text<kinds::Backup>;
/// A backup's id or ARN.
pub type BackupArn = Text<kinds::BackupReference>;
/// Days, in digits.
pub type BackupRetentionValue = Text<kinds::RetentionValue>;
/// PEM; of certificates, CSRs and keys alike.
pub type Cert = Text<kinds::Certificate>;
/// The ARN of a backup, a cluster or an HSM.
pub type CloudHsmArn = Text<kinds::Arn>;
/// As in the model.
pub type ClusterId = Text<kinds::Cluster>;
/// The id of an HSM's network interface.
pub type EniId = Text<kinds::Interface>;
/// Such as `us-east-1a`.
pub type AvailabilityZone = Text<kinds::Zone>;
/// The name of a filter.
pub type FilterField = Text<kinds::FilterName>;
/// As in the model.
pub type HsmId = Text<kinds::Hsm>;
/// Such as `hsm1.medium`.
pub type HsmType = Text<kinds::Type>;
/// IPv4.
pub type IpAddress = Text<kinds::Address>;
/// IPv6.
pub type IpV6Address = Text<kinds::AddressV6>;
/// Where a list goes on.
pub type NextToken = Text<kinds::Token>;
/// As in the model.
pub type Region = Text<kinds::RegionName>;
/// A cluster's id or a backup's.
pub type ResourceId = Text<kinds::Resource>;
/// JSON.
pub type ResourcePolicy = Text<kinds::Policy>;
/// As in the model.
pub type SubnetId = Text<kinds::Subnet>;
/// As in the model.
pub type TagKey = Text<kinds::Key>;
/// As in the model.
pub type TagValue = Text<kinds::Value>;

/// What a [`Text`] is.
pub mod kinds {
    use super::{Kind, RangeInclusive};
    /// Of a [`BackupId`](super::BackupId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Backup;
    impl Kind for Backup {
        const PATTERN: Option<&'static str> = Some(r"backup-[2-7a-zA-Z]{11,16}");
    }

    /// Of a [`BackupArn`](super::BackupArn).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct BackupReference;
    impl Kind for BackupReference {
        const PATTERN: Option<&'static str> = Some(
            r"^(arn:aws(-(us-gov))?:cloudhsm:([a-z]{2}(-(gov|isob|iso))?-(east|west|north|south|central){1,2}-[0-9]{1}):[0-9]{12}:backup/)?backup-[2-7a-zA-Z]{11,16}",
        );
    }

    /// Of a [`BackupRetentionValue`](super::BackupRetentionValue).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct RetentionValue;
    impl Kind for RetentionValue {
        const PATTERN: Option<&'static str> = Some(r"[0-9]+");
        const LENGTHS: RangeInclusive<usize> = 1..=3;
    }

    /// Of a [`Cert`](super::Cert).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Certificate;
    impl Kind for Certificate {
        const PATTERN: Option<&'static str> = Some(r"[a-zA-Z0-9+-/=\s]*");
        const LENGTHS: RangeInclusive<usize> = 0..=20_000;
    }

    /// Of a [`CloudHsmArn`](super::CloudHsmArn).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Arn;
    impl Kind for Arn {
        const PATTERN: Option<&'static str> = Some(
            r"arn:aws(-(us-gov))?:cloudhsm:([a-z]{2}(-(gov|isob|iso))?-(east|west|north|south|central){1,2}-[0-9]{1}):[0-9]{12}:(backup/backup|cluster/cluster|hsm/hsm)-[2-7a-zA-Z]{11,16}",
        );
    }

    /// Of a [`ClusterId`](super::ClusterId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Cluster;
    impl Kind for Cluster {
        const PATTERN: Option<&'static str> = Some(r"cluster-[2-7a-zA-Z]{11,16}");
    }

    /// Of a [`EniId`](super::EniId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Interface;
    impl Kind for Interface {
        const PATTERN: Option<&'static str> = Some(r"eni-[0-9a-fA-F]{8,17}");
    }

    /// Of a [`AvailabilityZone`](super::AvailabilityZone).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Zone;
    impl Kind for Zone {
        const PATTERN: Option<&'static str> =
            Some(r"[a-z]{2}(-(gov))?-(east|west|north|south|central){1,2}-\d[a-z]");
    }

    /// Of a [`FilterField`](super::FilterField).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct FilterName;
    impl Kind for FilterName {
        const PATTERN: Option<&'static str> = Some(r"[a-zA-Z0-9_-]+");
    }

    /// Of a [`HsmId`](super::HsmId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Hsm;
    impl Kind for Hsm {
        const PATTERN: Option<&'static str> = Some(r"hsm-[2-7a-zA-Z]{11,16}");
    }

    /// Of a [`HsmType`](super::HsmType).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Type;
    impl Kind for Type {
        const PATTERN: Option<&'static str> = Some(r"((p|)hsm[0-9][a-z.]*\.[a-zA-Z]+)");
        const LENGTHS: RangeInclusive<usize> = 0..=32;
    }

    /// Of a [`IpAddress`](super::IpAddress).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Address;
    impl Kind for Address {
        const PATTERN: Option<&'static str> = Some(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}");
    }

    /// Of an [`IpV6Address`](super::IpV6Address).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct AddressV6;
    impl Kind for AddressV6 {
        const LENGTHS: RangeInclusive<usize> = 0..=100;
    }

    /// Of a [`NextToken`](super::NextToken).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Token;
    impl Kind for Token {
        const LENGTHS: RangeInclusive<usize> = 0..=256;
    }

    /// Of a [`Region`](super::Region).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct RegionName;
    impl Kind for RegionName {
        const PATTERN: Option<&'static str> =
            Some(r"[a-z]{2}(-(gov))?-(east|west|north|south|central){1,2}-\d");
    }

    /// Of a [`ResourceId`](super::ResourceId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Resource;
    impl Kind for Resource {
        const PATTERN: Option<&'static str> = Some(r"(?:cluster|backup)-[2-7a-zA-Z]{11,16}");
    }

    /// Of a [`ResourcePolicy`](super::ResourcePolicy).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Policy;
    impl Kind for Policy {
        const LENGTHS: RangeInclusive<usize> = 1..=20_000;
    }

    /// Of a [`SubnetId`](super::SubnetId).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Subnet;
    impl Kind for Subnet {
        const PATTERN: Option<&'static str> = Some(r"subnet-[0-9a-fA-F]{8,17}");
    }

    /// Of a [`TagKey`](super::TagKey).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Key;
    impl Kind for Key {
        const PATTERN: Option<&'static str> = Some(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
        const LENGTHS: RangeInclusive<usize> = 1..=128;
    }

    /// Of a [`TagValue`](super::TagValue).
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Value;
    impl Kind for Value {
        const PATTERN: Option<&'static str> = Some(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
        const LENGTHS: RangeInclusive<usize> = 0..=256;
    }
}
