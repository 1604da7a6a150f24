//! Measuring in turns, and the table of results.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// The same work, done by us and by a peer.
pub(crate) struct Comparison {
    /// The work.
    pub(crate) what: &'static str,
    /// Who else does it.
    pub(crate) peer: &'static str,
    /// The greatest acceptable ratio of our time to the peer's.
    pub(crate) budget: Option<f64>,
    /// How many turns each side has: an odd number, for the median.
    pub(crate) rounds: usize,
}

/// A row of the table.
pub(crate) enum Row {
    Measured { comparison: Comparison, ours: String, theirs: String, ratio: f64, spread: (f64, f64) },
    Skipped { what: &'static str, missing: &'static str },
}

impl Comparison {
    /// Measures. Both sides return the time of one operation. Their first turn does not count.
    pub(crate) fn run(self, mut ours: impl FnMut() -> Duration, mut theirs: impl FnMut() -> Duration) -> Row {
        eprintln!("{} ...", self.what);
        ours();
        theirs();
        // The sides take turns at going first, as one may slow down the other.
        let turns: Vec<(Duration, Duration)> = (0..self.rounds)
            .map(|round| {
                if round % 2 == 0 {
                    let ours = ours();
                    (ours, theirs())
                } else {
                    let theirs = theirs();
                    (ours(), theirs)
                }
            })
            .collect();
        let ratios = sorted(turns.iter().map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64()));
        let ours = sorted(turns.iter().map(|(ours, _)| ours.as_secs_f64()));
        let theirs = sorted(turns.iter().map(|(_, theirs)| theirs.as_secs_f64()));
        let shown = |seconds: &[f64]| format!("{:.3?}", Duration::from_secs_f64(median(seconds)));
        let spread = (ratios.first().copied().unwrap(), ratios.last().copied().unwrap());
        let (ours, theirs, ratio) = (shown(&ours), shown(&theirs), median(&ratios));
        Row::Measured { comparison: self, ours, theirs, ratio, spread }
    }

    /// A row for a count per operation, of which the peer needs one. Rounded to hundredths, so that something that happens
    /// once in thousands of operations does not count.
    pub(crate) fn counted(self, count: f64) -> Row {
        let ratio = (count * 100.0).round() / 100.0;
        let (ours, theirs) = (format!("{ratio:.2}"), "1".to_owned());
        Row::Measured { comparison: self, ours, theirs, ratio, spread: (ratio, ratio) }
    }

    /// A row for sizes in kilobytes.
    pub(crate) fn sized(self, ours: u64, theirs: u64) -> Row {
        let [large, small] = [ours, theirs].map(|size| size as f64 / 1024.0);
        let ratio = large / small;
        let [ours, theirs] = [large, small].map(|size| format!("{size:.1} MB"));
        Row::Measured { comparison: self, ours, theirs, ratio, spread: (ratio, ratio) }
    }
}

/// The time of one of `times` runs.
pub(crate) fn time_each(times: u32, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..times).for_each(|_| work());
    start.elapsed() / times
}

/// The rows as Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = "| what | ours | theirs | ratio (spread) | budget | kept |\n".to_owned();
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        match row {
            Row::Measured { comparison, ours, theirs, ratio, spread: (least, most) } => {
                let Comparison { what, peer, budget, .. } = comparison;
                let spread =
                    if least == most { String::new() } else { format!(" ({least:.3} to {most:.3})") };
                let (budget, kept) = match budget {
                    None => ("-".to_owned(), "-"),
                    Some(budget) => (budget.to_string(), if ratio <= budget { "yes" } else { "no" }),
                };
                writeln!(
                    table,
                    "| {what} | {ours} | {theirs}, {peer} | {ratio:.3}{spread} | {budget} | {kept} |"
                )
            }
            Row::Skipped { what, missing } => writeln!(table, "| {what} | skipped: no {missing} | | | | |"),
        }
        .unwrap();
    }
    table
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn median(sorted: &[f64]) -> f64 {
    *sorted.get(sorted.len() / 2).unwrap()
}
