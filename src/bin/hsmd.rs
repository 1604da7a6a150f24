//! The software HSM.

#[path = "hsmd/audit.rs"]
mod audit;
#[path = "hsmd/service.rs"]
mod service;

use std::alloc::System;
use std::fmt::Display;
use std::io::{Write, stderr, stdin};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use cloudhsm::console;
use cloudhsm::generate::{Artifact, ManualSection, generate};
use cloudhsm::hsm::Unlock;
use cloudhsm::hsmd::daemon::{self, Options};
use cloudhsm::hsmd::faults::Direction;
use cloudhsm::hsmd::keeping::folder::CONFIG;
use cloudhsm::hsmd::keeping::settings::HashCost;
use cloudhsm::hsmd::making::backup::{self, Backup};
use cloudhsm::hsmd::making::clone::clone_cluster;
use cloudhsm::hsmd::making::init::{self, Names, NewCluster};
use cloudhsm::hsmd::making::initialize::{Given, Signed, Source, initialize};
use cloudhsm::hsmd::making::pki::Vouching;
use cloudhsm::hsmd::making::unlock;
use cloudhsm::hsmd::making::zeroize::Doomed;
use cloudhsm::protocol::user::UserType;
use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::runtime::{Builder, Runtime};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: libraries, TLS among them, leave passwords and keys in buffers of theirs.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// A software HSM for the CloudHSM management console
#[derive(Parser)]
#[command(name = "hsmd", version, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(override_usage = "hsmd [OPTIONS] <COMMAND>\n       hsmd --generate <KIND>")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Format of the log on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Print a completion script or the manual page, and exit
    #[arg(long, value_name = "KIND", exclusive = true)]
    generate: Option<Artifact>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; `run` and `service`: stopped by SIGTERM or SIGINT
  1  failed
  2  wrong usage";

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// Lines of text
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Make the data folder of one new HSM, which is a cluster of its own
    Init {
        /// The folder to make
        dir: PathBuf,
        /// Where the HSM will listen
        #[arg(long, default_value = "127.0.1.1:2225")]
        listen: SocketAddr,
        /// The HSM's node id: the high part of its key handles
        #[arg(long, default_value_t = 0)]
        node_id: u32,
    },
    /// Make and initialize whole clusters
    #[command(subcommand)]
    Cluster(Cluster),
    /// Serve all HSMs of a cluster's folder, or the one in an HSM's folder, until SIGTERM or SIGINT
    Run {
        /// A cluster's folder, or an HSM's
        dir: PathBuf,
        /// Listen on this address instead of the one in the settings (one HSM only)
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Serve /metrics and /health over plain HTTP, on 127.0.0.1:9225 if no address is given
        #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:9225")]
        metrics: Option<SocketAddr>,
        /// Let this go wrong on purpose, such as 'server 1 dies after 2'; can be repeated
        #[arg(long = "fault", value_name = "FAULT")]
        faults: Vec<Direction>,
    },
    /// Serve an AWS account, its HSMs among it, to the `aws cloudhsmv2` commands and SDKs, until SIGTERM or SIGINT
    Service(service::Service),
    /// Write an encrypted backup of one HSM, running or stopped
    Backup {
        /// The HSM's folder
        dir: PathBuf,
        /// The file to make
        #[arg(long)]
        out: PathBuf,
        /// The file with the backup's key, made if it does not exist [default: the backup's name and .key]
        #[arg(long)]
        key_file: Option<PathBuf>,
    },
    /// Verify a backup without restoring it
    CheckBackup {
        /// The backup
        file: PathBuf,
        /// The file with its key [default: the backup's name and .key]
        #[arg(long)]
        key_file: Option<PathBuf>,
    },
    /// Print the audit log of an HSM, running or stopped, and verify that no record is missing or altered
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Audit {
        #[command(subcommand)]
        command: Option<audit::Audit>,
        /// The HSM's folder
        #[arg(required = true)]
        dir: Option<PathBuf>,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Unlock a user who is locked out, on one HSM, running or stopped; the audit log records it
    Unlock {
        /// The HSM's folder
        dir: PathBuf,
        /// CO, CU or PRECO
        user_type: String,
        /// The user's name
        name: String,
    },
    /// Remove all users and keys of one stopped HSM, and the owner's certificates; asks for the HSM's id
    Zeroize {
        /// The HSM's folder
        dir: PathBuf,
    },
}

#[derive(Subcommand)]
enum Cluster {
    /// Make the folder of a new cluster: its HSMs, its CA or CSR, and the console's configuration
    Init {
        /// The folder to make
        #[arg(long)]
        dir: PathBuf,
        /// How many HSMs
        #[arg(long, default_value_t = 3)]
        nodes: u32,
        /// The HSMs get the addresses after this one
        #[arg(long, default_value_t = Ipv4Addr::new(127, 0, 1, 0))]
        net: Ipv4Addr,
        /// Their port
        #[arg(long, default_value_t = 2225)]
        port: u16,
        /// Make no CA, but a CSR for the cluster's owner to sign; see `hsmd cluster initialize`
        #[arg(long)]
        csr: bool,
        /// Clone the HSM in this backup: the same users, keys and CA
        #[arg(long, value_name = "FILE", conflicts_with = "csr")]
        from_backup: Option<PathBuf>,
        /// The file with the backup's key [default: the backup's name and .key]
        #[arg(long, requires = "from_backup")]
        key_file: Option<PathBuf>,
        /// The node id of the clone's first HSM; each HSM of a clone family needs another [default: after the original's]
        #[arg(long, requires = "from_backup")]
        first_node: Option<u32>,
    },
    /// Install the certificate that the owner's CA made from the CSR; the cluster must be stopped
    Initialize {
        /// The cluster's folder
        #[arg(long)]
        dir: PathBuf,
        /// The certificate that the owner's CA made from the CSR (PEM)
        #[arg(long, required_unless_present = "member", requires = "trust_anchor")]
        signed_cert: Option<PathBuf>,
        /// The owner's CA, customerCA.crt: self-signed, RSA-2048 or RSA-4096 (PEM)
        #[arg(long, requires = "signed_cert")]
        trust_anchor: Option<PathBuf>,
        /// The folder of another HSM of the cluster, which has both certificates: for one HSM that was zeroized
        #[arg(long, value_name = "HSM_DIR", conflicts_with_all = ["signed_cert", "trust_anchor"])]
        member: Option<PathBuf>,
    },
}

/// Threads that hash passwords and make keys. The allocator keeps a hash's memory with its thread, so that tokio's
/// default of 512 threads could hold gigabytes.
const BLOCKING: usize = 8;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(arguments.log_format);
    let done = match (arguments.generate, arguments.command) {
        (None, Some(command)) => carry_out(command),
        (Some(kind), None) => print_generated(kind),
        (Some(_), Some(_)) => {
            wrong(ErrorKind::ArgumentConflict, "--generate cannot be combined with a command")
        }
        (None, None) => wrong(ErrorKind::MissingSubcommand, "a command is missing"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, arguments.log_format);
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: Command) -> Result<(), String> {
    match command {
        Command::Init { dir, listen, node_id } => init_one(&dir, listen, node_id),
        Command::Cluster(command) => cluster(command),
        Command::Backup { dir, out, key_file } => write_backup(&dir, &out, key_file),
        Command::CheckBackup { file, key_file } => check_backup(&file, key_file),
        Command::Run { dir, listen, metrics, faults } => run(&dir, Options { listen, metrics, faults }),
        Command::Service(service) => service::carry_out(service),
        Command::Audit { command: Some(command), .. } => audit::carry_out(command),
        Command::Audit { command: None, dir, json } => audit::print_log(&dir.unwrap_or_default(), json),
        Command::Unlock { dir, user_type, name } => unlock(&dir, &user_type, name),
        Command::Zeroize { dir } => zeroize(&dir),
    }
}

fn wrong(kind: ErrorKind, reason: &str) -> ! {
    Arguments::command().error(kind, reason).exit()
}

fn print_generated(artifact: Artifact) -> Result<(), String> {
    console::put(&generate(Arguments::command(), artifact, ManualSection::Daemons, &[]).map_err(text)?)
        .map_err(text)
}

/// Starts the log. If standard error is closed, the HSMs keep running without a log.
fn start_log(format: LogFormat) {
    let levels = EnvFilter::builder().with_default_directive(Level::INFO.into()).from_env_lossy();
    let log =
        tracing_subscriber::fmt().with_env_filter(levels).with_writer(stderr).log_internal_errors(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).init();
            panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
        }
    }
}

/// Reports why the program failed; if standard error is closed, there is nowhere to report that.
fn report(error: &str, format: LogFormat) {
    match format {
        LogFormat::Text => drop(writeln!(stderr(), "hsmd: {error}")),
        LogFormat::Json => tracing::error!("{error}"),
    }
}

/// Ignores Ctrl-C and SIGTERM from here on: ended halfway, the command would leave a temporary folder with keys behind.
fn ignore_signals() -> Result<(), String> {
    for number in [SIGINT, SIGTERM] {
        signal_hook::flag::register(number, Arc::default()).map_err(text)?;
    }
    Ok(())
}

fn init_one(dir: &Path, listen: SocketAddr, node_id: u32) -> Result<(), String> {
    ignore_signals()?;
    init::hsm(dir, listen, node_id, HashCost::default()).map_err(text)?;
    print_next(dir)
}

fn cluster(command: Cluster) -> Result<(), String> {
    ignore_signals()?;
    match command {
        Cluster::Init { dir, nodes, net, port, csr, from_backup, key_file, first_node } => {
            let vouching = if csr { Vouching::SignsCsr } else { Vouching::MadeHere };
            let (names, password_hash) = (Names::Random, HashCost::default());
            let new = NewCluster { nodes, net, port, names, password_hash, vouching };
            if let Some(file) = from_backup {
                clone_cluster(&dir, &new, &read_backup(&file, key_file)?, first_node).map_err(text)?;
                return print_next(&dir);
            }
            match init::cluster(&dir, &new).map_err(text)? {
                Some(csr) => print_owners_task(&dir, &csr),
                None => print_next(&dir),
            }
        }
        Cluster::Initialize { dir, signed_cert, trust_anchor, member } => {
            let signed = match (signed_cert, trust_anchor, member) {
                (Some(certificate), Some(trust_anchor), _) => Signed {
                    certificate: Given::file(certificate),
                    trust_anchor: Given::file(trust_anchor),
                    from: Source::Owner,
                },
                (_, _, member) => Signed::by_member(&member.unwrap_or_default()),
            };
            initialize(&dir, &signed).map_err(text)?;
            print(&format!("Initialized {0}\nNext: hsmd run {0}\n", dir.display()))
        }
    }
}

fn print_owners_task(dir: &Path, csr: &Path) -> Result<(), String> {
    print(&format!(
        "Made {dir}\nSign {csr} with the owner's CA, then run\n\
         hsmd cluster initialize --dir {dir} --signed-cert <signed certificate> --trust-anchor customerCA.crt\n",
        dir = dir.display(),
        csr = csr.display()
    ))
}

fn write_backup(dir: &Path, out: &Path, key_file: Option<PathBuf>) -> Result<(), String> {
    let key_file = key_file.unwrap_or_else(|| backup::key_file(out));
    Backup::of(dir).and_then(|backup| backup.write(out, &key_file)).map_err(text)?;
    print(&format!("Made {}\nIts key is in {}; keep the two apart\n", out.display(), key_file.display()))
}

fn check_backup(file: &Path, key_file: Option<PathBuf>) -> Result<(), String> {
    let backup = read_backup(file, key_file)?;
    let (users, keys) = backup.hsm.counts();
    let hsm = &backup.hsm.identity().hsm_id;
    print(&format!("{}: backup of {hsm}, {users} users, {keys} keys\n", file.display()))
}

fn read_backup(file: &Path, key_file: Option<PathBuf>) -> Result<Backup, String> {
    Backup::read(file, &key_file.unwrap_or_else(|| backup::key_file(file))).map_err(text)
}

fn print_next(dir: &Path) -> Result<(), String> {
    let (dir, config) = (dir.display(), dir.join(CONFIG));
    print(&format!("Made {dir}\nNext: hsmd run {dir}\nand:  cloudhsm_mgmt_util {}\n", config.display()))
}

fn run(dir: &Path, options: Options) -> Result<(), String> {
    runtime()?.block_on(daemon::run(dir, options)).map_err(text)
}

fn runtime() -> Result<Runtime, String> {
    Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING).build().map_err(text)
}

fn unlock(dir: &Path, user_type: &str, name: String) -> Result<(), String> {
    ignore_signals()?;
    let user = Unlock { user_type: UserType::parse(user_type), name };
    unlock::unlock(dir, &user).map_err(text)?;
    print(&format!("Unlocked {} {}\n", user.user_type, user.name))
}

fn zeroize(dir: &Path) -> Result<(), String> {
    ignore_signals()?;
    let doomed = Doomed::open(dir).map_err(text)?;
    let hsm_id = doomed.hsm_id().to_owned();
    print(&format!(
        "All users and keys of {hsm_id} and the owner's certificates will be gone for ever.\n\
         Type its id to go on: "
    ))?;
    let mut typed = String::new();
    stdin().read_line(&mut typed).map_err(text)?;
    if typed.trim() != hsm_id {
        return Err(format!("not zeroized: that is not {hsm_id}"));
    }
    doomed.zeroize().map_err(text)?;
    print(&format!("Zeroized {hsm_id}\n"))
}

fn print(written: &str) -> Result<(), String> {
    console::put(written.as_bytes()).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
