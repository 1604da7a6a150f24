//! The configuration files of the original's programs, for every program that reads one.

mod client;
mod console;

pub use client::{ClientConfig, KeyConfig};
pub use console::{Config, ConfigError, ServerConfig};
