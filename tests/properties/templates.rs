//! What the maker of a key may say of it, and what the key then is.

use cloudhsm::protocol::Refusal;
use cloudhsm::protocol::attribute::Attributes;
use cloudhsm::protocol::key::{GenerateKey, KeyHandle, Lifetime, Template};
use cloudhsm::protocol::user::{UserId, UserType};
use cloudhsm::protocol::wrapping::WrapMechanism;

use crate::lab::{AES, ALICE, BOB, Lab, RSA, id};
use crate::model;
use crate::symbols::Value;

#[test]
fn a_template_keeps_to_the_limits() {
    let mut lab = Lab::new();
    let eight: Vec<_> = (7..=14).map(UserId).collect();
    let users = eight.iter().map(|id| model::user(id.0, UserType::Cu, &format!("cu_{}", id.0)));
    lab.world.apply(users.collect());
    let any = Template::default;
    let nine = [&eight[..], &[id(BOB)]].concat();
    let bob = || vec![id(BOB)];
    for (template, is_good) in [
        (Template { label: "x".repeat(128), ..any() }, true),
        (Template { label: "x".repeat(129), ..any() }, false),
        (Template { id: "x".repeat(128), ..any() }, true),
        (Template { id: "x".repeat(129), ..any() }, false),
        (Template { shared_with: eight.clone(), ..any() }, true),
        (Template { shared_with: nine, ..any() }, false),
        (Template { lifetime: Lifetime::Session, ..any() }, true),
        (Template { lifetime: Lifetime::Session, shared_with: bob(), ..any() }, false),
        (Template { m_value: 1, ..any() }, true),
        (Template { m_value: 2, ..any() }, false),
        (Template { m_value: 2, shared_with: bob(), ..any() }, true),
        (Template { m_value: 3, shared_with: bob(), ..any() }, false),
        (Template { m_value: 8, shared_with: eight.clone(), ..any() }, true),
        (Template { m_value: 9, shared_with: eight, ..any() }, false),
        // With Alice herself, an officer, the AU, and nobody.
        (Template { shared_with: vec![id(ALICE)], ..any() }, false),
        (Template { shared_with: vec![UserId(6)], ..any() }, false),
        (Template { shared_with: vec![UserId(2)], ..any() }, false),
        (Template { shared_with: vec![UserId(99)], ..any() }, false),
    ] {
        let made = make(&mut lab, template.clone());
        assert_eq!(
            made.map(|_| ()),
            if is_good { Ok(()) } else { Err(Refusal::InvalidInput) },
            "{template:?}"
        );
    }
}

#[test]
fn an_id_is_one_keys_or_one_pairs() {
    let mut lab = Lab::new();
    let named = |id: &str| Template { id: id.to_owned(), ..Template::default() };
    let pair = lab.ask(ALICE, GenerateKey { spec: RSA, template: named("1") }).unwrap();
    assert!(pair.iter().all(|half| lab.attributes(ALICE, *half).id == "1"));
    assert_eq!(make(&mut lab, named("1")), Err(Refusal::InvalidInput));
    assert!(make(&mut lab, named("2")).is_ok());
    assert!(make(&mut lab, named("")).is_ok() && make(&mut lab, named("")).is_ok(), "no id");
}

#[test]
fn a_key_that_is_not_extractable_never_was_if_it_was_made_here() {
    let mut lab = Lab::new();
    let template = |extractable| Template { extractable, ..Template::default() };
    let of = |attributes: Attributes| (attributes.extractable, attributes.never_extractable);
    for extractable in [true, false] {
        let secret = make(&mut lab, template(extractable)).unwrap();
        assert_eq!(of(lab.attributes(ALICE, secret)), (extractable, !extractable));
        let pair = lab.ask(ALICE, GenerateKey { spec: RSA, template: template(extractable) }).unwrap();
        assert_eq!(of(lab.attributes(ALICE, pair[0])), (true, false), "a public half");
        assert_eq!(of(lab.attributes(ALICE, pair[1])), (extractable, !extractable));
    }
    let wrapping = lab.make_aes(ALICE);
    let known = Value::secret(1_000_000);
    let wrapped = lab.wrap_data(ALICE, wrapping, WrapMechanism::AesWrapPad, known).unwrap();
    let copy = lab.unwrap_as(ALICE, wrapping, &wrapped, template(false)).unwrap();
    let attributes = lab.attributes(ALICE, copy);
    assert!(!attributes.always_sensitive && !attributes.local, "it was outside");
    assert_eq!(of(attributes), (false, false));
}

fn make(lab: &mut Lab, template: Template) -> Result<KeyHandle, Refusal> {
    lab.ask(ALICE, GenerateKey { spec: AES, template }).map(|made| made[0])
}
