//! The configuration files of the original's programs, as read.

mod client;
mod console;
mod lenient;
mod warning;

pub use client::{ClientConfig, KeyConfig};
pub use console::{Config, ConfigError, ServerConfig};
pub use lenient::blanked;
pub use warning::{Oddity, Warning};
