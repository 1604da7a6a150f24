//! How wrapKey and unWrapKey name the mechanisms, and what belongs to each.

use super::frame::line;
use super::stop::Stop;
use super::transport::not_read;
use crate::command::{Argument, Given, Kind, Usage};
use crate::files::read;
use crate::protocol::key::Hash;
use crate::protocol::wrapping::{Gcm, TagLength, WrapMechanism};

pub(super) const MECHANISM: Argument =
    Argument::option("-m", "wrapping-mechanism", Kind::Number, "Wrapping mechanism").help(MECHANISMS);
pub(super) const AAD: Argument = Argument::option("-aad", "file", Kind::File, "AAD file")
    .help("file with the additional authenticated data, for AES_GCM and CLOUDHSM_AES_GCM");
pub(super) const HASH: Argument = Argument::option("-t", "hash-type", Kind::Number, "Hash type")
    .help("for RSA_AES and RSA_OAEP: 2 = SHA1 (default), 3 = SHA256, 4 = SHA384, 5 = SHA512, 6 = SHA224");
pub(super) const IV: Argument = Argument::option("-i", "IV", Kind::Text, "IV")
    .help("A6A6A6A6A6A6A6A6, the default and only IV; with -noheader and mechanism 4 or 5");
pub(super) const TAG_SIZE: Argument =
    Argument::option("-tag_size", "number of tag bytes", Kind::Number, "Tag size")
        .help("for AES_GCM and CLOUDHSM_AES_GCM: 8 to 16 (default)");
pub(super) const NO_HEADER: Argument =
    Argument::switch("-noheader").help("the file holds the wrapped bytes alone");

const MECHANISMS: &str = "4 AES wrap (default), 5 unpadded, 6 RFC 5649, 7 RSA_AES, 8 RSA_OAEP, 10 AES_GCM, \
                          11 CLOUDHSM_AES_GCM, 12 RSA_PKCS";

/// The only IV of AES key wrap here: an HSM takes none from a caller.
pub(super) const DEFAULT_IV: [u8; 8] = [0xA6; 8];

/// A mechanism as the options name it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    kind: Option<MechanismKind>,
    hash: Option<Hash>,
    tag: Option<TagLength>,
    aad: Option<String>,
    has_iv: bool,
}

/// A mechanism without its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MechanismKind {
    AesWrapPkcs5,
    AesWrap,
    AesWrapPad,
    RsaAes,
    RsaOaep,
    AesGcm,
    CloudHsmAesGcm,
    RsaPkcs,
}

/// As [`MECHANISM`] numbers them.
const NUMBERS: [(u32, MechanismKind); 8] = [
    (4, MechanismKind::AesWrapPkcs5),
    (5, MechanismKind::AesWrap),
    (6, MechanismKind::AesWrapPad),
    (7, MechanismKind::RsaAes),
    (8, MechanismKind::RsaOaep),
    (10, MechanismKind::AesGcm),
    (11, MechanismKind::CloudHsmAesGcm),
    (12, MechanismKind::RsaPkcs),
];

/// As [`HASH`] numbers them.
const HASHES: [(u32, Hash); 5] =
    [(2, Hash::Sha1), (3, Hash::Sha256), (4, Hash::Sha384), (5, Hash::Sha512), (6, Hash::Sha224)];

impl Wanted {
    pub(super) fn parse(given: &Given<'_>) -> Result<Self, Usage> {
        Ok(Self {
            kind: chosen(given, &MECHANISM, &NUMBERS, "Invalid wrapping mechanism specified.")?,
            hash: chosen(given, &HASH, &HASHES, "Invalid hash type specified.")?,
            tag: given.maybe(&TAG_SIZE, tag_length)?,
            aad: given.maybe(&AAD, Given::text)?,
            has_iv: given.maybe(&IV, default_iv)?.is_some(),
        })
    }

    /// The mechanism of a new wrapped key, or of wrapped bytes without a header.
    pub(super) fn alone(&self) -> Result<WrapMechanism, Stop> {
        self.with(self.kind.unwrap_or(MechanismKind::AesWrapPkcs5))
    }

    /// The mechanism of a file with a header. The options must agree with it.
    pub(super) fn of_header(self, header: &WrapMechanism) -> Result<WrapMechanism, Stop> {
        let (kind, hash, tag) = parts(header);
        let given = Self { hash: self.hash.or(hash), tag: self.tag.or(tag), ..self };
        let mechanism = given.with(given.kind.unwrap_or(kind))?;
        if parts(&mechanism) == (kind, hash, tag) {
            Ok(mechanism)
        } else {
            let number = number(kind);
            Err(Stop::failed(line(&format!(
                "Error: -m, -t or -tag_size contradicts the file's header, which has mechanism {number}."
            ))))
        }
    }

    fn with(&self, kind: MechanismKind) -> Result<WrapMechanism, Stop> {
        let is_gcm = matches!(kind, MechanismKind::AesGcm | MechanismKind::CloudHsmAesGcm);
        let takes_hash = matches!(kind, MechanismKind::RsaAes | MechanismKind::RsaOaep);
        let takes_iv = matches!(kind, MechanismKind::AesWrapPkcs5 | MechanismKind::AesWrap);
        let surplus = [
            (self.aad.is_some() && !is_gcm, "-aad"),
            (self.tag.is_some() && !is_gcm, "-tag_size"),
            (self.hash.is_some() && !takes_hash, "-t"),
            (self.has_iv && !takes_iv, "-i"),
        ];
        if let Some((_, option)) = surplus.iter().find(|(is_surplus, _)| *is_surplus) {
            let number = number(kind);
            return Err(Stop::failed(line(&format!("Error: Mechanism {number} does not take {option}."))));
        }
        let hash = self.hash.unwrap_or(Hash::Sha1);
        Ok(match kind {
            MechanismKind::AesWrapPkcs5 => WrapMechanism::AesWrapPkcs5,
            MechanismKind::AesWrap => WrapMechanism::AesWrap,
            MechanismKind::AesWrapPad => WrapMechanism::AesWrapPad,
            MechanismKind::RsaAes => WrapMechanism::RsaAes(hash),
            MechanismKind::RsaOaep => WrapMechanism::RsaOaep(hash),
            MechanismKind::AesGcm => WrapMechanism::AesGcm(self.gcm()?),
            MechanismKind::CloudHsmAesGcm => WrapMechanism::CloudHsmAesGcm(self.gcm()?),
            MechanismKind::RsaPkcs => WrapMechanism::RsaPkcs,
        })
    }

    fn gcm(&self) -> Result<Gcm, Stop> {
        let content = |path: &String| read(path, MAX_AAD).map_err(|reason| not_read(path, &reason));
        let aad = self.aad.as_ref().map(content).transpose()?.unwrap_or_default();
        Ok(Gcm { aad, tag: self.tag.unwrap_or_default() })
    }
}

/// More than a request has room for, in bytes.
const MAX_AAD: u64 = 16 * 1024;

fn parts(mechanism: &WrapMechanism) -> (MechanismKind, Option<Hash>, Option<TagLength>) {
    match mechanism {
        WrapMechanism::AesWrapPkcs5 => (MechanismKind::AesWrapPkcs5, None, None),
        WrapMechanism::AesWrap => (MechanismKind::AesWrap, None, None),
        WrapMechanism::AesWrapPad => (MechanismKind::AesWrapPad, None, None),
        WrapMechanism::RsaAes(hash) => (MechanismKind::RsaAes, Some(*hash), None),
        WrapMechanism::RsaOaep(hash) => (MechanismKind::RsaOaep, Some(*hash), None),
        WrapMechanism::AesGcm(gcm) => (MechanismKind::AesGcm, None, Some(gcm.tag)),
        WrapMechanism::CloudHsmAesGcm(gcm) => (MechanismKind::CloudHsmAesGcm, None, Some(gcm.tag)),
        WrapMechanism::RsaPkcs => (MechanismKind::RsaPkcs, None, None),
    }
}

fn number(kind: MechanismKind) -> u32 {
    NUMBERS.iter().find(|(_, other)| *other == kind).map_or(0, |(number, _)| *number)
}

/// Reads a number that stands for one of these.
pub(super) fn chosen<T: Copy>(
    given: &Given<'_>,
    option: &Argument,
    choices: &[(u32, T)],
    wrong: &'static str,
) -> Result<Option<T>, Usage> {
    let Some(number) = given.maybe(option, Given::number::<u32>)? else { return Ok(None) };
    let choice = choices.iter().find(|(choice, _)| *choice == number).map(|(_, choice)| *choice);
    choice.map(Some).ok_or(Usage::Wrong(wrong))
}

fn tag_length(given: &Given<'_>, option: &Argument) -> Result<TagLength, Usage> {
    let bytes: u8 = given.number(option)?;
    TagLength::try_from(bytes)
        .map_err(|_| Usage::Wrong("Invalid tag size specified.\n\tValid tag size range is 8 to 16"))
}

/// Accepts the default IV only.
pub(super) fn default_iv(given: &Given<'_>, option: &Argument) -> Result<(), Usage> {
    let word = given.word(option)?;
    let digits = word.strip_prefix("0x").unwrap_or(word).as_bytes();
    let iv = data_encoding::HEXUPPER_PERMISSIVE.decode(digits).unwrap_or_default();
    if iv == DEFAULT_IV {
        Ok(())
    } else {
        Err(Usage::Wrong("Invalid IV specified.\n\tOnly A6A6A6A6A6A6A6A6 is accepted"))
    }
}
