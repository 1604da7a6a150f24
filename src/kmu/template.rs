//! The options that the commands that make keys share.

use std::time::Duration;

use super::attest::{ATTEST, AsExpected};
use super::create::{Conditions, Reach, Report, candidates, create};
use super::spread::Minimum;
use super::{Code, Printed, Session, Stop, frame};
use crate::command::{Argument, Given, Kind, Usage};
use crate::protocol::Operation;
use crate::protocol::attribute::Attributes;
use crate::protocol::key::{self as protocol, GenerateKey, KeyClass, KeyHandle, KeySpec, Lifetime};
use crate::protocol::user::UserId;

pub(super) const LABEL: Argument =
    Argument::flag("-l", "label", Kind::Text, "Key label").help("label of the key, of both keys of a pair");
pub(super) const ID: Argument =
    Argument::option("-id", "key ID", Kind::Text, "Key ID").help("id of the key, of both keys of a pair");
pub(super) const MINIMUM: Argument =
    Argument::option("-min_srv", "number of servers", Kind::Number, "Minimum servers")
        .help("the key is deleted again if fewer servers have it");
pub(super) const M_VALUE: Argument = Argument::option("-m_value", "0..8", Kind::Number, "m_value")
    .help("how many users must approve the use of the key");
pub(super) const NEX: Argument =
    Argument::switch("-nex").help("makes the secret or private key non-extractable");
pub(super) const SESSION: Argument =
    Argument::switch("-sess").help("makes a session key on one HSM, deleted when the session ends");
pub(super) const TIMEOUT: Argument = Argument::option("-timeout", "seconds", Kind::Number, "Timeout")
    .help("with -min_srv: how long copying is tried again before the key is deleted");
pub(super) const USERS: Argument = Argument::option("-u", "user-ids", Kind::UserIds, "User ids")
    .help("comma-separated ids of CUs with whom the secret or private key is shared");

/// What the options say about a new key, whatever its kind.
pub(super) struct Template {
    label: String,
    id: String,
    extractable: bool,
    lifetime: Lifetime,
    shared_with: Vec<UserId>,
    m_value: u8,
    minimum: WantedMinimum,
    is_attested: bool,
}

impl Template {
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let minimum = WantedMinimum::parse(given)?;
        let shared_with = wanted(given, &USERS, Given::users)?.unwrap_or_default();
        let lifetime = if given.has(&SESSION) { Lifetime::Session } else { Lifetime::Token };
        if lifetime == Lifetime::Session && !shared_with.is_empty() {
            return Err(Usage::Wrong("sharing session keys is not allowed"));
        }
        Ok(Self {
            label: given.maybe(&LABEL, Given::text)?.unwrap_or_default(),
            id: given.maybe(&ID, Given::text)?.unwrap_or_default(),
            extractable: !(given.takes(&NEX) && given.has(&NEX)),
            lifetime,
            shared_with,
            m_value: m_value(wanted(given, &M_VALUE, Given::number)?)?,
            minimum,
            is_attested: given.takes(&ATTEST) && given.has(&ATTEST),
        })
    }

    /// Fills in label and id where no option gave them.
    pub(super) fn complete(&mut self, label: String, id: String) {
        if self.label.is_empty() {
            self.label = label;
        }
        if self.id.is_empty() {
            self.id = id;
        }
    }

    /// Makes a key, or a pair, of this kind.
    pub(super) fn make(self, session: &mut Session<'_>, spec: KeySpec, report: Report) -> Printed {
        let makers = candidates(session);
        self.run(session, &makers, |template| GenerateKey { spec, template }, Vec::clone, report)
    }

    /// Makes keys, on one of these nodes first, with the operation that this template makes complete.
    pub(super) fn run<O: Operation>(
        self,
        session: &mut Session<'_>,
        makers: &[usize],
        operation: impl FnOnce(protocol::Template) -> O,
        handles: fn(&O::Reply) -> Vec<KeyHandle>,
        report: Report,
    ) -> Printed {
        let reach = match self.lifetime {
            Lifetime::Session => Reach::OneNode,
            Lifetime::Token => Reach::AllNodes(self.minimum.on(session)),
        };
        let template = protocol::Template {
            label: self.label,
            id: self.id,
            extractable: self.extractable,
            lifetime: self.lifetime,
            shared_with: self.shared_with,
            m_value: self.m_value,
        };
        let expected = template.clone();
        let as_expected = |attributes: &Attributes| is_made_so(&expected, attributes);
        let attested: Option<AsExpected<'_>> = if self.is_attested { Some(&as_expected) } else { None };
        let conditions = Conditions { reach, attested };
        let mut text = create(session, makers, operation(template), handles, &conditions, report)?;
        if self.minimum.is_more_than_there_are(session) {
            let nodes = session.everywhere().len();
            text.push_str(&format!(
                "\n Key generation succesful in all servers {nodes} present in the cluster\n"
            ));
        }
        Ok(text)
    }
}

/// Whether a new key is as its maker wanted it. A public key is extractable, whatever is wanted of the private one.
fn is_made_so(wanted: &protocol::Template, made: &Attributes) -> bool {
    made.label == wanted.label
        && made.id == wanted.id
        && made.token == (wanted.lifetime == Lifetime::Token)
        && (made.class == KeyClass::Public || made.extractable == wanted.extractable)
}

/// Reads an option that not every command has.
fn wanted<'a, T>(
    given: &Given<'a>,
    option: &Argument,
    read: fn(&Given<'a>, &Argument) -> Result<T, Usage>,
) -> Result<Option<T>, Usage> {
    if given.takes(option) { given.maybe(option, read) } else { Ok(None) }
}

/// What [`MINIMUM`] and [`TIMEOUT`] say.
#[derive(Clone, Copy)]
pub(super) struct WantedMinimum {
    nodes: Option<usize>,
    timeout: Option<Duration>,
}

impl WantedMinimum {
    /// There is no timeout without a minimum.
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        let nodes = given.maybe(&MINIMUM, Given::number::<u32>)?;
        let timeout = given.maybe(&TIMEOUT, Given::number::<u32>)?;
        if timeout.is_some() && nodes.is_none() {
            return Err(Usage::Wrong("Minimum servers (-min_srv) option is missing"));
        }
        let nodes = nodes.and_then(|nodes| usize::try_from(nodes).ok());
        Ok(Self { nodes, timeout: timeout.map(|seconds| Duration::from_secs(seconds.into())) })
    }

    /// On how many nodes a new key has to be. More than there are is reported, and means all.
    pub(super) fn on(self, session: &mut Session<'_>) -> Minimum {
        let timeout = self.timeout;
        let nodes = match self.nodes {
            None => session.minimum_nodes,
            Some(wanted) if !self.is_more_than_there_are(session) => wanted,
            Some(_) => {
                session.print(
                    "\n Not a valid min_srv count, please check the number of servers in cluster !!\n",
                );
                session.everywhere().len()
            }
        };
        Minimum { nodes, timeout }
    }

    fn is_more_than_there_are(self, session: &Session<'_>) -> bool {
        self.nodes.is_some_and(|wanted| wanted > session.everywhere().len())
    }
}

/// Refuses a kind of key that no HSM makes, without asking one.
pub(super) fn not_allowed(call: &str, code: Code) -> Printed {
    Err(Stop::Failed(frame::returned(call, code)))
}

/// The line that reports a new pair.
pub(super) fn pair_made(handles: &[KeyHandle]) -> String {
    match handles {
        [public, private] => frame::line(&format!(
            "Cfm3GenerateKeyPair:    public key handle: {public}    private key handle: {private}"
        )),
        _ => String::new(),
    }
}

fn m_value(number: Option<u32>) -> Result<u8, Usage> {
    let wrong = Usage::Wrong("Invalid m_value.\n\tValid m_value range is 1 to 8");
    u8::try_from(number.unwrap_or_default()).ok().filter(|m_value| *m_value <= 8).ok_or(wrong)
}
