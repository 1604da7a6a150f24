//! Comparing servers: what each has (`holdings`), where they differ (`difference`), and what makes them alike (`plan`).

mod difference;
mod gather;
mod holdings;
mod plan;
mod ranges;

pub(super) use difference::{differences, rows, servers, text};
pub(super) use gather::{Gathered, gather};
pub(super) use holdings::Name;
pub(super) use plan::{Items, Left, Part, Plan, Why, plan};
pub(super) use ranges::ranges;
