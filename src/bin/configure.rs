//! The tool that writes the configuration files.

use std::fmt::Display;
use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, CommandFactory, Parser};
use cloudhsm::configure::{Address, Files, Order, Template};
use cloudhsm::console;
use cloudhsm::generate::{Kind, Section, generate};
use cloudhsm::protocol::message::PORT;
use cloudhsm::wire::Limits;
use tokio::runtime::Builder;

/// Writes the addresses of HSMs, or the client certificate, into the configuration files
///
/// The other keys of the files, their order and their formatting stay. A file is replaced whole or not at all, and what
/// it held is kept beside it, named .bak, .bak2, …; a file that would not change is left alone. If anything is wrong
/// with one of the files, or with what the HSM answers, no file is changed.
///
/// With only one of --client-config and --cmu-config, the other file is neither read nor changed, unless -m or --cmu
/// needs it. An HSM is asked for its cluster only after it has proved to be of it, by the CA certificate that the
/// console's file names. Of the servers in that file, those that are members stay as they are; new ones are copies of
/// the first, with another hostname, name and port.
#[derive(Parser)]
#[command(name = "configure", version, after_help = EXAMPLES)]
#[command(group = ArgGroup::new("order").required(true).args(["ip", "members", "cmu", "ssl", "template", "generate"]))]
struct Arguments {
    /// Write the address of one HSM into both files; the console's then has this one server
    #[arg(short = 'a', value_name = "IP", value_parser = hostname)]
    ip: Option<String>,

    /// Ask the HSM that the client's file names for its cluster, and write all members into the console's file
    #[arg(short = 'm')]
    members: bool,

    /// Accepted for the original's sake, without effect: there is no daemon, the HSM itself is asked
    #[arg(short = 'i', value_name = "DAEMON_ID", requires = "members")]
    daemon_id: Option<u32>,

    /// Write the address of one HSM into the client's file, and all members of its cluster into the console's
    #[arg(long, value_name = "IP", value_parser = hostname)]
    cmu: Option<String>,

    /// Write a client certificate and its key into both files, for every server
    #[arg(long, requires_all = ["pkey", "cert"])]
    ssl: bool,

    /// The private key (PEM, without a pass phrase); it stays where it is
    #[arg(long, value_name = "FILE", requires = "ssl")]
    pkey: Option<PathBuf>,

    /// The client certificate (PEM, X.509 version 3); it stays where it is
    #[arg(long, value_name = "FILE", requires = "ssl")]
    cert: Option<PathBuf>,

    /// Print a complete file to begin with: the console's (cmu), or the client's (client)
    #[arg(long, value_name = "cmu|client", num_args = 0..=1, default_missing_value = "cmu", value_parser = template)]
    template: Option<Template>,

    /// Where the HSM listens [default: 2225; with -m, as the client's file says]
    #[arg(long, conflicts_with_all = ["ssl", "template"], value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// The client's file [default: /opt/cloudhsm/etc/cloudhsm_client.cfg]
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    client_config: Option<PathBuf>,

    /// The console's file [default: /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg]
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    cmu_config: Option<PathBuf>,

    /// Print a completion script, or the manual page, and end
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Kind>,
}

const EXAMPLES: &str = "\
Examples:
  configure --template > /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg
  configure --template client > /opt/cloudhsm/etc/cloudhsm_client.cfg
  configure -a 10.0.2.9
  configure -m
  configure --cmu 10.0.2.9
  configure --cmu 127.0.1.1 --cmu-config /tmp/cluster/cloudhsm_mgmt_util.cfg
  configure --ssl --pkey /opt/cloudhsm/etc/ssl-client.key --cert /opt/cloudhsm/etc/ssl-client.crt

Exit codes:
  0  done, or nothing was to be done
  1  failed; unless a file is named as updated, nothing is changed
  2  wrong usage";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(stderr)
        .log_internal_errors(false)
        .init();
    let done = match (arguments.generate, arguments.template, arguments.order()) {
        (Some(kind), _, _) => {
            generate(Arguments::command(), kind, Section::Commands).map_err(text).and_then(|it| print(&it))
        }
        (None, Some(template), _) => print(template.text().as_bytes()),
        (None, None, Some(order)) => carry_out(&order, &arguments.files()),
        (None, None, None) => Err("nothing to do".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(stderr(), "configure: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn order(&self) -> Option<Order> {
        let address = |ip: &String| Address { hostname: ip.clone(), port: self.port.unwrap_or(PORT) };
        if let Some(ip) = &self.ip {
            return Some(Order::Server(address(ip)));
        }
        if let Some(ip) = &self.cmu {
            return Some(Order::Cluster(address(ip)));
        }
        if let (Some(certificate), Some(pkey)) = (&self.cert, &self.pkey) {
            return Some(Order::Ssl { certificate: certificate.clone(), pkey: pkey.clone() });
        }
        self.members.then_some(Order::Members(self.port))
    }

    fn files(&self) -> Files {
        Files { client: self.client_config.clone(), console: self.cmu_config.clone() }
    }
}

fn carry_out(order: &Order, files: &Files) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    for change in runtime.block_on(files.prepare(order, Limits::default())).map_err(text)? {
        print(change.announcement().as_bytes())?;
        change.make().map_err(text)?;
    }
    Ok(())
}

/// A number or a name; the rest would only be found out by the next program.
fn hostname(word: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if word.is_empty() || word.starts_with('-') || !word.bytes().all(is_part) {
        return Err("an IP address or a host name".to_owned());
    }
    Ok(word.to_owned())
}

fn template(word: &str) -> Result<Template, String> {
    Template::parse(word).ok_or_else(|| "cmu or client".to_owned())
}

fn print(written: &[u8]) -> Result<(), String> {
    console::put(written).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
