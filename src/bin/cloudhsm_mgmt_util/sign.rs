//! `cloudhsm_mgmt_util sign`: signs offline, instead of openssl.

use clap::Args;
use cloudhsm::command::Known;
use cloudhsm::console::{self, Input};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::protocol::Secret;
use cloudhsm::protocol::user::UserType;
use cloudhsm::signing::approval::Approver;
use cloudhsm::signing::private_key::{Locked, NoKey, PrivateKey};
use cloudhsm::signing::public_key;
use cloudhsm::signing::sign::SigningJob;

use crate::text;

/// Sign a registration token, a token of getToken, or authentication data, without a connection
///
/// The content of FILE shows which of them it is. The signature of a token goes to a file beside it; those of
/// authentication data go into the file itself, with the public key. openssl makes the same signatures.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArguments {
    /// The private key: RSA with 2048 bits, PEM. If it is encrypted, the pass phrase is asked for
    #[arg(long, value_name = "FILE")]
    key: String,

    /// Where the signature goes [default: FILE.sig, with --approval FILE.NAME.sig]
    #[arg(long, value_name = "FILE")]
    out: Option<String>,

    /// Add the signature to this approval file, which is created if it does not exist
    #[arg(long, value_name = "FILE", requires = "approver")]
    approval: Option<String>,

    /// The user whose approval it is
    #[arg(long, value_name = "NAME", requires = "approval")]
    approver: Option<String>,

    /// The approver's type: CO or CU
    #[arg(long = "type", value_name = "TYPE", default_value = "CO", requires = "approver", value_parser = approver_type)]
    user_type: UserType,

    /// Also write the public key to this file, in PEM
    #[arg(long, value_name = "FILE")]
    public_key: Option<String>,

    /// The file to sign
    #[arg(value_name = "FILE")]
    file: String,
}

const EXAMPLES: &str = "\
Examples:
  cloudhsm_mgmt_util sign --key o1.key --public-key o1.pub o1.token
  cloudhsm_mgmt_util sign --key o2.key --approval a.txt --approver o2 t
  cloudhsm_mgmt_util sign --key o1.key authdata

Exit codes:
  0  signed
  1  not signed
  2  wrong usage";

impl SignArguments {
    /// Signs, and prints what it signed and where the signature is.
    pub(crate) fn run(self) -> Result<(), String> {
        let approver = |name| Approver { user_type: self.user_type, name, file: String::new() };
        let approval = self.approval.zip(self.approver.map(approver));
        let job = SigningJob { file: self.file, out: self.out, approval };
        if let Some(path) = &self.public_key {
            public_key::must_be_free(path).map_err(|reason| format!("cannot write {path}: {reason}"))?;
        }
        let to_sign = job.read().map_err(text)?;
        // Before the pass phrase is asked for: it is the consent to sign this.
        crate::print(&to_sign.to_string());
        let key = open(&self.key)?;
        crate::print(&job.sign(&to_sign, &key).map_err(text)?);
        if let Some(path) = &self.public_key {
            let pem = key.public_pem().map_err(text)?;
            public_key::write(path, &pem).map_err(|reason| format!("cannot write {path}: {reason}"))?;
            crate::print(&format!("Public key written to {path}\n"));
        }
        Ok(())
    }
}

fn open(path: &str) -> Result<PrivateKey, String> {
    let about_key = |error: NoKey| format!("{path}: {error}");
    let locked = Locked::load(path).map_err(about_key)?;
    let pass_phrase = if locked.is_encrypted() { Some(ask(path)?) } else { None };
    locked.open(pass_phrase.as_ref()).map_err(about_key)
}

fn ask(path: &str) -> Result<Secret, String> {
    let interrupt = Interrupt::default();
    let mut console = console::open(crate::language(&Known::default()), &interrupt, None).map_err(text)?;
    match console.secret(&format!("Enter pass phrase for {path}:")) {
        Input::Given(secret) => Ok(secret),
        Input::Interrupted | Input::Ended => Err(format!("{path}: no pass phrase")),
    }
}

fn approver_type(word: &str) -> Result<UserType, String> {
    match word {
        "CO" => Ok(UserType::Co),
        "CU" => Ok(UserType::Cu),
        _ => Err("CO or CU".to_owned()),
    }
}
