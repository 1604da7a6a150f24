//! The files that officers exchange. Each input is read as every kind of file.

use std::path::Path;

use cloudhsm::protocol::quorum::{SIGNATURE, Token};
use cloudhsm::protocol::user::UserType;
use cloudhsm::signing::approval::{ApprovalFile, Approver, MAX_APPROVALS};
use cloudhsm::signing::authdata::AuthData;
use cloudhsm::signing::private_key::Locked;
use cloudhsm::signing::public_key;

pub fn run(bytes: &[u8]) {
    tokens(bytes);
    let path = written(bytes);
    authdata(&path);
    private_key(&path);
    if let Ok(text) = str::from_utf8(bytes) {
        approvals(text);
        public_key(text);
    }
}

fn written(bytes: &[u8]) -> String {
    path(&super::file("signed", bytes))
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Tokens that were read are written as the same bytes: nobody signs bytes with two meanings.
fn tokens(bytes: &[u8]) {
    if let Ok(tokens) = Token::parse_file(bytes) {
        assert_eq!(tokens.iter().flat_map(Token::to_bytes).collect::<Vec<_>>(), bytes);
    }
}

/// A file that is written again means the same, and one more approver leaves the others as they are.
fn approvals(text: &str) {
    let Ok(file) = ApprovalFile::parse(text) else { return };
    assert_eq!(ApprovalFile::parse(&file.to_text()).unwrap(), file);
    let approver =
        Approver { user_type: UserType::Cu, name: "one more".to_owned(), file: "one.sig".to_owned() };
    let is_there = file.approvers.iter().any(|earlier| earlier.is_same_user(&approver));
    if file.approvers.len() < MAX_APPROVALS && !is_there {
        let more = ApprovalFile::parse(&ApprovalFile::with_approver(text, &approver).unwrap()).unwrap();
        assert_eq!(more.token_file, file.token_file);
        let (last, others) = more.approvers.split_last().unwrap();
        assert_eq!((last, others), (&approver, file.approvers.as_slice()));
    }
}

/// A file that is written again means the same, and what counts as signed has signatures of the right length.
fn authdata(path: &str) {
    let Ok(data) = AuthData::load(path) else { return };
    if let Ok(signed) = data.signed_so_far() {
        assert!(signed.0.iter().all(|(_, signature)| signature.len() == SIGNATURE));
    }
    if let Ok(factor) = data.new_second_factor() {
        assert_eq!(factor.signed.0.len(), data.data.len());
    }
    data.write(path).unwrap();
    let again = AuthData::load(path).unwrap();
    assert_eq!(serde_json::to_value(again).unwrap(), serde_json::to_value(data).unwrap());
}

/// An encrypted key is not opened without a pass phrase.
fn private_key(path: &str) {
    let Ok(key) = Locked::load(path) else { return };
    let opened = key.open(None);
    assert!(opened.is_err() || !key.is_encrypted());
}

/// A private key is never taken for a public one.
fn public_key(text: &str) {
    if public_key::parse(text).is_ok() {
        assert!(!text.contains("PRIVATE KEY-----"));
    }
}
