//! The speed of the programs compared with what one would use instead: the same work, in turns, in one run.
//!
//! `cargo bench --bench speed` prints a table; `-- piped` or another word of [`COMPARISONS`] runs only that one. Nothing
//! fails for being slow: a busy machine is slow, too, which is why both sides take turns and only their ratio counts. The
//! table says which peers are not installed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and fails by panicking"
)]

mod drift;
mod durable;
mod echo;
mod fan_out;
mod full;
mod hsms;
mod listing;
mod memory;
mod one_shot;
mod piped;
mod process;
mod redis;
mod rounds;
mod soft_hsm;

use rounds::Row;

/// A comparison, and the word that selects it.
type Named = (&'static str, fn() -> Vec<Row>);

const COMPARISONS: [Named; 8] = [
    ("one_shot", one_shot::compare),
    ("piped", piped::compare),
    ("listing", listing::compare),
    ("fan_out", fan_out::compare),
    ("durable", durable::compare),
    ("full", full::compare),
    ("drift", drift::compare),
    ("memory", memory::compare),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [first, rest @ ..] = words.as_slice()
        && first == echo::SERVE
    {
        return echo::serve(rest);
    }
    let is_chosen = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let chosen = COMPARISONS.iter().filter(|(name, _)| is_chosen(name));
    let rows: Vec<Row> = chosen.flat_map(|(_, compare)| compare()).collect();
    print!("{}", rounds::table(&rows));
}
