//! The operations of the service model.

/// One of the 18 operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the model's names")]
pub enum Operation {
    CopyBackupToRegion,
    CreateCluster,
    CreateHsm,
    DeleteBackup,
    DeleteCluster,
    DeleteHsm,
    DeleteResourcePolicy,
    DescribeBackups,
    DescribeClusters,
    GetResourcePolicy,
    InitializeCluster,
    ListTags,
    ModifyBackupAttributes,
    ModifyCluster,
    PutResourcePolicy,
    RestoreBackup,
    TagResource,
    UntagResource,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::CopyBackupToRegion,
        Self::CreateCluster,
        Self::CreateHsm,
        Self::DeleteBackup,
        Self::DeleteCluster,
        Self::DeleteHsm,
        Self::DeleteResourcePolicy,
        Self::DescribeBackups,
        Self::DescribeClusters,
        Self::GetResourcePolicy,
        Self::InitializeCluster,
        Self::ListTags,
        Self::ModifyBackupAttributes,
        Self::ModifyCluster,
        Self::PutResourcePolicy,
        Self::RestoreBackup,
        Self::TagResource,
        Self::UntagResource,
    ];

    /// The operation of this name; `None` if there is no such operation.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// As in `X-Amz-Target`, after the dot.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CopyBackupToRegion => "CopyBackupToRegion",
            Self::CreateCluster => "CreateCluster",
            Self::CreateHsm => "CreateHsm",
            Self::DeleteBackup => "DeleteBackup",
            Self::DeleteCluster => "DeleteCluster",
            Self::DeleteHsm => "DeleteHsm",
            Self::DeleteResourcePolicy => "DeleteResourcePolicy",
            Self::DescribeBackups => "DescribeBackups",
            Self::DescribeClusters => "DescribeClusters",
            Self::GetResourcePolicy => "GetResourcePolicy",
            Self::InitializeCluster => "InitializeCluster",
            Self::ListTags => "ListTags",
            Self::ModifyBackupAttributes => "ModifyBackupAttributes",
            Self::ModifyCluster => "ModifyCluster",
            Self::PutResourcePolicy => "PutResourcePolicy",
            Self::RestoreBackup => "RestoreBackup",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
        }
    }

    /// The members that the model requires.
    pub(in crate::service) const fn required(self) -> &'static [&'static str] {
        match self {
            Self::CopyBackupToRegion => &["DestinationRegion", "BackupId"],
            Self::CreateCluster => &["HsmType", "SubnetIds"],
            Self::CreateHsm => &["ClusterId", "AvailabilityZone"],
            Self::DeleteBackup | Self::RestoreBackup => &["BackupId"],
            Self::DeleteCluster | Self::DeleteHsm | Self::ModifyCluster => &["ClusterId"],
            Self::InitializeCluster => &["ClusterId", "SignedCert", "TrustAnchor"],
            Self::ListTags => &["ResourceId"],
            Self::ModifyBackupAttributes => &["BackupId", "NeverExpires"],
            Self::TagResource => &["ResourceId", "TagList"],
            Self::UntagResource => &["ResourceId", "TagKeyList"],
            Self::DeleteResourcePolicy
            | Self::DescribeBackups
            | Self::DescribeClusters
            | Self::GetResourcePolicy
            | Self::PutResourcePolicy => &[],
        }
    }
}
