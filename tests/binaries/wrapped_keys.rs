//! Keys that the key tool wraps openssl unwraps, and the other way round, by every mechanism; and what one cluster
//! wraps another one unwraps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::certificates::openssl;
use crate::keys::Kept;
use crate::process::{keys, must_be_installed, run};

/// The wrapping key and the value, in bytes.
const KEY: [u8; 32] = *b"a wrapping key of 32 bytes known";
const VALUE: [u8; 32] = *b"the value that is wrapped: known";

/// RFC 3394's IV, and RFC 5649's.
const IV: &str = "A6A6A6A6A6A6A6A6";
const PADDED_IV: &str = "A65959A6";

/// A cluster with the wrapping key as key 7, an RSA pair of openssl as keys 8 (public) and 9, and the value as key 10.
struct Escrow {
    kept: Kept,
    folder: PathBuf,
}

impl Escrow {
    fn new() -> Self {
        must_be_installed("openssl");
        let kept = Kept::new("1");
        let folder = PathBuf::from(kept.path(""));
        fs::write(folder.join("key"), KEY).unwrap();
        fs::write(folder.join("value"), VALUE).unwrap();
        openssl(&folder, &["genrsa", "-out", "rsa.pem", "2048"]);
        openssl(&folder, &["pkey", "-in", "rsa.pem", "-pubout", "-out", "rsa.pub"]);
        let escrow = Self { kept, folder };
        escrow.play(&[
            "genSymKey -t 31 -s 32 -l transport",
            "imSymKey -f {}/key -w 6 -t 31 -l wrapping",
            "importPubKey -f {}/rsa.pub -l rsa",
            "importPrivateKey -f {}/rsa.pem -l rsa -w 6",
            "imSymKey -f {}/value -w 6 -t 31 -l value",
        ]);
        escrow
    }

    /// Runs commands; `{}` in one is the folder.
    fn play(&self, commands: &[&str]) -> String {
        let mut lines = "loginHSM -u CU -s alice -p crypto12\n".to_owned();
        for command in commands {
            lines.push_str(&command.replace("{}", &self.folder.display().to_string()));
            lines.push('\n');
        }
        run(&mut keys(&["--dev-dir", &self.kept.dir()]), &lines).with_code(0).stdout
    }

    fn openssl(&self, arguments: &[&str]) {
        openssl(&self.folder, arguments);
    }

    fn content(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap()
    }

    /// AES key wrap, as openssl does it, from file to file.
    fn key_wrap(&self, way: &str, cipher: &str, key: &[u8], iv: &str, files: [&str; 2]) {
        let key = hex(key);
        let [from, to] = files;
        self.openssl(&["enc", way, cipher, "-K", &key, "-iv", iv, "-in", from, "-out", to, "-nopad"]);
    }

    fn oaep(&self, way: &str, hash: &str, files: [&str; 2]) {
        let (hash, mask) = (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}"));
        let [from, to] = files;
        let options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", &hash, "-pkeyopt", &mask];
        self.openssl(
            &[&["pkeyutl", way, "-inkey", "rsa.pem", "-in", from, "-out", to], &options[..]].concat(),
        );
    }

    /// What the file holds goes in as wrapped bytes alone, and is then the value.
    fn must_go_in(&self, file: &str, by: &str) {
        let unwrap = format!("unWrapKey -f {{}}/{file} {by} -noheader -l {file} -kc 4 -kt 31");
        let handle = printed_handle(&self.play(&[&unwrap]));
        self.play(&[&format!("exSymKey -k {handle} -w 6 -out {{}}/out")]);
        assert_eq!(self.content("out"), VALUE, "{file}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn printed_handle(printed: &str) -> u32 {
    let (_, rest) = printed.split_once("Key Unwrapped. Key Handle: ").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Python calls openssl for what its command does not offer.
fn aes_gcm(folder: &Path, way: &str, files: [&str; 2], aad: &str) {
    const SCRIPT: &str = "
import sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
way, source, target, aad = sys.argv[1:]
gcm, data, iv = AESGCM(open('key', 'rb').read()), open(source, 'rb').read(), open('iv', 'rb').read()
call = gcm.encrypt if way == 'encrypt' else gcm.decrypt
open(target, 'wb').write(call(iv, data, aad.encode()))
";
    let output = Command::new("python3")
        .args(["-c", SCRIPT, way, files[0], files[1], aad])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn aes_key_wrap_is_that_of_openssl() {
    let escrow = Escrow::new();
    escrow.play(&[
        "wrapKey -k 10 -w 7 -out {}/wrapped4 -m 4 -noheader",
        "wrapKey -k 10 -w 7 -out {}/wrapped5 -m 5 -noheader",
        "wrapKey -k 10 -w 7 -out {}/wrapped6 -m 6 -noheader",
        "aesWrapUnwrap -f {}/value -w 7 -m 1 -out {}/host",
    ]);
    let (plain, padded) = ("-id-aes256-wrap", "-id-aes256-wrap-pad");
    escrow.key_wrap("-d", plain, &KEY, IV, ["wrapped4", "out4"]);
    escrow.key_wrap("-d", plain, &KEY, IV, ["wrapped5", "out5"]);
    escrow.key_wrap("-d", padded, &KEY, PADDED_IV, ["wrapped6", "out6"]);
    let pkcs5 = [VALUE.as_slice(), &[8; 8]].concat();
    assert_eq!(escrow.content("out4"), pkcs5);
    assert_eq!((escrow.content("out5"), escrow.content("out6")), (VALUE.to_vec(), VALUE.to_vec()));
    assert_eq!(escrow.content("host"), escrow.content("wrapped4"));
    fs::write(escrow.folder.join("pkcs5"), pkcs5).unwrap();
    escrow.key_wrap("-e", plain, &KEY, IV, ["pkcs5", "in4"]);
    escrow.key_wrap("-e", plain, &KEY, IV, ["value", "in5"]);
    escrow.key_wrap("-e", padded, &KEY, PADDED_IV, ["value", "in6"]);
    for (file, by) in [("in4", "-w 7 -m 4"), ("in5", "-w 7 -m 5"), ("in6", "-w 7 -m 6")] {
        escrow.must_go_in(file, by);
    }
}

#[test]
fn wrapping_by_rsa_is_that_of_openssl() {
    let escrow = Escrow::new();
    for (number, hash) in [(2, "sha1"), (3, "sha256"), (4, "sha384"), (5, "sha512"), (6, "sha224")] {
        let (out, into) = (format!("oaep{number}"), format!("in{number}"));
        escrow.play(&[
            &format!("wrapKey -k 10 -w 8 -out {{}}/{out} -m 8 -t {number} -noheader"),
            &format!("wrapKey -k 10 -w 8 -out {{}}/both -m 7 -t {number} -noheader"),
        ]);
        escrow.oaep("-decrypt", hash, [&out, "out"]);
        assert_eq!(escrow.content("out"), VALUE, "{hash}");
        let both = escrow.content("both");
        fs::write(escrow.folder.join("first"), &both[..256]).unwrap();
        fs::write(escrow.folder.join("second"), &both[256..]).unwrap();
        escrow.oaep("-decrypt", hash, ["first", "inner"]);
        let inner = escrow.content("inner");
        let cipher = format!("-id-aes{}-wrap-pad", 8 * inner.len());
        escrow.key_wrap("-d", &cipher, &inner, PADDED_IV, ["second", "out"]);
        assert_eq!(escrow.content("out"), VALUE, "{hash}");
        escrow.oaep("-encrypt", hash, ["value", &into]);
        escrow.must_go_in(&into, &format!("-w 9 -m 8 -t {number}"));
        escrow.oaep("-encrypt", hash, ["key", "first"]);
        escrow.key_wrap("-e", "-id-aes256-wrap-pad", &KEY, PADDED_IV, ["value", "second"]);
        let both = [escrow.content("first"), escrow.content("second")].concat();
        fs::write(escrow.folder.join("both"), both).unwrap();
        escrow.must_go_in("both", &format!("-w 9 -m 7 -t {number}"));
    }
    escrow.play(&["wrapKey -k 10 -w 8 -out {}/pkcs1 -m 12 -noheader"]);
    escrow.openssl(&["pkeyutl", "-decrypt", "-inkey", "rsa.pem", "-in", "pkcs1", "-out", "out"]);
    assert_eq!(escrow.content("out"), VALUE);
    escrow.openssl(&["pkeyutl", "-encrypt", "-inkey", "rsa.pem", "-in", "value", "-out", "in12"]);
    escrow.must_go_in("in12", "-w 9 -m 12");
}

#[test]
fn aes_gcm_is_that_of_openssl() {
    let escrow = Escrow::new();
    fs::write(escrow.folder.join("aad"), "backup of May").unwrap();
    escrow.play(&["wrapKey -k 10 -w 7 -out {}/wrapped -m 10 -noheader -iv_file {}/iv -aad {}/aad"]);
    aes_gcm(&escrow.folder, "decrypt", ["wrapped", "out"], "backup of May");
    assert_eq!(escrow.content("out"), VALUE);
    fs::write(escrow.folder.join("iv"), [5; 12]).unwrap();
    aes_gcm(&escrow.folder, "encrypt", ["value", "in10"], "");
    escrow.must_go_in("in10", "-w 7 -m 10 -iv_file {}/iv");
    let with_iv = [&[5; 12], escrow.content("in10").as_slice()].concat();
    fs::write(escrow.folder.join("in11"), with_iv).unwrap();
    escrow.must_go_in("in11", "-w 7 -m 11");
    escrow.play(&["wrapKey -k 10 -w 7 -out {}/wrapped -m 11 -noheader"]);
    let wrapped = escrow.content("wrapped");
    fs::write(escrow.folder.join("iv"), &wrapped[..12]).unwrap();
    fs::write(escrow.folder.join("wrapped"), &wrapped[12..]).unwrap();
    aes_gcm(&escrow.folder, "decrypt", ["wrapped", "out"], "");
    assert_eq!(escrow.content("out"), VALUE);
}

#[test]
fn what_one_cluster_wraps_another_one_with_the_wrapping_key_unwraps() {
    let (here, there) = (Escrow::new(), Escrow::new());
    fs::copy(here.folder.join("rsa.pem"), there.folder.join("other.pem")).unwrap();
    there.play(&["importPrivateKey -f {}/other.pem -l other -w 6"]);
    let wrapped = here.folder.display().to_string();
    for (mechanism, wrapping, unwrapping) in
        [(4, 7, 7), (5, 7, 7), (6, 7, 7), (7, 8, 11), (8, 8, 11), (10, 7, 7), (11, 7, 7), (12, 8, 11)]
    {
        here.play(&[&format!("wrapKey -k 10 -w {wrapping} -out {{}}/wrapped -m {mechanism}")]);
        let printed = there.play(&[&format!("unWrapKey -f {wrapped}/wrapped -w {unwrapping}")]);
        let (_, rest) = printed.split_once("Key Unwrapped.  Key Handle: ").unwrap();
        let handle = rest.split_whitespace().next().unwrap();
        there.play(&[
            &format!("exSymKey -k {handle} -w 6 -out {{}}/out"),
            &format!("getAttribute -o {handle} -a 3 -out {{}}/label"),
        ]);
        assert_eq!(there.content("out"), VALUE, "{mechanism}");
        let label = String::from_utf8(there.content("label")).unwrap();
        assert!(label.contains("value"), "{label}");
    }
}
