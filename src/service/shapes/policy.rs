//! Resource policies, which share backups with other accounts.

use serde::{Deserialize, Serialize};

use super::names::{CloudHsmArn, ResourcePolicy};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct PutResourcePolicy {
    pub resource_arn: Option<CloudHsmArn>,
    pub policy: Option<ResourcePolicy>,
}

/// Of `GetResourcePolicy` and `DeleteResourcePolicy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct WhichPolicy {
    pub resource_arn: Option<CloudHsmArn>,
}

/// Of `PutResourcePolicy` and `DeleteResourcePolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct PolicyOutput {
    pub resource_arn: CloudHsmArn,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ResourcePolicy>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct GetResourcePolicyOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ResourcePolicy>,
}
