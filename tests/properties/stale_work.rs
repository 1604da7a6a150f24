//! While work is done, other requests are decided. Its result is used only if it is still what the decision needs.

use cloudhsm::hsm::{Event, PasswordHash, Verdict, Work, Worked};
use cloudhsm::protocol::attestation::Attest;
use cloudhsm::protocol::compare::PrintUsers;
use cloudhsm::protocol::key::{GenerateKey, Template};
use cloudhsm::protocol::message::{OperationId, Round};
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::wrap::WrapKey;
use cloudhsm::protocol::wrapping::WrapMechanism;
use cloudhsm::protocol::{Operation, Refusal, Request};

use crate::lab::{AES, ALICE, Lab, OFFICER, RSA, id};
use crate::{model, symbols};

const PRINT: Request = Request::PrintUsers(PrintUsers);

const ROUND: Round = Round::Perform(OperationId(1_000_000));

#[test]
fn the_signature_of_another_statement() {
    let mut lab = Lab::new();
    let [one, other] = [lab.make_aes(ALICE), lab.make_aes(ALICE)]
        .map(|handle| Attest { nonce: [0; 32], handles: vec![handle] }.into_request());
    assert_takes_only_its_own(&lab, &one, &other);
}

#[test]
fn what_was_computed_of_another_key() {
    let mut lab = Lab::new();
    let wrapping = lab.make_aes(ALICE);
    let [one, other] = [lab.make_aes(ALICE), lab.make_aes(ALICE)]
        .map(|handle| WrapKey { handle, wrapping, mechanism: WrapMechanism::AesWrapPad }.into_request());
    assert_takes_only_its_own(&lab, &one, &other);
    let Verdict::Needs(Work::Compute(of)) = lab.world.decide_with(&one, ALICE, ROUND, None).verdict else {
        panic!("it wraps")
    };
    let failed = Worked::Computed { of, result: Err(Refusal::KeyUnfit) };
    let decide = |request| lab.world.decide_with(request, ALICE, ROUND, Some(&failed)).verdict;
    assert!(matches!(decide(&one), Verdict::Refused(Refusal::KeyUnfit)));
    assert!(matches!(decide(&other), Verdict::Needs(_)));
}

#[test]
fn a_key_where_a_pair_was_asked_for() {
    let [one, other] =
        [AES, RSA].map(|spec| GenerateKey { spec, template: Template::default() }.into_request());
    assert_takes_only_its_own(&Lab::new(), &one, &other);
}

#[test]
fn the_comparison_with_a_password_that_was_changed_meanwhile() {
    let lab = Lab::new();
    let login = model::login(UserType::Cu, "alice", true);
    for right in [true, false] {
        assert!(is_compared_again(&lab, &login, ROUND, right), "{right}");
    }
}

#[test]
fn the_comparison_for_an_answer_that_is_to_be_repeated() {
    let mut lab = Lab::new();
    let create = model::create_user("dora");
    assert!(matches!(lab.world.perform_as(&create, OFFICER, OperationId(7)).verdict, Verdict::Reply(_)));
    for right in [true, false] {
        assert!(is_compared_again(&lab, &create, Round::Perform(OperationId(7)), right), "{right}");
    }
}

#[test]
fn the_print_of_a_password_that_was_changed_meanwhile() {
    let mut lab = Lab::new();
    let decide = |lab: &Lab, worked| lab.world.decide_with(&PRINT, OFFICER, ROUND, worked).verdict;
    let Verdict::Needs(work) = decide(&lab, None) else { panic!("it prints") };
    let worked = symbols::done(&work).unwrap();
    assert!(matches!(decide(&lab, Some(&worked)), Verdict::Reply(_)));
    let password = PasswordHash("newer".to_owned());
    lab.world.apply(vec![Event::PasswordChanged { id: id(ALICE), user_type: UserType::Cu, password }]);
    assert!(matches!(decide(&lab, Some(&worked)), Verdict::Needs(_)));
}

/// Whether the result of comparing with an older hash is thrown away.
fn is_compared_again(lab: &Lab, request: &Request, round: Round, right: bool) -> bool {
    let worked = Worked::Checked { hash: PasswordHash("older".to_owned()), right };
    let verdict = lab.world.decide_with(request, ALICE, round, Some(&worked)).verdict;
    matches!(verdict, Verdict::Needs(Work::CheckPassword(hash)) if hash == PasswordHash("password".to_owned()))
}

fn assert_takes_only_its_own(lab: &Lab, one: &Request, other: &Request) {
    let decide = |request, worked| lab.world.decide_with(request, ALICE, ROUND, worked).verdict;
    let Verdict::Needs(work) = decide(one, None) else { panic!("it needs work") };
    let worked = match work {
        Work::Generate(spec) => Worked::Generated(symbols::generated(spec, 1)),
        work => symbols::done(&work).unwrap(),
    };
    assert!(matches!(decide(one, Some(&worked)), Verdict::Reply(_)));
    assert!(matches!(decide(other, Some(&worked)), Verdict::Needs(_)));
}
