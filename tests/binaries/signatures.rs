//! openssl verifies what the key tool signs, and the key tool verifies what openssl signs, by every mechanism.

use std::fs;
use std::path::PathBuf;

use crate::certificates::openssl;
use crate::keys::Kept;
use crate::process::{keys, must_be_installed, run};

/// A kept cluster with openssl's keys, and their folder.
struct Desk {
    kept: Kept,
    folder: PathBuf,
}

/// The mechanism's number, the key's file, and how openssl names the mechanism.
type Mechanism = (u32, &'static str, &'static [&'static str]);

const PSS: [&str; 4] = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];

const MECHANISMS: [Mechanism; 15] = [
    (0, "rsa", &["-sha1"]),
    (1, "rsa", &["-sha256"]),
    (2, "rsa", &["-sha384"]),
    (3, "rsa", &["-sha512"]),
    (4, "rsa", &["-sha224"]),
    (5, "rsa", &["-sha1", PSS[0], PSS[1], PSS[2], PSS[3]]),
    (6, "rsa", &["-sha256", PSS[0], PSS[1], PSS[2], PSS[3]]),
    (7, "rsa", &["-sha384", PSS[0], PSS[1], PSS[2], PSS[3]]),
    (8, "rsa", &["-sha512", PSS[0], PSS[1], PSS[2], PSS[3]]),
    (9, "rsa", &["-sha224", PSS[0], PSS[1], PSS[2], PSS[3]]),
    (15, "p256", &["-sha1"]),
    (16, "p256", &["-sha224"]),
    (17, "secp256k1", &["-sha256"]),
    (18, "p384", &["-sha384"]),
    (19, "p384", &["-sha512"]),
];

/// The public and the private key's handles.
fn handles(key: &str) -> (u32, u32) {
    match key {
        "rsa" => (7, 8),
        "p256" => (9, 10),
        "p384" => (11, 12),
        _ => (13, 14),
    }
}

impl Desk {
    fn new() -> Self {
        must_be_installed("openssl");
        let kept = Kept::new("1");
        let folder = PathBuf::from(kept.path(""));
        fs::write(folder.join("message"), "signed on either side").unwrap();
        fs::write(folder.join("other"), "signed on neither side").unwrap();
        Self { kept, folder }
    }

    /// Runs commands; `{}` in one is the folder.
    fn play(&self, commands: &[String], code: i32) -> String {
        let mut lines = "loginHSM -u CU -s alice -p crypto12\n".to_owned();
        for command in commands {
            lines.push_str(&command.replace("{}", &self.folder.display().to_string()));
            lines.push('\n');
        }
        run(&mut keys(&["--dev-dir", &self.kept.dir()]), &lines).with_code(code).stdout
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        openssl(&self.folder, arguments)
    }

    /// openssl makes keys, which go in.
    fn bring_keys(&self) {
        let mut commands = vec!["genSymKey -t 31 -s 32 -l wrapping".to_owned()];
        for (name, option) in [
            ("rsa", "rsa_keygen_bits:2048"),
            ("p256", "ec_paramgen_curve:P-256"),
            ("p384", "ec_paramgen_curve:P-384"),
            ("secp256k1", "ec_paramgen_curve:secp256k1"),
        ] {
            let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
            let algorithm = if name == "rsa" { "RSA" } else { "EC" };
            self.openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", &private]);
            self.openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
            commands.push(format!("importPubKey -f {{}}/{public} -l {name}"));
            commands.push(format!("importPrivateKey -f {{}}/{private} -l {name} -w 6"));
        }
        self.play(&commands, 0);
    }
}

#[test]
fn every_mechanism_is_that_of_openssl() {
    let desk = Desk::new();
    desk.bring_keys();
    let (mut signing, mut verifying, mut failing) = (Vec::new(), Vec::new(), Vec::new());
    for (number, key, names) in MECHANISMS {
        let (public, private) = handles(key);
        signing.push(format!("sign -f {{}}/message -k {private} -m {number} -out {{}}/ours{number}"));
        let (theirs, file) = (format!("theirs{number}"), format!("{key}.pem"));
        desk.openssl(&[&["dgst"], names, &["-sign", &file, "-out", &theirs, "message"]].concat());
        verifying.push(format!("verify -f {{}}/message -s {{}}/{theirs} -k {public} -m {number}"));
        failing.push(format!("verify -f {{}}/other -s {{}}/{theirs} -k {public} -m {number}"));
        let mut altered = fs::read(desk.folder.join(&theirs)).unwrap();
        *altered.last_mut().unwrap() ^= 1;
        fs::write(desk.folder.join(format!("altered{number}")), altered).unwrap();
        failing.push(format!("verify -f {{}}/message -s {{}}/altered{number} -k {public} -m {number}"));
    }
    desk.play(&signing, 0);
    for (number, key, names) in MECHANISMS {
        let (ours, file) = (format!("ours{number}"), format!("{key}.pub"));
        let verify = [&["dgst"], names, &["-verify", &file, "-signature", &ours, "message"]].concat();
        assert_eq!(desk.openssl(&verify), "Verified OK\n", "{number}");
    }
    let verified = desk.play(&verifying, 0);
    assert_eq!(verified.matches("Signature verification successful").count(), MECHANISMS.len(), "{verified}");
    let failed = desk.play(&failing, 1);
    assert_eq!(failed.matches("CSP Error: ERR_BAD_PKCS_DATA").count(), failing.len(), "{failed}");
    assert!(!failed.contains("successful"), "{failed}");
}

#[test]
fn dsa_pairs_go_in_and_out() {
    let desk = Desk::new();
    desk.openssl(&["dsaparam", "-genkey", "-out", "theirs.pem", "2048"]);
    desk.openssl(&["pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.pub"]);
    let printed = desk.play(
        &[
            "genSymKey -t 31 -s 32 -l wrapping",
            "genDSAKeyPair -m 2048 -l dsa",
            "exportPubKey -k 7 -out {}/ours.pub",
            "exportPrivateKey -k 8 -w 6 -out {}/ours.pem",
            "importPrivateKey -f {}/theirs.pem -l theirs -w 6",
            "importPubKey -f {}/theirs.pub -l theirs",
            "exportPrivateKey -k 9 -w 6 -out {}/back.pem",
            "exportPubKey -k 10 -out {}/back.pub",
        ]
        .map(str::to_owned),
        0,
    );
    let public = |file: &str| desk.openssl(&["pkey", "-in", file, "-pubout"]);
    let content = |file: &str| fs::read_to_string(desk.folder.join(file)).unwrap();
    assert_eq!(public("ours.pem"), content("ours.pub"), "{printed}");
    assert_eq!(content("back.pub"), content("theirs.pub"));
    let der = |file: &str| {
        desk.openssl(&["pkey", "-in", file, "-outform", "DER", "-out", "der"]);
        fs::read(desk.folder.join("der")).unwrap()
    };
    assert_eq!(der("back.pem"), der("theirs.pem"));
}

#[test]
fn pairs_with_unusual_exponents_and_sizes_are_read_by_openssl() {
    let desk = Desk::new();
    let exponents = [65539, 65541, 195_193, 2_147_483_647];
    let mut commands: Vec<_> =
        exponents.iter().map(|exponent| format!("genRSAKeyPair -m 2048 -e {exponent} -l rsa")).collect();
    commands.push("genRSAKeyPair -m 2304 -e 65537 -l rsa".to_owned());
    commands.extend((0..5).map(|pair| format!("exportPubKey -k {} -out {{}}/{pair}.pub", 6 + 2 * pair)));
    desk.play(&commands, 0);
    let shown =
        |pair: usize| desk.openssl(&["pkey", "-pubin", "-in", &format!("{pair}.pub"), "-noout", "-text"]);
    for (pair, exponent) in exponents.iter().enumerate() {
        assert!(shown(pair).contains(&format!("Exponent: {exponent} ")), "{}", shown(pair));
    }
    assert!(shown(4).contains("(2304 bit)"), "{}", shown(4));
}

#[test]
fn pairs_of_unusual_sizes_go_out_and_in_again() {
    let desk = Desk::new();
    let printed = desk.play(
        &[
            "genSymKey -t 31 -s 32 -l wrapping",
            "genRSAKeyPair -m 2304 -e 65541 -l rsa",
            "exportPrivateKey -k 8 -w 6 -out {}/rsa.pem",
            "importPrivateKey -f {}/rsa.pem -l again -w 6",
            "sign -f {}/message -k 9 -m 5 -out {}/signature",
            "verify -f {}/message -s {}/signature -k 7 -m 5",
            "getCaviumPrivKey -k 8 -out {}/fake.pem",
            "IsValidKeyHandlefile -f {}/fake.pem",
        ]
        .map(str::to_owned),
        0,
    );
    assert!(printed.contains("Input file has key handle: 8\n"), "{printed}");
    assert!(desk.openssl(&["pkey", "-in", "rsa.pem", "-noout", "-check"]).contains("Key is valid"));
}
