//! Quorum and second factor, with every key, token and signature made by openssl; and what `sign` makes instead, byte
//! for byte the same.

use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::openssl;
use crate::process::{Ended, PROMPT, Process, console, must_be_installed, run, text};

/// A console with a cluster in it, working in a folder of its own.
struct Desk {
    home: TempDir,
    console: Process,
}

impl Desk {
    fn new(nodes: &str) -> Self {
        must_be_installed("openssl");
        let home = tempfile::tempdir().unwrap();
        let mut console = Process::start(console(&["--dev", nodes]).current_dir(home.path()));
        console.wait_for(PROMPT);
        let mut desk = Self { home, console };
        desk.command("loginHSM PRECO admin password");
        desk.change("changePswd PRECO admin officer123");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&mut self, line: &str) -> String {
        self.console.command(line)
    }

    /// A change that every server makes.
    fn change(&mut self, line: &str) {
        let answered = self.command(&format!("{line}\ny"));
        assert!(answered.contains("success on server 0"), "{answered}");
    }

    /// Starts a command with `-2fa authdata`, up to its question for the file.
    fn ask_for_signatures(&mut self, lines: &str) {
        self.console.send(&format!("{lines}\n"));
        self.console.wait_for("Enter filename:");
    }

    /// A new key of 2048 bits, its public half, a registration token and its signature.
    fn equip(&self, name: &str) {
        let file = |end: &str| format!("{name}.{end}");
        self.openssl(&["genrsa", "-out", &file("key"), "2048"]);
        self.openssl(&["rsa", "-in", &file("key"), "-outform", "PEM", "-pubout", "-out", &file("pub")]);
        self.openssl(&["rand", "-out", &file("reg"), "245"]);
        self.sign(name, &file("reg"), &file("reg.sig"));
    }

    /// As the CloudHSM guide signs.
    fn sign(&self, name: &str, file: &str, signature: &str) {
        self.openssl(&["dgst", "-sha256", "-sign", &format!("{name}.key"), "-out", signature, file]);
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        openssl(self.home.path(), arguments)
    }

    /// As the guide has digests signed: in Base64, pasted into the file.
    fn sign_authdata(&self, name: &str) {
        let path = self.path("authdata");
        let mut authdata: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for entry in authdata["Data"].as_array_mut().unwrap() {
            fs::write(
                self.path("digest.bin"),
                BASE64.decode(entry["Digest"].as_str().unwrap().as_bytes()).unwrap(),
            )
            .unwrap();
            let key = format!("{name}.key");
            let hash = ["-pkeyopt", "digest:sha256", "-out", "digest.sig"];
            self.openssl(&[&["pkeyutl", "-sign", "-in", "digest.bin", "-inkey", &key], &hash[..]].concat());
            entry["Signature"] = self.openssl(&["base64", "-in", "digest.sig"]).into();
        }
        authdata["PublicKey"] = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap().into();
        fs::write(&path, authdata.to_string()).unwrap();
    }

    /// `cloudhsm_mgmt_util sign` in this folder, with the pass phrase as its input.
    fn offline(&self, arguments: &[&str], pass_phrase: &str) -> Ended {
        let arguments = [&["sign"], arguments].concat();
        run(console(&arguments).current_dir(self.home.path()), pass_phrase)
    }
}

/// As the guide prints it, with its comments.
const APPROVAL: &str = "\
# For \"Multi Token File Path\", type the path to the file that contains
# the token.
Multi Token File Path = officer1.token;
Token File Path = ;

# Total number of approvals
Number of Approvals = 2;

# Approver 1
Approver Type = 2; # 2 for CO, 1 for CU
Approver Name = officer1;
Approval File = officer1.token.sig1;

# Approver 2
Approver Type = 2; # 2 for CO, 1 for CU
Approver Name = officer2;
Approval File = officer1.token.sig2;
";

#[test]
fn officers_approve_with_openssl_and_with_sign() {
    let mut desk = Desk::new("2");
    for name in ["officer1", "officer2"] {
        desk.equip(name);
        desk.change(&format!("createUser CO {name} password_{name}"));
    }
    for name in ["officer1", "officer2"] {
        desk.command(&format!("loginHSM CO {name} password_{name}"));
        desk.change(&format!("registerQuorumPubKey CO {name} {name}.reg {name}.reg.sig {name}.pub"));
    }
    desk.change("setMValue 3 2");
    desk.command("getToken 3 officer2 officer1.token");
    desk.sign("officer1", "officer1.token", "officer1.token.sig1");
    desk.sign("officer2", "officer1.token", "officer1.token.sig2");
    fs::write(desk.path("approval.txt"), APPROVAL).unwrap();
    let approved = desk.command("approveToken approval.txt");
    assert_eq!(approved.matches("approveToken success").count(), 2, "{approved}");
    desk.change("createUser CU user1 password1");

    desk.command("getToken 3 officer2 officer1.token");
    let approval = ["--approval", "new.txt", "--approver", "officer1"];
    let told = desk.offline(&[&["--key", "officer1.key"], &approval[..], &["officer1.token"]].concat(), "");
    let told = told.with_code(0).stdout;
    assert_eq!(told.matches(" for officer2: service 3[USER_MGMT]\n").count(), 2, "{told}");
    // The other officer has only openssl.
    desk.sign("officer2", "officer1.token", "officer1.token.sig2");
    let entry = "Approver Type = 2;\nApprover Name = officer2;\nApproval File = officer1.token.sig2;\n";
    let file = fs::read_to_string(desk.path("new.txt")).unwrap().replace("Approvals = 1", "Approvals = 2");
    fs::write(desk.path("new.txt"), file + entry).unwrap();
    let approved = desk.command("approveToken new.txt");
    assert_eq!(approved.matches("approveToken success").count(), 2, "{approved}");
    let deleted = desk.command("deleteUser CU user1");
    assert_eq!(deleted.matches("deleteUser success").count(), 2, "{deleted}");
    let signature = ["-signature", "officer1.token.officer1.sig", "officer1.token"];
    desk.openssl(&[&["dgst", "-sha256", "-verify", "officer1.pub"], &signature[..]].concat());
    desk.sign("officer1", "officer1.token", "expected.sig");
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    assert_eq!(read("officer1.token.officer1.sig"), read("expected.sig"));
}

#[test]
fn an_officer_logs_in_with_digests_that_openssl_and_sign_have_signed() {
    let mut desk = Desk::new("2");
    desk.equip("admin");
    desk.command("loginHSM CO admin officer123");
    desk.ask_for_signatures("changePswd CO admin officer456 -2fa authdata\ny");
    desk.sign_authdata("admin");
    let changed = desk.command("");
    assert_eq!(changed.matches("changePswd success").count(), 2, "{changed}");
    let users = desk.command("listUsers");
    assert_eq!(users.matches("YES               0\t\t YES").count(), 2, "{users}");

    let refused = desk.command("loginHSM CO admin officer456");
    assert!(refused.contains("second factor, use -2fa"), "{refused}");
    desk.ask_for_signatures("loginHSM CO admin officer456 -2fa authdata");
    desk.sign_authdata("admin");
    let logged_in = desk.command("authdata");
    assert_eq!(logged_in.matches("loginHSM success").count(), 2, "{logged_in}");

    desk.ask_for_signatures("loginHSM CO admin officer456 -2fa authdata");
    let told = desk.offline(&["--key", "admin.key", "authdata"], "").with_code(0).stdout;
    assert_eq!(told.matches("Digest of hsm-").count(), 2, "{told}");
    assert!(told.ends_with("Signed 2 digests, in authdata\n"), "{told}");
    let logged_in = desk.command("");
    assert_eq!(logged_in.matches("loginHSM success").count(), 2, "{logged_in}");
    let signed: Value = serde_json::from_slice(&fs::read(desk.path("authdata")).unwrap()).unwrap();
    desk.sign_authdata("admin");
    let expected: Value = serde_json::from_slice(&fs::read(desk.path("authdata")).unwrap()).unwrap();
    assert_eq!(signed["PublicKey"], expected["PublicKey"]);
    let pasted = |text: &Value| text.as_str().unwrap().replace('\n', "");
    for at in 0..2 {
        let signature = |authdata: &Value| pasted(&authdata["Data"][at]["Signature"]);
        assert_eq!(signature(&signed), signature(&expected));
    }
}

#[test]
fn sign_opens_keys_that_openssl_has_encrypted() {
    let desk = Desk::new("1");
    desk.equip("officer");
    fs::write(desk.path("officer.reg"), "anything").unwrap();
    desk.sign("officer", "officer.reg", "expected.sig");
    let expected = fs::read(desk.path("expected.sig")).unwrap();
    let convert = |arguments: &[&str]| {
        let common = ["-in", "officer.key", "-out", "other.key", "-passout", "pass:s3cret phrase"];
        desk.openssl(&[arguments, &common].concat());
    };
    for arguments in [
        &["rsa", "-aes256"][..],
        &["rsa", "-traditional"],
        &["rsa", "-traditional", "-aes256"],
        &["rsa", "-traditional", "-aes128"],
        &["rsa", "-traditional", "-des3"],
        &["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
        &["pkcs8", "-topk8", "-v2", "des3"],
        &["pkcs8", "-topk8", "-scrypt"],
        &["pkcs8", "-topk8", "-nocrypt"],
    ] {
        convert(arguments);
        let arguments_of_sign = ["--key", "other.key", "--public-key", "other.pub", "officer.reg"];
        desk.offline(&arguments_of_sign, "s3cret phrase\n").with_code(0);
        assert_eq!(fs::read(desk.path("officer.reg.sig")).unwrap(), expected, "{arguments:?}");
        let read = |name: &str| fs::read_to_string(desk.path(name)).unwrap();
        assert_eq!(read("other.pub"), read("officer.pub"), "{arguments:?}");
        if !fs::read_to_string(desk.path("other.key")).unwrap().contains("ENCRYPTED") {
            continue;
        }
        let wrong = desk.offline(&arguments_of_sign, "another phrase\n").with_code(1).stderr;
        assert!(wrong.contains("other.key: cannot decrypt the key: the pass phrase is wrong"), "{wrong}");
        let none = desk.offline(&arguments_of_sign, "").with_code(1).stderr;
        assert!(none.contains("other.key: no pass phrase"), "{none}");
    }
}

/// What was pasted with its line ends, as `base64` wraps it.
#[test]
fn a_pasted_signature_may_have_its_line_ends() {
    let mut desk = Desk::new("1");
    desk.equip("admin");
    desk.command("loginHSM CO admin officer123");
    desk.ask_for_signatures("changePswd CO admin officer456 -2fa authdata\ny");
    desk.sign_authdata("admin");
    let pasted = fs::read_to_string(desk.path("authdata")).unwrap().replace("\\n", "\r\n");
    assert!(pasted.matches('\n').count() > 10, "{pasted}");
    fs::write(desk.path("authdata"), format!("\u{feff}{pasted}")).unwrap();
    let changed = desk.command("");
    assert_eq!(changed.matches("changePswd success").count(), 1, "{changed}");
    // A file that was broken by hand is in nobody's way.
    fs::write(desk.path("authdata"), format!("{pasted},")).unwrap();
    desk.ask_for_signatures("loginHSM CO admin officer456 -2fa authdata");
}

#[test]
fn a_registration_token_may_begin_like_anything_but_a_token() {
    let desk = Desk::new("1");
    desk.equip("officer");
    for (content, code) in [("{7", 0), ("\"", 0), ("CHSMTOK1", 1), ("{\"a\": 1}", 1)] {
        fs::write(desk.path("officer.reg"), content).unwrap();
        desk.offline(&["--key", "officer.key", "officer.reg"], "").with_code(code);
    }
}

#[test]
fn sign_loses_no_file() {
    let desk = Desk::new("1");
    desk.equip("officer");
    let kept = fs::read(desk.path("officer.key")).unwrap();
    let key = ["--key", "officer.key"];
    for (arguments, expected) in [
        (&["--public-key", "officer.key", "officer.reg"], "officer.key: exists and is not a public key"),
        (&["--public-key", "none/x", "officer.reg"], "none/x: No such file or directory"),
        (&["--out", "none/x", "officer.reg"], "none/x: No such file or directory"),
    ] {
        let refused = desk.offline(&[&key[..], arguments].concat(), "").with_code(1).stderr;
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(fs::read(desk.path("officer.key")).unwrap(), kept);
}

#[test]
fn sign_signs_nothing_that_is_neither_token_nor_authentication_data() {
    let desk = Desk::new("1");
    desk.equip("officer");
    fs::write(desk.path("long"), [b'x'; 246]).unwrap();
    fs::write(desk.path("empty"), "").unwrap();
    fs::write(desk.path("json"), "{\"Version\": \"1.0\"}").unwrap();
    fs::write(desk.path("officer.sig"), "precious").unwrap();
    desk.openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-out", "ec.key"]);
    desk.openssl(&["genrsa", "-out", "long.key", "3072"]);
    let folder = text(desk.home.path()).to_owned();
    let key = ["--key", "officer.key"];
    for (arguments, expected) in [
        ([&key[..], &["long"]].concat(), "long: neither a registration token (1 to 245 bytes), nor a token"),
        ([&key[..], &["empty"]].concat(), "empty: neither a registration token"),
        ([&key[..], &["json"]].concat(), "json: not authentication data: missing field `PublicKey`"),
        ([&key[..], &["none"]].concat(), "none: No such file or directory"),
        ([&key[..], &[&folder]].concat(), ": not a file"),
        (
            [&key[..], &["--out", "officer.sig", "officer.reg"]].concat(),
            "officer.sig: exists and would be lost",
        ),
        (
            [&key[..], &["--out", "officer.key", "officer.reg"]].concat(),
            "officer.key: exists and would be lost",
        ),
        (
            [&key[..], &["--approval", "a.txt", "--approver", "officer", "officer.reg"]].concat(),
            "officer.reg: only tokens of getToken can be approved",
        ),
        (vec!["--key", "officer.pub", "officer.reg"], "officer.pub: not a private key in PEM"),
        (vec!["--key", "none.key", "officer.reg"], "none.key: No such file or directory"),
        (vec!["--key", "ec.key", "officer.reg"], "ec.key: not an RSA key of 2048 bits"),
        (vec!["--key", "long.key", "officer.reg"], "long.key: not an RSA key of 2048 bits"),
        (vec!["officer.reg"], "--key <FILE>"),
    ] {
        let code = if expected.starts_with("--") { 2 } else { 1 };
        let refused = desk.offline(&arguments, "").with_code(code).stderr;
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(fs::read_to_string(desk.path("officer.sig")).unwrap(), "precious");
}
