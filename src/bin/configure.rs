//! The tool that edits the configuration files.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, CommandFactory, Parser};
use cloudhsm::configure::{ConfigTemplate, Files, HostPort, Update};
use cloudhsm::console;
use cloudhsm::generate::{Artifact, ManualSection, generate};
use cloudhsm::protocol::message::PORT;
use cloudhsm::wire::Limits;
use tokio::runtime::Builder;

/// Writes the addresses of HSMs, or the client certificate, into the configuration files
///
/// Everything else in the files stays, with its order and formatting. A file is replaced whole or not at all, with a
/// backup beside it (.bak, .bak2, …); a file that would not change is left alone. If anything is wrong with one of the
/// files, or with the HSM's answer, no file is changed.
///
/// With only one of --client-config and --cmu-config, the other file is neither read nor changed, unless -m or --cmu
/// needs it. An HSM is asked for the members of its cluster only after it has proved, by the CA certificate that the
/// console's file names, that it belongs to the cluster. Servers in that file that are members stay as they are; new
/// ones are copies of the first enabled one, with another hostname, name and port.
#[derive(Parser)]
#[command(name = "configure", version, after_help = EXAMPLES)]
#[command(group = ArgGroup::new("order").required(true).args(["ip", "members", "cmu", "ssl", "template", "generate"]))]
struct Arguments {
    /// Write the address of one HSM into both files, as the only server in the console's
    #[arg(short = 'a', value_name = "IP", value_parser = hostname)]
    ip: Option<String>,

    /// Ask the HSM in the client's file for the members of its cluster, and write them into the console's file
    #[arg(short = 'm')]
    members: bool,

    /// Accepted for compatibility, without effect: the HSM itself is asked, there is no daemon
    #[arg(short = 'i', value_name = "DAEMON_ID", requires = "members")]
    daemon_id: Option<u32>,

    /// Write the address of one HSM into the client's file, and the members of its cluster into the console's
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

    /// Print a complete file to start with: the console's (cmu) or the client's (client)
    #[arg(long, value_name = "cmu|client", num_args = 0..=1, default_missing_value = "cmu", value_parser = template)]
    template: Option<ConfigTemplate>,

    /// The HSM's port [default: 2225; with -m, the one in the client's file]
    #[arg(long, conflicts_with_all = ["ssl", "template"], value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// The client's file [default: /opt/cloudhsm/etc/cloudhsm_client.cfg]
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    client_config: Option<PathBuf>,

    /// The console's file [default: /opt/cloudhsm/etc/cloudhsm_mgmt_util.cfg]
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    cmu_config: Option<PathBuf>,

    /// Print a completion script or the manual page, and exit
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Artifact>,
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
  0  done, or there was nothing to do
  1  failed; only files reported as updated may have changed
  2  wrong usage";

/// The name in error messages.
const PROGRAM: &str = "configure";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    console::start_log();
    let done = match (arguments.generate, arguments.template, arguments.update()) {
        (Some(artifact), _, _) => {
            let made = generate(Arguments::command(), artifact, ManualSection::Commands, &[]);
            made.map_err(text).and_then(|made| print(&made))
        }
        (None, Some(template), _) => print(template.text().as_bytes()),
        (None, None, Some(update)) => carry_out(&update, &arguments.files()),
        (None, None, None) => Err("nothing to do".to_owned()),
    };
    console::exit(PROGRAM, done.map(|()| 0).map_err(|error| (1, error)))
}

impl Arguments {
    fn update(&self) -> Option<Update> {
        let address = |ip: &String| HostPort { hostname: ip.clone(), port: self.port.unwrap_or(PORT) };
        if let Some(ip) = &self.ip {
            return Some(Update::Server(address(ip)));
        }
        if let Some(ip) = &self.cmu {
            return Some(Update::Cluster(address(ip)));
        }
        if let (Some(certificate), Some(pkey)) = (&self.cert, &self.pkey) {
            return Some(Update::Ssl { certificate: certificate.clone(), pkey: pkey.clone() });
        }
        self.members.then_some(Update::Members(self.port))
    }

    fn files(&self) -> Files {
        Files { client: self.client_config.clone(), console: self.cmu_config.clone() }
    }
}

fn carry_out(update: &Update, files: &Files) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(text)?;
    let plan = runtime.block_on(files.prepare(update, Limits::default())).map_err(text)?;
    console::warn(PROGRAM, &plan.warnings);
    for replacement in plan.replacements {
        print(replacement.announcement().as_bytes())?;
        replacement.make().map_err(text)?;
    }
    Ok(())
}

/// Checks an IP address or a name, as far as one sees without a resolver: the next program would stumble over the rest.
fn hostname(word: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if word.is_empty() || word.starts_with('-') || !word.bytes().all(is_part) {
        return Err("an IP address or a host name".to_owned());
    }
    Ok(word.to_owned())
}

fn template(word: &str) -> Result<ConfigTemplate, String> {
    ConfigTemplate::parse(word).ok_or_else(|| "cmu or client".to_owned())
}

fn print(bytes: &[u8]) -> Result<(), String> {
    console::put(bytes).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
