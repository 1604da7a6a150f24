//! Tags and resource policies.

use std::sync::Arc;

use super::clusters::must_be_ready;
use super::core::Core;
use super::paging::{Place, page};
use super::state::{State, Tags};
use super::view::{ACCOUNT, tags};
use crate::service::failure::Failure;
use crate::service::shapes::bounds::UpTo;
use crate::service::shapes::names::{BackupId, CloudHsmArn, ClusterId, Region, ResourceId, ResourcePolicy};
use crate::service::shapes::policy::{GetResourcePolicyOutput, PolicyOutput, PutResourcePolicy, WhichPolicy};
use crate::service::shapes::tag::{
    ListTags, ListTagsOutput, MAX_TAGS, Nothing, TagList, TagResource, UntagResource,
};

impl Core {
    pub(super) async fn tag_resource(
        self: Arc<Self>,
        region: Region,
        input: TagResource,
    ) -> Result<Nothing, Failure> {
        let given = to_tags(Some(input.tag_list))?.unwrap_or_default();
        let mut all = self.state().tags(&region, &input.resource_id)?.clone();
        all.extend(given);
        if all.len() > MAX_TAGS {
            let reason = format!("{} would have more than {MAX_TAGS} tags.", input.resource_id);
            return Err(Failure::ResourceLimitExceeded(reason));
        }
        self.set_tags(&input.resource_id, all).await
    }

    pub(super) async fn untag_resource(
        self: Arc<Self>,
        region: Region,
        input: UntagResource,
    ) -> Result<Nothing, Failure> {
        let mut all = self.state().tags(&region, &input.resource_id)?.clone();
        for key in input.tag_key_list.into_vec() {
            all.remove(&key);
        }
        self.set_tags(&input.resource_id, all).await
    }

    async fn set_tags(&self, resource: &ResourceId, tags: Tags) -> Result<Nothing, Failure> {
        self.commit(|state| {
            if let Some(place) = state.tags_mut(resource) {
                *place = tags;
            }
        })
        .await?;
        Ok(Nothing {})
    }

    pub(super) fn list_tags(&self, region: &Region, input: &ListTags) -> Result<ListTagsOutput, Failure> {
        let state = self.state();
        let all = tags(state.tags(region, &input.resource_id)?);
        let all = all.into_iter().enumerate().map(|(number, tag)| (Place::number(number), tag)).collect();
        let max = input.max_results.map_or(100, UpTo::get);
        let (tag_list, next_token) = page(all, input.next_token.as_ref(), max)?;
        Ok(ListTagsOutput { tag_list, next_token })
    }

    pub(super) async fn put_resource_policy(
        self: Arc<Self>,
        region: Region,
        input: PutResourcePolicy,
    ) -> Result<PolicyOutput, Failure> {
        let policy = input.policy.ok_or_else(|| Failure::invalid("Policy is missing."))?;
        let (arn, id) = self.shared_backup(&region, input.resource_arn)?;
        let backup_state = self.state().backup(&region, &id)?.state(self.moment());
        must_be_ready(&id, backup_state)?;
        if !serde_json::from_str::<serde_json::Value>(policy.as_str()).is_ok_and(|policy| policy.is_object())
        {
            return Err(Failure::invalid("Policy is not a JSON object."));
        }
        self.set_policy(&id, Some(policy.clone())).await?;
        Ok(PolicyOutput { resource_arn: arn, policy: Some(policy) })
    }

    pub(super) async fn delete_resource_policy(
        self: Arc<Self>,
        region: Region,
        input: WhichPolicy,
    ) -> Result<PolicyOutput, Failure> {
        let (arn, id) = self.shared_backup(&region, input.resource_arn)?;
        let before = self.state().backup(&region, &id)?.policy.clone();
        self.set_policy(&id, None).await?;
        Ok(PolicyOutput { resource_arn: arn, policy: before })
    }

    async fn set_policy(&self, id: &BackupId, policy: Option<ResourcePolicy>) -> Result<(), Failure> {
        self.commit(|state| {
            if let Some(backup) = state.backups.get_mut(id) {
                backup.policy = policy;
            }
        })
        .await
        .map(drop)
    }

    pub(super) fn get_resource_policy(
        &self,
        region: &Region,
        input: WhichPolicy,
    ) -> Result<GetResourcePolicyOutput, Failure> {
        let (_, id) = self.shared_backup(region, input.resource_arn)?;
        Ok(GetResourcePolicyOutput { policy: self.state().backup(region, &id)?.policy.clone() })
    }

    /// Only backups have policies.
    fn shared_backup(
        &self,
        region: &Region,
        arn: Option<CloudHsmArn>,
    ) -> Result<(CloudHsmArn, BackupId), Failure> {
        let arn = arn.ok_or_else(|| Failure::invalid("ResourceArn is missing."))?;
        let (owner, id) = arn.as_str().rsplit_once('/').unwrap_or_default();
        if !owner.contains(&format!(":{ACCOUNT}:")) {
            return Err(Failure::AccessDenied(format!("{arn} belongs to another account.")));
        }
        let id = BackupId::parse(id).map_err(|_| {
            Failure::invalid(format!("{arn} is not a backup: only backups have resource policies."))
        })?;
        let not_found = || Failure::ResourceNotFound(format!("{arn} does not exist in {region}."));
        if !owner.contains(&format!(":{region}:")) {
            return Err(not_found());
        }
        self.state().backup(region, &id).map_err(|_| not_found())?;
        Ok((arn, id))
    }
}

impl State {
    fn tags(&self, region: &Region, resource: &ResourceId) -> Result<&Tags, Failure> {
        match (ClusterId::parse(resource.as_str()), BackupId::parse(resource.as_str())) {
            (Ok(id), _) => Ok(&self.cluster(region, &id)?.tags),
            (_, Ok(id)) => Ok(&self.backup(region, &id)?.tags),
            (Err(_), Err(reason)) => Err(Failure::InvalidRequest(reason)),
        }
    }

    fn tags_mut(&mut self, resource: &ResourceId) -> Option<&mut Tags> {
        if let Ok(id) = ClusterId::parse(resource.as_str()) {
            return self.clusters.get_mut(&id).map(|cluster| &mut cluster.tags);
        }
        let id = BackupId::parse(resource.as_str()).ok()?;
        self.backups.get_mut(&id).map(|backup| &mut backup.tags)
    }
}

/// The tags of a request.
pub(super) fn to_tags(list: Option<TagList>) -> Result<Option<Tags>, Failure> {
    let Some(list) = list else { return Ok(None) };
    let mut tags = Tags::new();
    for tag in list.into_vec() {
        if tag.key.as_str().starts_with("aws:") {
            return Err(Failure::Tag(format!("Tag key {} begins with aws:, which is reserved.", tag.key)));
        }
        if let Some(before) = tags.insert(tag.key.clone(), tag.value) {
            drop(before);
            return Err(Failure::Tag(format!("Tag key {} is given twice.", tag.key)));
        }
    }
    Ok(Some(tags))
}
