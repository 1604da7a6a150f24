//! A folder with openssl at work in it, and pairs that openssl made.

use std::fs;
use std::process::Command;

use cloudhsm::protocol::key::KeyType;
use data_encoding::HEXLOWER;
use tempfile::TempDir;

pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// What openssl prints. The words are separated by blanks.
    pub(crate) fn openssl(&self, words: &str) -> Vec<u8> {
        let mut command = Command::new("openssl");
        let done = command.args(words.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    /// A pair that openssl made.
    pub(crate) fn pair(&self, kind: Kind) -> Pair {
        if kind.is_dsa() {
            self.openssl(&format!("genpkey -genparam -algorithm DSA {} -out parameters.pem", kind.options));
            self.openssl("genpkey -paramfile parameters.pem -out pair.pem");
        } else {
            self.openssl(&format!("genpkey {} -out pair.pem", kind.options));
        }
        let private = self.openssl("pkcs8 -topk8 -nocrypt -in pair.pem -outform DER");
        Pair { kind, private, public: self.openssl("pkey -in pair.pem -pubout -outform DER") }
    }
}

/// A pair, and how openssl makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) key_type: KeyType,
    pub(crate) bits: u32,
    pub(crate) options: &'static str,
}

impl Kind {
    fn is_dsa(self) -> bool {
        self.key_type == KeyType::Dsa
    }
}

const fn rsa(bits: u32, options: &'static str) -> Kind {
    Kind { key_type: KeyType::Rsa, bits, options }
}

const fn ec(bits: u32, options: &'static str) -> Kind {
    Kind { key_type: KeyType::Ec, bits, options }
}

const fn dsa(bits: u32, options: &'static str) -> Kind {
    Kind { key_type: KeyType::Dsa, bits, options }
}

pub(crate) const RSA_2048: Kind = rsa(2048, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
pub(crate) const P256: Kind = ec(256, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
pub(crate) const DSA_2048: Kind =
    dsa(2048, "-pkeyopt dsa_paramgen_bits:2048 -pkeyopt dsa_paramgen_q_bits:256");

/// Every kind that an HSM holds.
pub(crate) const KINDS: [Kind; 10] = [
    RSA_2048,
    rsa(2056, "-algorithm RSA -pkeyopt rsa_keygen_bits:2056 -pkeyopt rsa_keygen_pubexp:195193"),
    rsa(3072, "-algorithm RSA -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:2147483647"),
    rsa(4096, "-algorithm RSA -pkeyopt rsa_keygen_bits:4096"),
    P256,
    ec(384, "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ec(521, "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
    ec(256, "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"),
    DSA_2048,
    dsa(2048, "-pkeyopt dsa_paramgen_bits:2048 -pkeyopt dsa_paramgen_q_bits:224"),
];

/// Kinds that an HSM does not hold.
pub(crate) const OTHERS: [Kind; 9] = [
    rsa(1024, "-algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
    rsa(2040, "-algorithm RSA -pkeyopt rsa_keygen_bits:2040"),
    rsa(4104, "-algorithm RSA -pkeyopt rsa_keygen_bits:4104"),
    rsa(2048, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3"),
    rsa(2048, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297"),
    rsa(2048, "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"),
    ec(224, "-algorithm EC -pkeyopt ec_paramgen_curve:P-224"),
    ec(256, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit"),
    dsa(1024, "-pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160"),
];

/// In DER.
pub(crate) struct Pair {
    pub(crate) kind: Kind,
    /// PKCS #8.
    pub(crate) private: Vec<u8>,
    /// SubjectPublicKeyInfo.
    pub(crate) public: Vec<u8>,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
