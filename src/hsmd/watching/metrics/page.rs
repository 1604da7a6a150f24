//! The pages: numbers, labelled with an HSM's id and an operation's name, and nothing else. No user's or key's name
//! may appear here.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::hsm::Census;
use crate::hsmd::serving::status::{Changes, Counters, Status};
use crate::hsmd::watching::probe::Sight;

/// A number that each HSM has.
struct Number {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    of: Origin,
}

enum Kind {
    Gauge,
    /// Never decreases.
    Counter,
}

/// Where a number comes from. All but `Sight` are known only for an HSM that answers.
enum Origin {
    Sight(fn(&Sight) -> u64),
    Status(fn(&Status) -> u64),
    Census(fn(&Census) -> u64),
    Counters(fn(&Counters) -> u64),
}

const NUMBERS: [Number; 20] = [
    gauge("up", "Whether the HSM answers.", Origin::Sight(|sight| u64::from(sight.status.is_some()))),
    gauge("connections", "Open connections.", Origin::Sight(|sight| sight.connections as u64)),
    gauge(
        "connections_without_login",
        "Open connections without a login.",
        Origin::Sight(|sight| sight.without_login as u64),
    ),
    counter(
        "pushed_out",
        "Connections without a login closed to make room for others.",
        Origin::Sight(|sight| sight.pushed_out),
    ),
    counter(
        "no_login_in_time",
        "Connections closed because nobody logged in in time.",
        Origin::Sight(|sight| sight.timed_out),
    ),
    counter(
        "keys_followed",
        "Keys made, changed or deleted as another member has them.",
        Origin::Sight(|sight| sight.following.followed),
    ),
    gauge(
        "keys_behind",
        "Keys that another member has in a newer version.",
        Origin::Sight(|sight| sight.following.behind as u64),
    ),
    gauge(
        "keys_unordered",
        "Keys changed differently here and on another member.",
        Origin::Sight(|sight| sight.following.unordered as u64),
    ),
    gauge(
        "members_unreached",
        "Members that keys do not follow from now.",
        Origin::Sight(|sight| sight.following.unreached as u64),
    ),
    gauge("takes_changes", "Whether the HSM takes changes.", Origin::Status(takes_changes)),
    gauge("logged_in_sessions", "Connections with a login.", Origin::Census(|census| census.logins as u64)),
    gauge("users", "Users of all types.", Origin::Census(|census| census.users as u64)),
    gauge("locked_out_users", "Users locked out.", Origin::Census(|census| census.locked_out as u64)),
    gauge("keys", "Token and session keys.", Origin::Census(|census| census.keys as u64)),
    gauge("tokens", "Quorum tokens held.", Origin::Census(|census| census.tokens as u64)),
    gauge(
        "audit_sequence",
        "Number of the last audit record.",
        Origin::Census(|census| census.audit_sequence),
    ),
    counter("reboots", "Starts since the HSM was made.", Origin::Census(|census| census.reboots.into())),
    counter(
        "login_failures",
        "Failed logins that count towards a lockout.",
        Origin::Counters(|counters| counters.login_failures),
    ),
    counter("store_commits", "Commits of the store.", Origin::Counters(|counters| counters.commits)),
    counter("store_failures", "Failures of the store.", Origin::Counters(|counters| counters.store_failures)),
];

const fn gauge(name: &'static str, help: &'static str, of: Origin) -> Number {
    Number { name, help, kind: Kind::Gauge, of }
}

const fn counter(name: &'static str, help: &'static str, of: Origin) -> Number {
    Number { name, help, kind: Kind::Counter, of }
}

fn takes_changes(status: &Status) -> u64 {
    u64::from(status.changes == Changes::Taken)
}

/// The page, in the OpenMetrics text format.
pub(crate) fn metrics(sights: Vec<Sight>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("hsmd");
    registry.register_collector(Box::new(Page(sights)));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// What an HSM is that waits for its owner's certificate.
#[derive(Clone, Copy)]
pub(crate) enum Waiting {
    IsTrouble,
    IsWell,
}

/// A line for each HSM that is not fully usable; empty if all are.
pub(crate) fn troubles(sights: &[Sight], waiting: Waiting) -> String {
    let lines = sights.iter().filter_map(|sight| {
        let trouble = match (sight.status.map(|status| status.changes), waiting) {
            (Some(Changes::Taken), _) | (Some(Changes::NotInitialized), Waiting::IsWell) => return None,
            (Some(Changes::NotInitialized), Waiting::IsTrouble) => "not initialized",
            (Some(Changes::StoreFailed), _) => {
                "the store failed, as on a full disk; no changes until it works again, reads go on"
            }
            (None, _) => "does not answer",
        };
        Some(format!("{}: {trouble}\n", sight.hsm_id))
    });
    lines.collect()
}

#[derive(Debug)]
struct Page(Vec<Sight>);

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        encoder
            .encode_descriptor("build", "The program.", None, MetricType::Info)?
            .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        for number in &NUMBERS {
            self.number(number, &mut encoder)?;
        }
        self.requests(&mut encoder)
    }
}

impl Page {
    fn number(&self, number: &Number, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Number { name, help, kind, of } = number;
        let metric_type = match kind {
            Kind::Gauge => MetricType::Gauge,
            Kind::Counter => MetricType::Counter,
        };
        let mut family = encoder.encode_descriptor(name, help, None, metric_type)?;
        for sight in &self.0 {
            let Some(value) = of.value(sight) else { continue };
            let labels = [("hsm", sight.hsm_id.as_str())];
            let metric = family.encode_family(&labels)?;
            match kind {
                Kind::Gauge => ConstGauge::new(value).encode(metric)?,
                Kind::Counter => ConstCounter::new(value).encode(metric)?,
            }
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Answered requests by operation and outcome.";
        let mut family = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for sight in &self.0 {
            for count in &sight.requests {
                let hsm = ("hsm", sight.hsm_id.as_str());
                let labels = [hsm, ("operation", count.operation), ("outcome", count.outcome)];
                ConstCounter::new(count.times).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Origin {
    fn value(&self, sight: &Sight) -> Option<u64> {
        let status = sight.status.as_ref();
        match self {
            Self::Sight(number) => Some(number(sight)),
            Self::Status(number) => Some(number(status?)),
            Self::Census(number) => Some(number(&status?.census)),
            Self::Counters(number) => Some(number(&status?.counters)),
        }
    }
}
