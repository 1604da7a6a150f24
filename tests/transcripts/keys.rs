//! Keys for a story: made on server 0, and copied to the others as clients do.

use cloudhsm::cluster::{Cluster, Question};
use cloudhsm::protocol::key::{GenerateKey, KeySpec, Lifetime, Template};
use cloudhsm::protocol::masked::{Existing, ExtractKey, InsertKey, Place};
use cloudhsm::protocol::session::Login;
use cloudhsm::protocol::user::{UserId, UserType};
use cloudhsm::protocol::{Operation, Secret};

/// `AES key`, `session AES key`, `RSA pair`, `generic secret`; then `labelled x`, `shared with 4,5`, `needing 2`.
pub(crate) fn parse(words: &[&str]) -> GenerateKey {
    let (lifetime, words) = match words {
        ["session", rest @ ..] => (Lifetime::Session, rest),
        _ => (Lifetime::Token, words),
    };
    let (spec, mut rest) = match words {
        ["AES", "key", rest @ ..] => (KeySpec::Aes { bytes: 32 }, rest),
        ["RSA", "pair", rest @ ..] => (KeySpec::Rsa { bits: 2048 }, rest),
        ["generic", "secret", rest @ ..] => (KeySpec::GenericSecret { bytes: 20 }, rest),
        _ => panic!("no such key: {words:?}"),
    };
    let mut template = Template { lifetime, ..Template::default() };
    loop {
        rest = match rest {
            [] => return GenerateKey { spec, template },
            ["labelled", label, rest @ ..] => {
                template.label = (*label).to_owned();
                rest
            }
            ["shared", "with", users, rest @ ..] => {
                template.shared_with = users.split(',').map(|user| UserId(user.parse().unwrap())).collect();
                rest
            }
            ["needing", users, rest @ ..] => {
                template.m_value = users.parse().unwrap();
                rest
            }
            _ => panic!("no such property of a key: {rest:?}"),
        };
    }
}

/// A CU makes them, on a connection that is left open: on the first of these servers, copied to the others.
pub(crate) async fn make(cluster: &mut Cluster, name: &str, new: &GenerateKey, everywhere: &[usize]) {
    cluster.open(everywhere, |_| (), |_, _| ()).await;
    let password = Secret::new(format!("{name}password"));
    ask(
        cluster,
        everywhere,
        Login { user_type: UserType::Cu, name: name.to_owned(), password, second_factor: None },
    )
    .await;
    let handles = ask(cluster, &everywhere[..1], new.clone()).await.remove(0);
    if new.template.lifetime == Lifetime::Session {
        return;
    }
    for handle in handles {
        let object = ask(cluster, &everywhere[..1], ExtractKey { handle }).await.remove(0);
        let (place, existing) = (Place::SameHandle, Existing::Compare);
        ask(cluster, &everywhere[1..], InsertKey { object, place, existing }).await;
    }
}

pub(crate) async fn ask<O: Operation>(cluster: &mut Cluster, scope: &[usize], operation: O) -> Vec<O::Reply> {
    let question = Question::new(operation).unwrap();
    let answers = cluster.perform(scope, &question).await;
    answers.into_iter().map(|answer| answer.unwrap()).collect()
}
