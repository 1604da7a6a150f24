//! HSMs as the service describes them.

use serde::{Deserialize, Serialize};

use super::names::{AvailabilityZone, ClusterId, EniId, HsmId, HsmType, IpAddress, IpV6Address, SubnetId};

/// What an HSM does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the model's names")]
pub enum HsmState {
    CreateInProgress,
    Active,
    Degraded,
    DeleteInProgress,
    Deleted,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct Hsm {
    pub availability_zone: AvailabilityZone,
    pub cluster_id: ClusterId,
    pub subnet_id: SubnetId,
    pub eni_id: EniId,
    /// Where the console connects.
    pub eni_ip: IpAddress,
    /// In clusters of the network type DUALSTACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eni_ip_v6: Option<IpV6Address>,
    pub hsm_id: HsmId,
    pub hsm_type: HsmType,
    pub state: HsmState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct CreateHsm {
    pub cluster_id: ClusterId,
    pub availability_zone: AvailabilityZone,
    pub ip_address: Option<IpAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct CreateHsmOutput {
    pub hsm: Hsm,
}

/// Exactly one of the optional members names the HSM.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DeleteHsm {
    pub cluster_id: ClusterId,
    pub hsm_id: Option<HsmId>,
    pub eni_id: Option<EniId>,
    pub eni_ip: Option<IpAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct DeleteHsmOutput {
    pub hsm_id: HsmId,
}
