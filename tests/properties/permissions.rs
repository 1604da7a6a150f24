//! Who may ask for what, written down again and apart from the operations' own table.

use std::collections::BTreeSet;

use cloudhsm::hsm::{SessionId, Verdict};
use cloudhsm::protocol::attestation::Attest;
use cloudhsm::protocol::attribute::{Attribute, ReadAttributes, SetAttribute, Value};
use cloudhsm::protocol::certificate::{CertificateKind, GetCertificate};
use cloudhsm::protocol::compare::{PrintKeys, PrintUsers};
use cloudhsm::protocol::device::{DescribeHsm, DescribePartition, ListMembers};
use cloudhsm::protocol::key::{
    CreatePublicKey, DeleteKey, DescribeKey, FindKeys, Hash, KeyClass, KeyHandle, KeySpec, KeyType, Lifetime,
    ListKeys, PublicKeyInfo, ReadPublicKey, ShareKey, Sharing, Sign, SignMechanism, SignScheme, Template,
    Verify,
};
use cloudhsm::protocol::masked::{
    Existing, ExtractKey, ExtractKeys, ExtractUser, InsertKey, InsertKeys, InsertUser, MaskedObject, Place,
};
use cloudhsm::protocol::quorum::{
    ApproveToken, DeleteTokens, GetMValue, GetToken, ListTokens, RegisterQuorumKey, Service, SetMValue,
};
use cloudhsm::protocol::second_factor::{GetDigest, Purpose};
use cloudhsm::protocol::session::Logout;
use cloudhsm::protocol::user::{
    ChangePassword, CreateUser, DeleteUser, EndSessions, ListUsers, UserId, UserType,
};
use cloudhsm::protocol::wrap::{UnwrapHost, UnwrapKey, WrapHost, WrapKey, WrappedBytes};
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Refusal, Request, Secret, SecretBytes};

use crate::keys;
use crate::model::{self, Asked, World, user};

/// Who is logged in, if anybody is.
type Caller = Option<UserType>;

const NOBODY: Caller = None;
const CO: Caller = Some(UserType::Co);
const CU: Caller = Some(UserType::Cu);
const AU: Caller = Some(UserType::Au);
const PRECO: Caller = Some(UserType::PreCo);
const ANYBODY: &[Caller] = &[NOBODY, CO, CU, AU, PRECO];
const LOGGED_IN: &[Caller] = &[CO, CU, AU, PRECO];

/// A request, and who may make it.
type Row = (Request, &'static [Caller]);

#[test]
fn permissions_are_those_of_the_guide() {
    for caller in ANYBODY {
        let rows = [of_users(*caller), of_keys(), of_keys_in_and_out(), of_quorums(*caller)].concat();
        let named: BTreeSet<_> = rows.iter().map(|(request, _)| request.name()).collect();
        assert_eq!(named, BTreeSet::from_iter(Request::NAMES.iter().copied()), "each operation has a row");
        for (request, allowed) in rows {
            let expected = match caller {
                caller if allowed.contains(caller) => None,
                None => Some(Refusal::NotLoggedIn),
                Some(_) => Some(Refusal::NotAuthorized),
            };
            assert_eq!(refusal(&request, *caller), expected, "{:?} by {caller:?}", Asked(request));
        }
    }
}

/// Why this caller may not ask for this, on an HSM where everything else is in order.
fn refusal(request: &Request, caller: Caller) -> Option<Refusal> {
    let mut world = World::new();
    world.apply(vec![
        user(3, UserType::Co, "caller"),
        user(4, UserType::Cu, "caller"),
        user(5, UserType::Au, "caller"),
        user(6, UserType::PreCo, "caller"),
        user(7, UserType::Cu, "victim"),
    ]);
    let session = SessionId(1);
    if let Some(user_type) = caller {
        world.perform(&model::login(user_type, "caller", true), session);
    }
    match world.perform(request, session).verdict {
        Verdict::Refused(refusal @ (Refusal::NotLoggedIn | Refusal::NotAuthorized)) => Some(refusal),
        Verdict::Refused(_) | Verdict::Reply(_) | Verdict::Needs(_) => None,
    }
}

fn of_users(caller: Caller) -> Vec<Row> {
    let own_type = caller.unwrap_or(UserType::Cu);
    let (user_type, second_factor) = (UserType::Cu, None);
    let password = || Secret::new("password".to_owned());
    let change_password = |user_type, name: &str| {
        let (name, password, second_factor) = (name.to_owned(), password(), None);
        Request::ChangePassword(ChangePassword { user_type, name, password, second_factor })
    };
    let (name, new_name) = ("victim".to_owned(), "new".to_owned());
    let create = CreateUser { user_type, name: new_name, password: password(), second_factor };
    let digest = GetDigest { purpose: Purpose::Login, user_type: own_type, name: "caller".to_owned() };
    // An id that nobody has.
    let extract = ExtractUser { id: UserId(99) };
    let insert = InsertUser { object: MaskedObject(vec![1]), existing: Existing::Compare };
    vec![
        (Request::DescribeHsm(DescribeHsm), ANYBODY),
        (Request::DescribePartition(DescribePartition), ANYBODY),
        (Request::ListMembers(ListMembers), ANYBODY),
        (Request::ListUsers(ListUsers), ANYBODY),
        (Request::GetCertificate(GetCertificate { kind: CertificateKind::CustomerRoot }), ANYBODY),
        (Request::GetDigest(digest), ANYBODY),
        (model::login(own_type, "caller", true), ANYBODY),
        (Request::Logout(Logout), LOGGED_IN),
        (Request::CreateUser(create), &[CO]),
        (Request::EndSessions(EndSessions { user_type, name: name.clone() }), &[CO]),
        (Request::DeleteUser(DeleteUser { user_type, name }), &[CO]),
        (change_password(user_type, "victim"), &[CO]),
        (change_password(own_type, "caller"), LOGGED_IN),
        (Request::ExtractUser(extract), &[CO]),
        (Request::InsertUser(insert), &[CO]),
    ]
}

/// There is no such key; who may not ask does not learn that.
fn of_keys() -> Vec<Row> {
    let handle = KeyHandle(6);
    let set = |attribute| Request::SetAttribute(SetAttribute { handle, attribute, value: Value::Byte(1) });
    let (users, sharing) = (vec![UserId(7)], Sharing::Share);
    let mechanism = SignMechanism { scheme: SignScheme::RsaPkcs, hash: Hash::Sha256 };
    let (object, place, existing) = (MaskedObject(vec![1]), Place::SameHandle, Existing::Compare);
    vec![
        (Request::GenerateKey(keys::template(KeySpec::Aes { bytes: 16 }, Lifetime::Token)), &[CU]),
        (Request::DeleteKey(DeleteKey { handle }), &[CU]),
        (Request::FindKeys(FindKeys::default()), &[CU]),
        (Request::DescribeKey(DescribeKey { handle }), &[CU]),
        (Request::ReadAttributes(ReadAttributes { handle }), &[CU]),
        (set(Attribute::Encrypt), &[CU]),
        (set(Attribute::Trusted), &[CO]),
        (Request::ShareKey(ShareKey { handle, users, sharing }), &[CU]),
        (Request::Sign(Sign { handle, mechanism, hash: vec![0; 32] }), &[CU]),
        (Request::ListKeys(ListKeys { user: None, hash: true }), &[CO, AU]),
        (Request::ExtractKey(ExtractKey { handle }), &[CO, CU, AU]),
        (Request::InsertKey(InsertKey { object, place, existing }), &[CO, CU, AU]),
        (Request::ExtractKeys(ExtractKeys { handles: vec![handle] }), &[CO, CU, AU]),
        (Request::InsertKeys(InsertKeys { copies: Vec::new() }), &[CO, CU, AU]),
        (Request::PrintUsers(PrintUsers), &[CO, CU, AU]),
        (Request::PrintKeys(PrintKeys { after: None }), &[CO, CU, AU]),
    ]
}

fn of_keys_in_and_out() -> Vec<Row> {
    let (handle, wrapping, mechanism) = (KeyHandle(6), KeyHandle(7), WrapMechanism::AesWrap);
    let wrapped = WrappedBytes { bytes: vec![1], iv: Vec::new() };
    let (class, key_type, template) = (KeyClass::Secret, KeyType::Aes, Template::default());
    let unwrap = UnwrapKey {
        wrapping,
        mechanism: mechanism.clone(),
        wrapped: wrapped.clone(),
        class,
        key_type,
        flags: None,
        template,
    };
    let data = SecretBytes::new(vec![1].into());
    let decrypt = UnwrapHost { wrapping, mechanism: mechanism.clone(), wrapped, recipient: vec![4] };
    let (label, id, lifetime) = (String::new(), String::new(), Lifetime::Token);
    let public = CreatePublicKey { key: PublicKeyInfo(vec![1]), label, id, lifetime };
    let signed = SignMechanism { scheme: SignScheme::RsaPkcs, hash: Hash::Sha256 };
    let verify = Verify { handle, mechanism: signed, hash: vec![0; 32], signature: vec![1] };
    vec![
        (Request::WrapHost(WrapHost { wrapping, mechanism: mechanism.clone(), data }), &[CU]),
        (Request::WrapKey(WrapKey { handle, wrapping, mechanism }), &[CU]),
        (Request::UnwrapKey(unwrap), &[CU]),
        (Request::UnwrapHost(decrypt), &[CU]),
        (Request::CreatePublicKey(public), &[CU]),
        (Request::ReadPublicKey(ReadPublicKey { handle }), &[CU]),
        (Request::Verify(verify), &[CU]),
        (Request::Attest(Attest { handles: vec![handle], nonce: [0; 32] }), &[CU]),
    ]
}

fn of_quorums(caller: Caller) -> Vec<Row> {
    let (name, user_type) = ("caller".to_owned(), caller.unwrap_or(UserType::Co));
    let (service, key) = (Service::UserManagement, KeyHandle(0));
    let register = |user_type, name: &str| {
        let (name, token, signature, public_key) = (name.to_owned(), vec![1], vec![1], vec![1]);
        Request::RegisterQuorumKey(RegisterQuorumKey { user_type, name, token, signature, public_key })
    };
    let get_token = GetToken { service, name: name.clone(), key };
    let approve = ApproveToken { tokens: vec![1], user_type, name, signature: vec![1] };
    vec![
        (register(UserType::Cu, "victim"), &[]),
        (register(user_type, "caller"), &[CO, CU]),
        (Request::SetMValue(SetMValue { service, m: 2 }), &[CO]),
        (Request::GetMValue(GetMValue { service }), LOGGED_IN),
        (Request::GetToken(get_token), &[CO]),
        (Request::ApproveToken(approve), LOGGED_IN),
        (Request::ListTokens(ListTokens), LOGGED_IN),
        (Request::DeleteTokens(DeleteTokens::All), LOGGED_IN),
    ]
}
