//! What servers reply, as data: the `data` of `--output json`, whose names and types are a promise.
//!
//! It is written out, not derived: wire names may change.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use crate::protocol::attestation::Attestation;
use crate::protocol::attribute::{self, Attribute, Attributes};
use crate::protocol::certificate::Certificate;
use crate::protocol::compare::{KeyPrints, UserPrints};
use crate::protocol::device::{HsmDescription, Member, PartitionDescription};
use crate::protocol::key::{Hold, KeyDescription, KeyHandle, KeyList, Lifetime, PublicKeyInfo, Signature};
use crate::protocol::masked::{Inserted, MaskedObject, Rows};
use crate::protocol::quorum::{Service, Token, TokenAbout, TokenRow};
use crate::protocol::second_factor::Digest;
use crate::protocol::user::{UserId, UserRow};
use crate::protocol::wrap::{Sealed, WrappedBytes};
use crate::protocol::{Reply, Visit};

/// The data of a reply; `null` if it says no more than yes.
pub(super) fn data(reply: &Reply) -> Value {
    reply.visit(&Json)
}

struct Json;

impl<R: Data> Visit<R> for Json {
    type Output = Value;

    fn visit(&self, reply: &R) -> Value {
        reply.data()
    }
}

trait Data {
    fn data(&self) -> Value {
        Value::Null
    }
}

impl Data for () {}

// Files hold these, not reports.
impl Data for MaskedObject {}
impl Data for Digest {}
impl Data for Signature {}
impl Data for WrappedBytes {}
impl Data for Sealed {}
impl Data for PublicKeyInfo {}
impl Data for Attestation {}

// The commands that ask for these report what came of all of them.
impl Data for UserPrints {}
impl Data for KeyPrints {}
impl Data for Rows<MaskedObject> {}
impl Data for Rows<Inserted<KeyHandle>> {}

impl Data for HsmDescription {
    fn data(&self) -> Value {
        json!({
            "serial_number": self.serial_number,
            "total_public_memory": self.total_public_memory,
            "free_public_memory": self.free_public_memory,
            "firmware_major": self.firmware.0,
            "firmware_minor": self.firmware.1,
            "build": self.build,
        })
    }
}

impl Data for PartitionDescription {
    fn data(&self) -> Value {
        let (min_password, max_password) = self.password_lengths;
        let m_value = |(service, m): &(Service, u8)| (service.name().to_owned(), json!(m));
        json!({
            "name": self.name,
            "node_id": self.node_id,
            "max_users": self.max_users,
            "available_users": self.available_users,
            "max_keys": self.max_keys,
            "token_keys": self.token_keys,
            "session_keys": self.session_keys,
            "sessions": self.sessions,
            "max_connections": self.max_connections,
            "min_password_length": min_password,
            "max_password_length": max_password,
            "block_delete_user_with_keys": self.block_delete_user_with_keys,
            "cert_auth": self.cert_auth,
            "two_key_backup": self.two_key_backup,
            "cloning_method": self.cloning_method,
            "kek_method": self.kek_method,
            "approvers": self.approvers,
            "m_values": self.m_values.iter().map(m_value).collect::<Map<_, _>>(),
        })
    }
}

impl Data for Vec<Member> {
    fn data(&self) -> Value {
        let member = |member: &Member| json!({ "node_id": member.node_id, "hostname": member.hostname, "port": member.port });
        json!({ "members": self.iter().map(member).collect::<Vec<_>>() })
    }
}

impl Data for Vec<UserRow> {
    fn data(&self) -> Value {
        let user = |user: &UserRow| {
            json!({
                "id": user.id.0,
                "type": user.user_type.to_string(),
                "name": user.name,
                "quorum_key": user.quorum_key,
                "login_failures": user.login_failures,
                "second_factor": user.second_factor,
            })
        };
        json!({ "users": self.iter().map(user).collect::<Vec<_>>() })
    }
}

impl Data for UserId {
    fn data(&self) -> Value {
        json!({ "user_id": self.0 })
    }
}

impl Data for Vec<KeyHandle> {
    fn data(&self) -> Value {
        json!({ "key_handles": self.iter().map(|handle| handle.0).collect::<Vec<_>>() })
    }
}

impl Data for KeyHandle {
    fn data(&self) -> Value {
        json!({ "key_handle": self.0 })
    }
}

impl Data for KeyDescription {
    fn data(&self) -> Value {
        let lifetime = match self.lifetime {
            Lifetime::Token => "token",
            Lifetime::Session => "session",
        };
        json!({
            "owner": self.owner.0,
            "shared_with": self.shared_with.iter().map(|user| user.0).collect::<Vec<_>>(),
            "lifetime": lifetime,
            "m_value": self.m_value,
        })
    }
}

impl Data for Attributes {
    /// By their names; those that a key of this kind does not have are left out.
    fn data(&self) -> Value {
        let named = |attribute: &Attribute| {
            let value = match self.value(*attribute)? {
                attribute::Value::Byte(byte) => json!(byte),
                attribute::Value::Number(number) => json!(number),
                attribute::Value::Text(text) => json!(text),
                attribute::Value::Bytes(bytes) => json!(HEXLOWER.encode(&bytes)),
            };
            Some((attribute.name().to_owned(), value))
        };
        json!({ "attributes": Attribute::ALL.iter().filter_map(named).collect::<Map<_, _>>() })
    }
}

impl Data for KeyList {
    fn data(&self) -> Value {
        let key = |(handle, hold): &(KeyHandle, Option<Hold>)| {
            let hold = hold.map(|hold| match hold {
                Hold::Owned => "owned",
                Hold::Shared => "shared",
            });
            json!({ "handle": handle.0, "hold": hold })
        };
        let hash = self.hash.map(|hash| HEXLOWER.encode(&hash));
        json!({ "keys": self.keys.iter().map(key).collect::<Vec<_>>(), "hash": hash })
    }
}

impl Data for Inserted<KeyHandle> {
    fn data(&self) -> Value {
        json!({ "copy": became(self), "key_handle": self.id().0 })
    }
}

impl Data for Inserted<UserId> {
    fn data(&self) -> Value {
        json!({ "copy": became(self), "user_id": self.id().0 })
    }
}

fn became<I>(inserted: &Inserted<I>) -> &'static str {
    match inserted {
        Inserted::Created(_) => "created",
        Inserted::Equal(_) => "equal",
        Inserted::Differs(..) => "differs",
        Inserted::Replaced(_) => "replaced",
    }
}

impl Data for Certificate {
    fn data(&self) -> Value {
        json!({ "certificate": self.pem() })
    }
}

/// An M value.
impl Data for u8 {
    fn data(&self) -> Value {
        json!({ "m": self })
    }
}

impl Data for Token {
    fn data(&self) -> Value {
        json!({ "token": token_data(&self.about) })
    }
}

impl Data for Vec<TokenRow> {
    fn data(&self) -> Value {
        let token = |row: &TokenRow| {
            json!({
                "token": token_data(&row.about),
                "validity_seconds": row.validity,
                "required_approvals": row.required,
                "approvers": row.approvers,
            })
        };
        json!({ "tokens": self.iter().map(token).collect::<Vec<_>>() })
    }
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
