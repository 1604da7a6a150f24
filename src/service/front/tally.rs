//! Counts calls by operation and outcome, for the page that monitoring reads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::trouble::Trouble;
use crate::service::operation::Operation;

/// Answered calls, since the program started. The counters are atomic: counting takes no lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<Counters>);

type Counters = [Outcomes; Operation::ALL.len()];

#[derive(Debug, Default)]
struct Outcomes {
    ok: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, operation: Operation, trouble: Option<&Trouble>) {
        let counted = self.rows().find(|(row, _)| *row == operation);
        let Some((_, Outcomes { ok, refused, failed })) = counted else { return };
        let counter = match trouble {
            None => ok,
            Some(trouble) if trouble.status().is_server_error() => failed,
            Some(_) => refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A page in the OpenMetrics text format, with the number of HSMs that are ACTIVE and DEGRADED.
    pub(super) fn page(&self, hsms: (usize, usize)) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("hsmd_service");
        registry.register_collector(Box::new(Page { tally: self.clone(), hsms }));
        let mut page = String::new();
        text::encode(&mut page, &registry)?;
        Ok(page)
    }

    fn rows(&self) -> impl Iterator<Item = (Operation, &Outcomes)> {
        Operation::ALL.into_iter().zip(self.0.iter())
    }
}

#[derive(Debug)]
struct Page {
    tally: Tally,
    hsms: (usize, usize),
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor("hsms", "HSMs by state.", None, MetricType::Gauge)?;
        let (active, degraded) = self.hsms;
        for (state, number) in [("ACTIVE", active), ("DEGRADED", degraded)] {
            ConstGauge::new(number as u64).encode(family.encode_family(&[("state", state)])?)?;
        }
        self.tally.encode(&mut encoder)
    }
}

impl Tally {
    /// Every operation with every outcome, even at zero: monitoring can see a first increase only from zero.
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Answered calls by operation and outcome.";
        let mut family = encoder.encode_descriptor("calls", help, None, MetricType::Counter)?;
        for (operation, Outcomes { ok, refused, failed }) in self.rows() {
            for (outcome, counter) in [("ok", ok), ("refused", refused), ("failed", failed)] {
                let labels = [("operation", operation.name()), ("outcome", outcome)];
                let times = counter.load(Ordering::Relaxed);
                ConstCounter::new(times).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
