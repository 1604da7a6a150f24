//! A Redis server with TLS, and its client.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use tempfile::TempDir;

use super::hsms::{folder, session};
use super::process::{Background, is_installed, run, wait_for};

/// The programs that have to be installed.
pub(crate) const MISSING: &str = "redis-server and redis-cli";

const PORT: &str = "16379";

/// Runs until it is dropped.
pub(crate) struct Redis {
    _server: Background,
    folder: TempDir,
}

impl Redis {
    /// Starts the server, which keeps nothing on disk; `None` if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !is_installed("redis-server") || !is_installed("redis-cli") {
            return None;
        }
        let folder = folder();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(folder.path().join("redis.crt"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("redis.key"), made.signing_key.serialize_pem()).unwrap();
        let server = Background::start(
            Command::new("redis-server")
                .current_dir(folder.path())
                .args(["--port", "0", "--tls-port", PORT, "--bind", "127.0.0.1", "--save", ""])
                .args(["--tls-cert-file", "redis.crt", "--tls-key-file", "redis.key"])
                .args(["--tls-auth-clients", "no"]),
        );
        wait_for(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT.parse().unwrap())));
        Some(Self { _server: server, folder })
    }

    pub(crate) fn client(&self) -> Command {
        let mut client = Command::new("redis-cli");
        client.current_dir(self.folder.path()).args(["--tls", "--cacert", "redis.crt", "-p", PORT]);
        client
    }

    /// Puts the rows of a user list into `users`.
    pub(crate) fn hold_users(&self, console: &mut Command) {
        let listed = session(console, &["listUsers"]);
        let rows: Vec<&str> = listed.lines().filter(|line| line.starts_with("         ")).collect();
        assert_eq!(rows.len(), 3, "{listed}");
        run(self.client().args(["RPUSH", "users"]).args(rows));
    }
}
