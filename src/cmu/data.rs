//! What servers reply, as data: the `data` of `--output json`, whose names and types are a promise.

use serde_json::{Map, Value, json};

use crate::protocol::Reply;
use crate::protocol::attribute::{self, Attribute, Attributes};
use crate::protocol::device::{HsmDescription, Member};
use crate::protocol::key::{Hold, KeyDescription, KeyList, Lifetime};
use crate::protocol::masked::Inserted;
use crate::protocol::quorum::{TokenAbout, TokenRow};
use crate::protocol::user::UserRow;

/// The data of a reply; `null` if it says no more than yes.
pub(super) fn data(reply: &Reply) -> Value {
    match reply {
        Reply::DescribeHsm(hsm) => hsm_data(hsm),
        Reply::ListMembers(members) => json!({ "members": members.iter().map(member).collect::<Vec<_>>() }),
        Reply::ListUsers(users) => json!({ "users": users.iter().map(user).collect::<Vec<_>>() }),
        Reply::CreateUser(id) => json!({ "user_id": id.0 }),
        Reply::GenerateKey(handles) => {
            json!({ "key_handles": handles.iter().map(|handle| handle.0).collect::<Vec<_>>() })
        }
        Reply::FindKeys(handles) => {
            json!({ "key_handles": handles.iter().map(|handle| handle.0).collect::<Vec<_>>() })
        }
        Reply::DescribeKey(key) => key_data(key),
        Reply::ReadAttributes(attributes) => attributes_data(attributes),
        Reply::ListKeys(keys) => keys_data(keys),
        Reply::InsertKey(inserted) => inserted_data(inserted, "key_handle", |handle| handle.0),
        Reply::InsertUser(inserted) => inserted_data(inserted, "user_id", |id| id.0),
        Reply::GetCertificate(certificate) => json!({ "certificate": certificate.pem() }),
        Reply::GetMValue(m) => json!({ "m": m }),
        Reply::GetToken(token) => json!({ "token": token_data(&token.about) }),
        Reply::ListTokens(tokens) => json!({ "tokens": tokens.iter().map(token_row).collect::<Vec<_>>() }),
        Reply::Login(())
        | Reply::Logout(())
        | Reply::DeleteUser(())
        | Reply::ChangePassword(())
        | Reply::DeleteKey(())
        | Reply::SetAttribute(())
        | Reply::ShareKey(())
        | Reply::ExtractKey(_)
        | Reply::ExtractUser(_)
        | Reply::RegisterQuorumKey(())
        | Reply::SetMValue(())
        | Reply::ApproveToken(())
        | Reply::DeleteTokens(())
        | Reply::GetDigest(_)
        | Reply::Sign(_) => Value::Null,
    }
}

fn hsm_data(hsm: &HsmDescription) -> Value {
    json!({
        "serial_number": hsm.serial_number,
        "total_public_memory": hsm.total_public_memory,
        "free_public_memory": hsm.free_public_memory,
        "firmware_major": hsm.firmware.0,
        "firmware_minor": hsm.firmware.1,
        "build": hsm.build,
    })
}

fn member(member: &Member) -> Value {
    json!({ "node_id": member.node_id, "hostname": member.hostname, "port": member.port })
}

fn user(user: &UserRow) -> Value {
    json!({
        "id": user.id.0,
        "type": user.user_type.to_string(),
        "name": user.name,
        "quorum_key": user.quorum_key,
        "login_failures": user.login_failures,
        "second_factor": user.second_factor,
    })
}

fn key_data(key: &KeyDescription) -> Value {
    let lifetime = match key.lifetime {
        Lifetime::Token => "token",
        Lifetime::Session => "session",
    };
    json!({
        "owner": key.owner.0,
        "shared_with": key.shared_with.iter().map(|user| user.0).collect::<Vec<_>>(),
        "lifetime": lifetime,
        "m_value": key.m_value,
    })
}

/// By their names; those that a key of this kind does not have are left out.
fn attributes_data(attributes: &Attributes) -> Value {
    let named = |attribute: &Attribute| {
        let value = match attributes.value(*attribute)? {
            attribute::Value::Byte(byte) => json!(byte),
            attribute::Value::Number(number) => json!(number),
            attribute::Value::Text(text) => json!(text),
            attribute::Value::Bytes(bytes) => json!(hex(&bytes)),
        };
        Some((attribute.name().to_owned(), value))
    };
    json!({ "attributes": Attribute::ALL.iter().filter_map(named).collect::<Map<_, _>>() })
}

fn keys_data(list: &KeyList) -> Value {
    let key = |(handle, hold): &(crate::protocol::key::KeyHandle, Option<Hold>)| {
        let hold = hold.map(|hold| match hold {
            Hold::Owned => "owned",
            Hold::Shared => "shared",
        });
        json!({ "handle": handle.0, "hold": hold })
    };
    json!({ "keys": list.keys.iter().map(key).collect::<Vec<_>>(), "hash": list.hash.map(|hash| hex(&hash)) })
}

fn inserted_data<I>(inserted: &Inserted<I>, name: &str, number: impl Fn(&I) -> u32) -> Value {
    let (what, id) = match inserted {
        Inserted::Created(id) => ("created", id),
        Inserted::Equal(id) => ("equal", id),
        Inserted::Differs(id, _) => ("differs", id),
        Inserted::Replaced(id) => ("replaced", id),
    };
    json!({ "copy": what, name: number(id) })
}

fn token_row(row: &TokenRow) -> Value {
    json!({
        "token": token_data(&row.about),
        "validity_seconds": row.validity,
        "required_approvals": row.required,
        "approvers": row.approvers,
    })
}

fn token_data(about: &TokenAbout) -> Value {
    json!({
        "id": about.id,
        "service": about.service.number(),
        "service_name": about.service.name(),
        "node_id": about.node,
        "key_handle": about.key.0,
        "user": about.user,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
