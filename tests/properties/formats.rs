//! The bytes on the wire and in the store, and the text of the audit log, as the first release writes them. A test
//! here that fails says that another release could not read them.

use aws_lc_rs::digest::{SHA256, digest};
use cloudhsm::hsm::audit::{AuditRecord, Opcode};
use cloudhsm::hsm::{Event, Hsm, SessionId};
use cloudhsm::protocol::key::{Curve, DeleteKey, GenerateKey, KeyHandle, KeySpec, Lifetime, Template};
use cloudhsm::protocol::message::{Call, OperationId, Response, Round};
use cloudhsm::protocol::quorum::Service;
use cloudhsm::protocol::user::{CreateUser, UserId, UserRow, UserType};
use cloudhsm::protocol::{Refusal, Reply, Request, Secret};
use cloudhsm::wire::frame::{decode, encode};
use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::lab::{ALICE, Lab};
use crate::model::World;

#[test]
fn the_wire_format_is_the_first_releases() {
    let call = Call { round: Round::Perform(OperationId(7)), request: create_user() };
    assert_eq!(hex(&call), "010705010462696c6c0870617373776f726400");
    let row = UserRow {
        id: UserId(3),
        user_type: UserType::Cu,
        name: "bill".to_owned(),
        quorum_key: false,
        login_failures: 1,
        second_factor: true,
    };
    let answer: Response = Ok(Some(Reply::ListUsers(vec![row])));
    assert_eq!(hex(&answer), "0001020103010462696c6c000101");
    assert_eq!(hex(&Response::Err(Refusal::CopyIsOlder)), "0135");
}

/// Whatever its fields are filed under.
#[test]
fn a_request_for_a_key_is_as_in_the_first_release() {
    let template = Template {
        label: "l".to_owned(),
        id: "i".to_owned(),
        extractable: true,
        lifetime: Lifetime::Session,
        shared_with: vec![UserId(4)],
        m_value: 2,
    };
    let request = Request::GenerateKey(GenerateKey { spec: KeySpec::Ec(Curve::P384), template });
    assert_eq!(hex(&Call { round: Round::Rehearse, request }), "00080401016c01690101010402");
}

/// The number of each on the wire and in the store is its place in the list.
#[test]
fn operations_keep_their_order() {
    let expected = "DescribeHsm ListMembers ListUsers Login Logout CreateUser DeleteUser ChangePassword \
        GenerateKey DeleteKey FindKeys DescribeKey ReadAttributes SetAttribute ShareKey ListKeys ExtractKey \
        InsertKey ExtractUser InsertUser GetCertificate RegisterQuorumKey SetMValue GetMValue GetToken \
        ApproveToken ListTokens DeleteTokens GetDigest Sign WrapKey UnwrapKey WrapHost UnwrapHost CreatePublicKey \
        ReadPublicKey Verify Attest DescribePartition EndSessions PrintUsers PrintKeys ExtractKeys InsertKeys";
    assert!(Request::NAMES.join(" ").starts_with(expected));
}

/// So do the changes of a history, which differ in content, too.
#[test]
fn changes_keep_their_order() {
    for (change, bytes) in [
        (Event::Started, "01"),
        (Event::UserDeleted(UserId(5)), "0305"),
        (Event::LoggedOut(SessionId(1)), "0701"),
        (Event::KeyDeleted(KeyHandle(6)), "0b06"),
        (Event::MValueSet { service: Service::MiscCo, m: 2 }, "0f0402"),
        (Event::TokenRemoved(1), "1201"),
        (Event::ChallengeUsed(SessionId(1)), "1401"),
        (Event::DeletionsForgotten(vec![KeyHandle(6)]), "180106"),
    ] {
        assert_eq!(hex(&change), bytes);
    }
}

/// The members of a cluster compare these, whatever their releases are.
#[test]
fn the_past_of_a_key_is_as_other_members_have_it() {
    let mut lab = Lab::new();
    let handle = lab.make_aes(ALICE);
    lab.ask(ALICE, DeleteKey { handle }).unwrap();
    let past = lab.world.hsm.offer(&[handle]).pop().unwrap().past;
    let expected = "0101002ee86eb672d4795cc6bc82417de283f00107";
    assert_eq!(hex(&past), expected);
    assert_eq!(hex(&Event::KeyFollowed { handle, key: None, past }), format!("170600{expected}"));
    let snapshot = hex(&lab.world.hsm.with_pasts());
    assert_eq!(snapshot, format!("{}0106{expected}", hex(&lab.world.hsm)));
}

/// What an officer's createUser leaves in the store: the user, the answer to be given again, with what the officer gave
/// the user, and the audit record.
#[test]
fn the_stores_format_is_the_first_releases() {
    let mut world = World::new();
    world.create_users(1);
    let user = "0302040106757365725f300870617373776f72640000";
    let answer = "080304ace486ca393f3f9a70de9d05377bdc60cb4862b88d407aef11a64c944389ed0504\
        01030870617373776f726400";
    let record = "090203010301000101\
        06757365725f3000cf4736ea86dff42e0e7153d66365d0772b63492a746fe5ba68322d79c9c89424";
    assert_eq!(hex(world.history.last().unwrap()), format!("{user}{answer}{record}"));
    let identity = "0f68736d2d616161616161616161616101310001";
    let users = "04\
        010405 61646d696e 08 70617373776f7264 00 00\
        020308 6170705f75736572 08 70617373776f7264 00 00\
        030207 6f666669636572 08 70617373776f7264 00 00\
        040106 757365725f30 08 70617373776f7264 00 00\
        05"
    .replace(' ', "");
    let audit = "0299c82e87701946ab6efb4b3f598aeed0b4eacbc268af50fb370c707c9be989080000";
    assert_eq!(hex(&world.hsm), format!("{identity}{users}000000010304{}{audit}", &answer[6..]));
}

/// Keys made, shared and deleted, among them one that was trusted and one with an approved change.
#[test]
fn a_history_and_a_snapshot_of_the_first_release_are_read() {
    let history = "06000568736d2d610131000a06020201036f6c6400010100000000000000010100010100050000000003010203070707\
        07070707070707070707070707070707070707070707070707070707070301040201000a07020201036f6c6400010100\
        000000000000010100010100050000000003010203070707070707070707070707070707070707070707070707070707\
        07070707070301040201000d070800010c070105000b07";
    let snapshot = "0568736d2d610131000000000106020201036f6c64000101000000000000000101000101000500000000030102030707\
        070707070707070707070707070707070707070707070707070707070707030104020108010707070707070707070707\
        070707070707070707070707070707070707070707030000000000000000000000000000000000000000000000000000\
        00000000000000000000";
    let bytes = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
    let events: Vec<Event> = decode(&bytes(history)).unwrap();
    assert_eq!(hex(&events), history);
    let read: Hsm = decode(&bytes(snapshot)).unwrap();
    assert_eq!(hex(&read), snapshot);
    let mut replayed = Hsm::default();
    events.iter().for_each(|event| replayed.apply(event));
    // What is new is remembered in its place: the value of the deleted key was a trusted one's.
    assert_eq!(hex(&replayed), snapshot.replace("0703000000", "078380808008000000"));
}

/// A record hashes what it says: whoever changes a word of it makes older logs look forged.
#[test]
fn an_audit_record_has_the_first_releases_words_and_hash() {
    let record = AuditRecord {
        sequence: 18,
        time: 1_700_000_000_000_000,
        reboots: 2,
        opcode: Opcode(0x1004),
        session: SessionId(3),
        refusal: Some(Refusal::NotAnApprover),
        user: Some((UserType::Co, "officer1".to_owned())),
        key: None,
        previous: [7; 32],
        tally: None,
    };
    let text = "Time: 11/14/23 22:13:20.000000, usecs:1700000000000000\n\
        Sequence No : 0x12\n\
        Reboot counter : 0x2\n\
        Command Type(hex) : CN_MGMT_CMD (0x0)\n\
        Opcode : CN_APPROVE_TOKEN (0x1004)\n\
        Session Handle : 0x3\n\
        Response : 65576:HSM Error: This user is none of those who may approve this\n\
        Log type : MGMT_USER_DETAILS_LOG (2)\n\
        User Name : officer1\n\
        User Type : CN_CRYPTO_OFFICER (2)\n";
    assert_eq!(record.to_string(), text);
    assert_eq!(
        HEXLOWER.encode(&record.link()),
        "80c4d9c7d977209813f5078de6d688282184d6ccb951e67e0d2dd7583c11029c"
    );
}

/// The original does not print the key either. It is hashed all the same.
#[test]
fn the_record_of_a_share_does_not_name_the_key_and_has_the_first_releases_hash() {
    let record = AuditRecord {
        sequence: 19,
        time: 1_700_000_000_000_000,
        reboots: 2,
        opcode: Opcode(0x12),
        session: SessionId(3),
        refusal: None,
        user: None,
        key: Some(KeyHandle(6)),
        previous: [7; 32],
        tally: None,
    };
    assert!(record.to_string().ends_with("Log type : UNKNOWN_LOG_TYPE (5)\n"), "{record}");
    assert_eq!(
        HEXLOWER.encode(&record.link()),
        "c96c424204ef5abf92b9e0a7f3d06a7e79f2d9ccc33b4b1809dd3dc00deda257"
    );
}

#[test]
fn refusals_have_the_first_releases_words_in_the_audit_log() {
    let said = |refusal: &Refusal| format!("{}:{}\n", refusal.code(), refusal.logged());
    let text: String = Refusal::ALL.iter().take(54).map(said).collect();
    assert!(text.ends_with("65584:HSM Error: The copy is older than what was approved for this key since\n"));
    assert_eq!(
        HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref()),
        "59b5a522d51bad1bee269256199b29774f41476be2b4505c8ea70e962b14b73c"
    );
}

fn create_user() -> Request {
    let (user_type, name, password) = (UserType::Cu, "bill".to_owned(), Secret::new("password".to_owned()));
    Request::CreateUser(CreateUser { user_type, name, password, second_factor: None })
}

fn hex(message: &impl Serialize) -> String {
    HEXLOWER.encode(&encode(message).unwrap())
}
