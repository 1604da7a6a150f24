//! What openssl makes goes into the HSM and works there, and what comes out openssl reads, and it is the same.

use std::fs;
use std::path::Path;

use crate::certificates::openssl;
use crate::keys::Kept;
use crate::process::{keys, must_be_installed, run, text};

/// A session of the key tool, with its handles from 6; `{}` in a command is the folder of the kept cluster.
fn play<T: AsRef<str>>(kept: &Kept, commands: &[T]) -> String {
    let folder = kept.path("");
    let mut lines = "loginHSM -u CU -s alice -p crypto12\n".to_owned();
    for command in commands {
        lines.push_str(&command.as_ref().replace("{}", &folder));
        lines.push('\n');
    }
    run(&mut keys(&["--dev-dir", &kept.dir()]), &lines).with_code(0).stdout
}

/// How openssl makes a private key, and with which mechanism and hash the key signs.
struct Sample {
    name: &'static str,
    algorithm: &'static str,
    option: &'static str,
    mechanism: u32,
    hash: &'static str,
}

const fn rsa(name: &'static str, option: &'static str) -> Sample {
    Sample { name, algorithm: "RSA", option, mechanism: 1, hash: "-sha256" }
}

const fn ec(name: &'static str, option: &'static str, mechanism: u32, hash: &'static str) -> Sample {
    Sample { name, algorithm: "EC", option, mechanism, hash }
}

const SAMPLES: [Sample; 7] = [
    rsa("rsa2048", "rsa_keygen_bits:2048"),
    rsa("rsa3072", "rsa_keygen_bits:3072"),
    rsa("rsa4096", "rsa_keygen_bits:4096"),
    ec("p256", "ec_paramgen_curve:P-256", 17, "-sha256"),
    ec("p384", "ec_paramgen_curve:P-384", 18, "-sha384"),
    ec("p521", "ec_paramgen_curve:P-521", 19, "-sha512"),
    ec("secp256k1", "ec_paramgen_curve:secp256k1", 17, "-sha256"),
];

impl Sample {
    /// Has openssl make it, in PKCS #8 and in the encoding before that.
    fn make(&self, folder: &Path) {
        let file = |end: &str| format!("{}{end}", self.name);
        let (key, old) = (file(".pem"), file(".old.pem"));
        let (public, old_public) = (file(".pub.pem"), file(".old.pub.pem"));
        openssl(folder, &["genpkey", "-algorithm", self.algorithm, "-pkeyopt", self.option, "-out", &key]);
        openssl(folder, &["pkey", "-in", &key, "-traditional", "-out", &old]);
        openssl(folder, &["pkey", "-in", &key, "-pubout", "-out", &public]);
        match self.algorithm {
            "RSA" => openssl(folder, &["rsa", "-in", &key, "-RSAPublicKey_out", "-out", &old_public]),
            _ => openssl(folder, &["pkey", "-in", &key, "-pubout", "-out", &old_public]),
        };
        let content = |file: &str| fs::read(folder.join(file)).unwrap();
        assert_ne!(content(&key), content(&old));
    }

    /// Both private encodings go in, and out again, and the public one; the old one signs.
    fn commands(&self, first: u32) -> [String; 9] {
        let (name, mechanism) = (self.name, self.mechanism);
        let (old, public) = (first + 1, first + 2);
        [
            format!("importPrivateKey -f {{}}/{name}.pem -l {name} -w 6"),
            format!("importPrivateKey -f {{}}/{name}.old.pem -l {name} -w 6"),
            format!("importPubKey -f {{}}/{name}.old.pub.pem -l {name}"),
            format!("sign -f {{}}/message -k {old} -m {mechanism} -out {{}}/{name}.sig"),
            format!("exportPrivateKey -k {first} -w 6 -out {{}}/{name}.out.pem"),
            format!("exportPrivateKey -k {old} -w 6 -out {{}}/{name}.old.out.pem"),
            format!("exportPubKey -k {public} -out {{}}/{name}.pub.out.pem"),
            format!("getCaviumPrivKey -k {first} -out {{}}/{name}.fake.pem"),
            format!("IsValidKeyHandlefile -f {{}}/{name}.fake.pem"),
        ]
    }

    fn check(&self, folder: &Path) {
        let name = self.name;
        let der = |end: &str| {
            openssl(folder, &["pkey", "-in", &format!("{name}{end}"), "-outform", "DER", "-out", "der"]);
            fs::read(folder.join("der")).unwrap()
        };
        assert!(der(".pem") == der(".out.pem") && der(".pem") == der(".old.out.pem"), "{name}");
        let content = |end: &str| fs::read(folder.join(format!("{name}{end}"))).unwrap();
        assert_eq!(content(".pub.pem"), content(".pub.out.pem"), "{name}");
        let (public, signature) = (format!("{name}.pub.pem"), format!("{name}.sig"));
        let verified =
            openssl(folder, &["dgst", self.hash, "-verify", &public, "-signature", &signature, "message"]);
        assert_eq!(verified, "Verified OK\n", "{name}");
        self.check_fake(folder);
    }

    /// The public numbers of a fake PEM are the key's.
    fn check_fake(&self, folder: &Path) {
        let (real, fake) = (format!("{}.pem", self.name), format!("{}.fake.pem", self.name));
        if self.algorithm == "RSA" {
            let modulus = |file: &str| openssl(folder, &["rsa", "-in", file, "-noout", "-modulus"]);
            assert_eq!(modulus(&real), modulus(&fake));
        } else {
            let shown = openssl(folder, &["asn1parse", "-in", &fake]);
            assert!(shown.contains("OBJECT"), "{shown}");
        }
    }
}

#[test]
fn private_keys_of_openssl_go_in_work_and_come_out_the_same() {
    must_be_installed("openssl");
    let kept = Kept::new("1");
    let folder = kept.path("");
    let folder = Path::new(&folder);
    fs::write(folder.join("message"), "signed inside").unwrap();
    let mut commands = vec!["genSymKey -t 31 -s 32 -l wrapping".to_owned()];
    for (sample, number) in SAMPLES.iter().zip(0..) {
        sample.make(folder);
        commands.extend(sample.commands(7 + 3 * number));
    }
    let printed = play(&kept, &commands);
    for (sample, number) in SAMPLES.iter().zip(0..) {
        sample.check(folder);
        assert!(printed.contains(&format!("Input file has key handle: {}\n", 7 + 3 * number)), "{printed}");
    }
}

#[test]
fn symmetric_keys_of_openssl_go_in_encrypt_alike_and_come_out_the_same() {
    must_be_installed("openssl");
    let kept = Kept::new("1");
    let folder = kept.path("");
    let folder = Path::new(&folder);
    let made =
        [("aes128", 31, 16), ("aes192", 31, 24), ("aes256", 31, 32), ("des3", 21, 24), ("generic", 16, 5)];
    let mut commands = vec!["genSymKey -t 31 -s 24 -l wrapping".to_owned()];
    for ((name, number, bytes), handle) in made.iter().zip(7..) {
        let path = |end: &str| text(&folder.join(format!("{name}{end}"))).to_owned();
        openssl(folder, &["rand", "-out", &path(""), &bytes.to_string()]);
        commands.push(format!("imSymKey -f {} -w 6 -t {number} -l {name}", path("")));
        commands.push(format!("exSymKey -k {handle} -w 6 -out {}", path(".out")));
        // A generic secret has no check value.
        if *number != 16 {
            commands.push(format!("getAttribute -o {handle} -a 371 -out {}", path(".kcv")));
        }
    }
    let printed = play(&kept, &commands);
    for (name, number, _) in made {
        let bytes = |end: &str| fs::read(folder.join(format!("{name}{end}"))).unwrap();
        assert_eq!(bytes(""), bytes(".out"), "{name}: {printed}");
        let cipher = match (number, bytes("").len()) {
            (31, length) => format!("-aes-{}-ecb", 8 * length),
            (21, _) => "-des-ede3".to_owned(),
            _ => continue,
        };
        // The check value is the start of an encrypted block of zeros.
        fs::write(folder.join("zeros"), [0; 16]).unwrap();
        let hex: String = bytes("").iter().map(|byte| format!("{byte:02x}")).collect();
        openssl(folder, &["enc", &cipher, "-K", &hex, "-in", "zeros", "-nopad", "-out", "encrypted"]);
        let encrypted = fs::read(folder.join("encrypted")).unwrap();
        let kcv: String = encrypted[..3].iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = fs::read_to_string(folder.join(format!("{name}.kcv"))).unwrap();
        assert!(shown.to_lowercase().contains(&kcv), "{name}: {kcv}, {shown}");
    }
}

#[test]
fn what_the_hsm_makes_openssl_reads() {
    must_be_installed("openssl");
    let kept = Kept::new("1");
    let folder = kept.path("");
    let printed = play(
        &kept,
        &[
            "genSymKey -t 31 -s 32 -l wrapping",
            "genRSAKeyPair -m 2048 -e 65537 -l rsa",
            "genECCKeyPair -i 16 -l ec",
            "exportPubKey -k 7 -out {}/rsa.pub",
            "exportPrivateKey -k 8 -w 6 -out {}/rsa.pem",
            "exportPubKey -k 9 -out {}/ec.pub",
            "exportPrivateKey -k 10 -w 6 -out {}/ec.pem",
        ],
    );
    let folder = Path::new(&folder);
    for name in ["rsa", "ec"] {
        let public = openssl(folder, &["pkey", "-in", &format!("{name}.pem"), "-pubout"]);
        assert_eq!(public, fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap(), "{printed}");
        assert!(
            openssl(folder, &["pkey", "-in", &format!("{name}.pem"), "-noout", "-check"])
                .contains("Key is valid")
        );
    }
}

#[test]
fn the_local_wrapping_is_rfc_3394_with_the_padding_of_pkcs_5() {
    must_be_installed("openssl");
    let folder = tempfile::tempdir().unwrap();
    for bytes in [16, 24, 32] {
        let key: Vec<u8> = (0..bytes).collect();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = b"a value of 29 bytes, not of 8";
        let wrapped = cloudhsm::crypto::key_wrap::wrap_pkcs5(&key, value).unwrap();
        fs::write(folder.path().join("wrapped"), wrapped).unwrap();
        let cipher = format!("-id-aes{}-wrap", 8 * u32::from(bytes));
        let iv = "a6a6a6a6a6a6a6a6";
        openssl(
            folder.path(),
            &["enc", "-d", &cipher, "-K", &hex, "-iv", iv, "-in", "wrapped", "-out", "padded", "-nopad"],
        );
        assert_eq!(fs::read(folder.path().join("padded")).unwrap(), [value.as_slice(), &[3; 3]].concat());
    }
}
