//! Tags of clusters and backups.

use serde::{Deserialize, Serialize};

use super::bounds::{List, UpTo};
use super::names::{NextToken, ResourceId, TagKey, TagValue};

/// Most tags of a resource, and of a request.
pub const MAX_TAGS: usize = 50;

/// The tags that a request gives.
pub type TagList = List<Tag, MAX_TAGS>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct Tag {
    pub key: TagKey,
    pub value: TagValue,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct TagResource {
    pub resource_id: ResourceId,
    pub tag_list: TagList,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct UntagResource {
    pub resource_id: ResourceId,
    pub tag_key_list: List<TagKey, MAX_TAGS>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct ListTags {
    pub resource_id: ResourceId,
    pub next_token: Option<NextToken>,
    pub max_results: Option<UpTo<100>>,
}

/// Of [`TagResource`] and [`UntagResource`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nothing {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the model's names")]
pub struct ListTagsOutput {
    pub tag_list: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
