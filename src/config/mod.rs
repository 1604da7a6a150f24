//! The configuration files of the original's programs, as read.

mod client;
mod console;

pub use client::{ClientConfig, KeyConfig};
pub use console::{Config, ConfigError, ServerConfig};
