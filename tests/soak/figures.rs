//! What is counted and measured, and the table of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// Shared by all actors.
#[derive(Default)]
pub(crate) struct Figures {
    counts: Mutex<BTreeMap<String, u64>>,
    times: Mutex<BTreeMap<&'static str, Vec<u32>>>,
    lines: Mutex<Vec<(String, String)>>,
    wrong: Mutex<Vec<String>>,
}

/// More would not say more.
const SHOWN: usize = 20;

impl Figures {
    pub(crate) fn count(&self, what: &str) {
        self.add(what, 1);
    }

    pub(crate) fn add(&self, what: &str, count: u64) {
        *self.counts.lock().unwrap().entry(what.to_owned()).or_default() += count;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counts.lock().unwrap().get(what).copied().unwrap_or_default()
    }

    pub(crate) fn time(&self, what: &'static str, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.times.lock().unwrap().entry(what).or_default().push(micros);
    }

    pub(crate) fn median(&self, what: &'static str) -> Duration {
        let mut times = self.times.lock().unwrap();
        let times = times.entry(what).or_default();
        times.sort_unstable();
        Duration::from_micros(times.get(times.len() / 2).copied().unwrap_or_default().into())
    }

    /// A line of the table.
    pub(crate) fn line(&self, what: &str, value: impl Into<String>) {
        self.lines.lock().unwrap().push((what.to_owned(), value.into()));
    }

    /// Something that must not be.
    pub(crate) fn wrong(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap();
        if wrong.len() < SHOWN {
            eprintln!("WRONG: {what}");
        }
        wrong.push(what);
    }

    pub(crate) fn is_wrong(&self) -> bool {
        !self.wrong.lock().unwrap().is_empty()
    }

    /// All that was wrong, a line each.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let wrong = self.wrong.lock().unwrap();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{} things are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(SHOWN)].join("\n")))
    }

    /// Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("| figure | |\n| --- | --- |\n");
        for (what, value) in self.lines.lock().unwrap().iter() {
            text.push_str(&format!("| {what} | {value} |\n"));
        }
        for (what, count) in self.counts.lock().unwrap().iter() {
            text.push_str(&format!("| {what} | {count} |\n"));
        }
        for (what, times) in self.times.lock().unwrap().iter_mut() {
            times.sort_unstable();
            text.push_str(&format!("| {what}: median, 99 %, longest | {} |\n", quantiles(times)));
        }
        text
    }
}

fn quantiles(sorted: &[u32]) -> String {
    let at = |part: usize| sorted.get((sorted.len().saturating_sub(1)) * part / 100).copied().unwrap_or(0);
    let millis = |micros: u32| format!("{:.1} ms", f64::from(micros) / 1000.0);
    format!("{}, {}, {}", millis(at(50)), millis(at(99)), millis(at(100)))
}
