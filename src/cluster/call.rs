//! Calls of servers. A call owns what it needs, so that the cluster can be used for other servers meanwhile.

use std::sync::Arc;

use futures_util::future::join_all;

use super::login::LoginEffect;
use super::round::{Perform, RoundKind};
use super::{Answer, Cluster, Dial, Failure, Question};
use crate::protocol::{Access, Operation};
use crate::wire::link::Link;

/// What came of a call.
pub struct Called<R> {
    number: usize,
    /// `None` if there was no whole answer: the rest of it, or a late one, would be taken for the answer to the next
    /// question.
    link: Option<Link>,
    login: LoginEffect,
    answer: Answer<R>,
}

impl Cluster {
    /// Begins to make each of these servers do something of its own, all at once. They count as not connected until
    /// [`finish`](Self::finish) has what came of it.
    pub fn start<O: Operation>(
        &mut self,
        asked: &[(usize, Question<O>)],
    ) -> impl Future<Output = Vec<Called<O::Reply>>> + use<O> {
        let calls: Vec<_> =
            asked.iter().map(|(number, question)| self.call::<O, Perform>(*number, question)).collect();
        join_all(calls)
    }

    /// The answers, in the order of what was asked.
    pub fn finish<R>(&mut self, called: Vec<Called<R>>) -> Vec<Answer<R>> {
        called.into_iter().map(|called| self.end(called)).collect()
    }

    pub(super) fn call<O: Operation, K: RoundKind<O>>(
        &mut self,
        number: usize,
        question: &Question<O>,
    ) -> impl Future<Output = Called<K::Reply>> + use<O, K> {
        let taken = self.take_link::<O>(number);
        let (limits, interrupt, pending) = (self.limits, self.interrupt.clone(), self.pending());
        let (call, login) = (K::call(question), question.login.clone());
        let answered = async move {
            let (link, dial) = match taken {
                Ok(taken) => taken,
                Err(failure) => return (None, Err(failure)),
            };
            // On every failure below the link is dropped with its connection.
            let called = tokio::select! {
                called = pending.during(number, dial, link.call(call, &limits)) => called,
                () = interrupt.raised() => {
                    return (None, Err(Failure::interrupted(K::silence(&"interrupted"))));
                }
            };
            match called.map(|(link, answer)| (link, K::understand(answer))) {
                Ok((link, Some(answer))) => (Some(link), answer),
                Ok((_, None)) => (None, Err(K::silence(&"the answer was to a different request"))),
                Err(error) => (None, Err(K::silence(&error))),
            }
        };
        async move {
            let (link, answer) = answered.await;
            Called { number, link, login, answer }
        }
    }

    /// The answer. The server has its link back, if there is one, and a success has its effect on the login.
    pub(super) fn end<R>(&mut self, called: Called<R>) -> Answer<R> {
        let Called { number, link, login, answer } = called;
        if let Some(server) = self.servers.get_mut(number) {
            server.take_back(link, answer.is_ok().then_some(&login));
        }
        answer
    }

    fn take_link<O: Operation>(&mut self, number: usize) -> Result<(Link, Arc<Dial>), Failure> {
        let Some(server) = self.servers.get_mut(number) else {
            return Err(Failure::NotReached("no such server".to_owned()));
        };
        // In limited commands mode the other end may be an impostor: it must not see a password, and its answers must
        // not be taken for the cluster's.
        if !server.is_trusted() && O::ACCESS != Access::Public && server.is_connected() {
            return Err(Failure::Limited);
        }
        let why = server.why_down().to_owned();
        let link = server.take_link().ok_or(Failure::NotReached(why))?;
        Ok((link, server.dial()))
    }
}
