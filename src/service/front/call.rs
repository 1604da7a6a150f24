//! From a request's value to the account's method, and from what that gives back to an answer.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::protocol::Protocol;
use super::trouble::Trouble;
use crate::service::account::Account;
use crate::service::failure::Failure;
use crate::service::operation::Operation;
use crate::service::shapes::decode;
use crate::service::shapes::names::Region;

/// One call, with everything that the account needs.
pub(super) struct Call {
    pub(super) protocol: Protocol,
    pub(super) operation: Operation,
    pub(super) region: Region,
    pub(super) input: Value,
}

impl Call {
    /// Carries the call out.
    pub(super) async fn carry_out(self, account: &Account) -> Result<Bytes, Trouble> {
        let Self { protocol, operation, region, input } = self;
        let (at, is) = (&region, &input);
        match operation {
            Operation::CopyBackupToRegion => {
                answer(protocol, account.copy_backup_to_region(at, decode(operation, is)?).await)
            }
            Operation::CreateCluster => {
                answer(protocol, account.create_cluster(at, decode(operation, is)?).await)
            }
            Operation::CreateHsm => answer(protocol, account.create_hsm(at, decode(operation, is)?).await),
            Operation::DeleteBackup => {
                answer(protocol, account.delete_backup(at, decode(operation, is)?).await)
            }
            Operation::DeleteCluster => {
                answer(protocol, account.delete_cluster(at, decode(operation, is)?).await)
            }
            Operation::DeleteHsm => answer(protocol, account.delete_hsm(at, decode(operation, is)?).await),
            Operation::DeleteResourcePolicy => {
                answer(protocol, account.delete_resource_policy(at, decode(operation, is)?).await)
            }
            Operation::DescribeBackups => {
                answer(protocol, account.describe_backups(at, decode(operation, is)?).await)
            }
            Operation::DescribeClusters => {
                answer(protocol, account.describe_clusters(at, decode(operation, is)?).await)
            }
            Operation::GetResourcePolicy => {
                answer(protocol, account.get_resource_policy(at, decode(operation, is)?).await)
            }
            Operation::InitializeCluster => {
                answer(protocol, account.initialize_cluster(at, decode(operation, is)?).await)
            }
            Operation::ListTags => answer(protocol, account.list_tags(at, decode(operation, is)?).await),
            Operation::ModifyBackupAttributes => {
                answer(protocol, account.modify_backup_attributes(at, decode(operation, is)?).await)
            }
            Operation::ModifyCluster => {
                answer(protocol, account.modify_cluster(at, decode(operation, is)?).await)
            }
            Operation::PutResourcePolicy => {
                answer(protocol, account.put_resource_policy(at, decode(operation, is)?).await)
            }
            Operation::RestoreBackup => {
                answer(protocol, account.restore_backup(at, decode(operation, is)?).await)
            }
            Operation::TagResource => {
                answer(protocol, account.tag_resource(at, decode(operation, is)?).await)
            }
            Operation::UntagResource => {
                answer(protocol, account.untag_resource(at, decode(operation, is)?).await)
            }
        }
    }
}

fn answer<T: Serialize>(protocol: Protocol, output: Result<T, Failure>) -> Result<Bytes, Trouble> {
    let written = protocol.write(&output?);
    written.ok_or_else(|| Failure::internal("the answer cannot be written").into())
}
