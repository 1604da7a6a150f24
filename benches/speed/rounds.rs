//! Taking turns, and what comes out of it.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// Two ways to do one thing.
pub(crate) struct Comparison {
    /// What is done.
    pub(crate) what: &'static str,
    /// Who else does it.
    pub(crate) peer: &'static str,
    /// How many times the peer's time ours may be.
    pub(crate) budget: Option<f64>,
    /// How often each side has its turn. The median is of an odd number of them.
    pub(crate) rounds: usize,
}

/// A line of the table.
pub(crate) enum Row {
    Measured { comparison: Comparison, ours: String, theirs: String, ratio: f64, spread: (f64, f64) },
    Skipped { what: &'static str, missing: &'static str },
}

impl Comparison {
    /// Measures; both sides tell how long one operation took, and have one turn before it counts.
    pub(crate) fn run(self, mut ours: impl FnMut() -> Duration, mut theirs: impl FnMut() -> Duration) -> Row {
        eprintln!("{} ...", self.what);
        ours();
        theirs();
        // Who goes first changes, as what one leaves behind may slow the other.
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

    /// What was counted, of which the peer needs one for each operation. Hundredths count: what happens once in thousands
    /// of operations is none of each.
    pub(crate) fn counted(self, count: f64) -> Row {
        let ratio = (count * 100.0).round() / 100.0;
        let (ours, theirs) = (format!("{ratio:.2}"), "1".to_owned());
        Row::Measured { comparison: self, ours, theirs, ratio, spread: (ratio, ratio) }
    }
}

/// How long one of `times` takes.
pub(crate) fn time_each(times: u32, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..times).for_each(|_| work());
    start.elapsed() / times
}

/// The rows, as Markdown.
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
            Row::Skipped { what, missing } => writeln!(table, "| {what} | left out: no {missing} | | | | |"),
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
