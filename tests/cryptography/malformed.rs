//! Bytes that are almost keys.

use cloudhsm::hsmd::cryptography::keys::{NotAKey, private, public};
use cloudhsm::protocol::key::KeyType;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, Resize};
use data_encoding::HEXLOWER;
use der::asn1::UintRef;
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use proptest::prelude::*;

use crate::desk::{DSA_2048, Desk, KINDS, P256, Pair, RSA_2048};

#[test]
fn what_is_cut_or_followed_by_something_stays_out() {
    let desk = Desk::new();
    for pair in [RSA_2048, P256, DSA_2048].map(|kind| desk.pair(kind)) {
        let key_type = pair.kind.key_type;
        for end in 0..pair.private.len() {
            assert_eq!(private(key_type, &pair.private[..end]).err(), Some(NotAKey), "{key_type:?} {end}");
        }
        for end in 0..pair.public.len() {
            assert_eq!(public(&pair.public[..end]).err(), Some(NotAKey), "{key_type:?} {end}");
        }
        assert_eq!(private(key_type, &[pair.private.as_slice(), &[0]].concat()).err(), Some(NotAKey));
        assert_eq!(public(&[pair.public.as_slice(), &[0]].concat()).err(), Some(NotAKey));
        // A private key is not a public one, and the other way round.
        assert_eq!(private(key_type, &pair.public).err(), Some(NotAKey));
        assert_eq!(public(&pair.private).err(), Some(NotAKey));
    }
}

/// The numbers of a key depend on each other. In a DSA key the private number may be any, and in some bytes of an
/// encoding anything is allowed; but whatever is taken is written as a key that is taken again.
#[test]
fn an_altered_byte_is_refused_or_makes_another_key() {
    let desk = Desk::new();
    for pair in [RSA_2048, P256, DSA_2048].map(|kind| desk.pair(kind)) {
        let key_type = pair.kind.key_type;
        let mut taken = 0;
        for at in (0..pair.private.len()).step_by(5) {
            let mut altered = pair.private.clone();
            altered[at] ^= 0x10;
            if let Ok(key) = private(key_type, &altered) {
                taken += 1;
                assert_eq!(private(key_type, &key.value).unwrap().value, key.value, "{key_type:?} {at}");
            }
        }
        let most = if key_type == KeyType::Dsa { 10 } else { 0 };
        assert!(taken <= most, "{key_type:?}: {taken}");
        for at in (0..pair.public.len()).step_by(5) {
            let mut altered = pair.public.clone();
            altered[at] ^= 0x10;
            // Any odd number of the right size could be an RSA modulus.
            assert!(key_type == KeyType::Rsa || public(&altered).is_err(), "{key_type:?} {at}");
        }
    }
}

/// p, q, g, then y or x.
struct Dsa {
    p: BoxedUint,
    q: BoxedUint,
    g: BoxedUint,
    last: BoxedUint,
}

impl Dsa {
    fn public(pair: &Pair) -> Self {
        let info = SubjectPublicKeyInfoRef::from_der(&pair.public).unwrap();
        Self::new(info.algorithm.parameters.unwrap().value(), info.subject_public_key.as_bytes().unwrap())
    }

    fn private(pair: &Pair) -> Self {
        let info = PrivateKeyInfoRef::from_der(&pair.private).unwrap();
        Self::new(info.algorithm.parameters.unwrap().value(), info.private_key.as_bytes())
    }

    fn new(mut parameters: &[u8], last: &[u8]) -> Self {
        let mut next = || {
            let (number, rest) = UintRef::from_der_partial(parameters).unwrap();
            parameters = rest;
            number_of(number)
        };
        let [p, q, g] = [next(), next(), next()];
        Self { p, q, g, last: number_of(UintRef::from_der(last).unwrap()) }
    }

    fn spki(&self) -> Vec<u8> {
        let last = encoded(&self.last);
        let key = [&[0x03], length(last.len() + 1).as_slice(), &[0], &last].concat();
        sequence(&[self.algorithm(), key].concat())
    }

    fn pkcs8(&self) -> Vec<u8> {
        let last = encoded(&self.last);
        let key = [&[0x04], length(last.len()).as_slice(), &last].concat();
        sequence(&[vec![2, 1, 0], self.algorithm(), key].concat())
    }

    fn algorithm(&self) -> Vec<u8> {
        let parameters = sequence(&[encoded(&self.p), encoded(&self.q), encoded(&self.g)].concat());
        sequence(&[dsa::OID.to_der().unwrap(), parameters].concat())
    }
}

fn number_of(number: UintRef<'_>) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(number.as_bytes())
}

fn encoded(number: &BoxedUint) -> Vec<u8> {
    UintRef::new(&number.to_be_bytes()).unwrap().to_der().unwrap()
}

fn sequence(content: &[u8]) -> Vec<u8> {
    [&[0x30], length(content.len()).as_slice(), content].concat()
}

fn length(length: usize) -> Vec<u8> {
    der::Length::try_from(length).unwrap().to_der().unwrap()
}

/// What is wrong then, and what makes it so.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Dsa));

#[test]
fn dsa_numbers_that_are_no_key_stay_out() {
    let desk = Desk::new();
    let pair = desk.pair(DSA_2048);
    let (one, two) = (BoxedUint::one(), BoxedUint::from(2u8));
    let fresh = |change: &dyn Fn(&mut Dsa)| {
        let mut numbers = Dsa::public(&pair);
        change(&mut numbers);
        public(&numbers.spki()).map(|_| ())
    };
    assert_eq!(fresh(&|_| ()), Ok(()));
    let minus_one = |number: &BoxedUint| number.clone() - &one;
    let changes: [Change<'_>; 13] = [
        ("p is even", &|numbers| numbers.p = minus_one(&numbers.p)),
        ("p is not prime", &|numbers| numbers.p = minus_one(&minus_one(&numbers.p))),
        ("q is even", &|numbers| numbers.q = minus_one(&numbers.q)),
        ("q is not prime", &|numbers| numbers.q = minus_one(&minus_one(&numbers.q))),
        ("q is p", &|numbers| numbers.q = numbers.p.clone()),
        ("g is 0", &|numbers| numbers.g = BoxedUint::zero()),
        ("g is 1", &|numbers| numbers.g = one.clone()),
        ("g is not in the subgroup", &|numbers| numbers.g = minus_one(&numbers.g)),
        ("g is p", &|numbers| numbers.g = numbers.p.clone()),
        ("y is 0", &|numbers| numbers.last = BoxedUint::zero()),
        ("y is 1", &|numbers| numbers.last = one.clone()),
        ("y is 2", &|numbers| numbers.last = two.clone()),
        ("y is p", &|numbers| numbers.last = numbers.p.clone()),
    ];
    for (what, change) in changes {
        assert_eq!(fresh(change), Err(NotAKey), "{what}");
    }
}

/// q is the product of two primes, and the rest is as it should be. A signature with such a q may never be found.
#[test]
fn a_composite_order_stays_out() {
    let number = |hex: &str| BoxedUint::from_be_slice_vartime(&HEXLOWER.decode(hex.as_bytes()).unwrap());
    let q = number("ce21ec42889b30e6d4023cbc4f5c2c0278e32cedaec18ae8d737979c4f060c4f");
    let p = number(
        "8f65fdb644cec2df3241aa53f08127b9f87a9b54a690dd9b4d247cbe2e7d76366b5404c6db9b6b8272613398d90c2df524f4\
         8352f25288e936bba4cfd2a3938f3da470b39d29cf0247069d0faf4efefaf8b9bd1acdd69665751308106a9bd6fe69d3fc6c\
         84233a36e8026a1e35c03c7b1b651d7256075f4916093fd67bf98473a14927925b2769c5540a719be3d686fdaf6f38a5c60e\
         69cec8cc30f4c3b280a1b3c6a9d877ac571ced9415573bf2e7cb07fd962b2bbf17a8a58a09bf7813e7c393b8a6f975d6d58f\
         9edd30d042323d1022d8b49798bd0aca0a12e1fb51d45ab310107502cb0d1e27dff10f461e1ae21a27440aa97f52a29d26d7\
         62210cf08b65",
    );
    let g = power(&BoxedUint::from(2u8), &((&p - &BoxedUint::one()) / q.to_nz().unwrap()), &p);
    let last = power(&g, &BoxedUint::from(7u8), &p);
    assert_eq!(power(&g, &q, &p), BoxedUint::one());
    assert_eq!(public(&Dsa { p, q, g, last }.spki()).err(), Some(NotAKey));
}

/// A public number that is a key after a division by p.
#[test]
fn a_public_number_above_p_stays_out() {
    let desk = Desk::new();
    let pair = loop {
        let pair = desk.pair(DSA_2048);
        if Dsa::public(&pair).p.to_be_bytes()[0] < 0xc0 {
            break pair;
        }
    };
    let Dsa { p, q, g, .. } = Dsa::public(&pair);
    let keys = (1u32..).map(|number| power(&g, &BoxedUint::from(number), &p));
    let last = keys.map(|key| key.concatenating_add(&p)).find(|number| number.bit_width() <= 2048).unwrap();
    assert_eq!(public(&Dsa { p, q, g, last }.spki()).err(), Some(NotAKey));
}

fn power(base: &BoxedUint, exponent: &BoxedUint, modulus: &BoxedUint) -> BoxedUint {
    let parameters = BoxedMontyParams::new_vartime(Odd::new(modulus.clone()).unwrap());
    BoxedMontyForm::new(base.resize(modulus.bits_precision()), &parameters).pow(exponent).retrieve()
}

/// PKCS #8 may have attributes, and in version 2 the public key once more.
#[test]
fn what_stands_beside_a_private_key_is_left_out() {
    let desk = Desk::new();
    for kind in [RSA_2048, P256, DSA_2048] {
        let (pair, other) = (desk.pair(kind), desk.pair(kind));
        let usual = private(kind.key_type, &pair.private).unwrap().value;
        let info = PrivateKeyInfoRef::from_der(&pair.private).unwrap();
        let algorithm = info.algorithm.to_der().unwrap();
        let key = info.private_key.to_der().unwrap();
        let attributes = vec![0xa0, 0];
        let with_attributes = sequence(&[vec![2, 1, 0], algorithm.clone(), key.clone(), attributes].concat());
        assert_eq!(private(kind.key_type, &with_attributes).unwrap().value, usual, "{kind:?}");
        let others = SubjectPublicKeyInfoRef::from_der(&other.public).unwrap().subject_public_key;
        let bits =
            [&[0x81], length(others.raw_bytes().len() + 1).as_slice(), &[0], others.raw_bytes()].concat();
        let with_another = sequence(&[vec![2, 1, 1], algorithm, key, bits].concat());
        assert_eq!(private(kind.key_type, &with_another).unwrap().value, usual, "{kind:?}");
    }
}

#[test]
fn a_private_number_of_dsa_is_below_the_order() {
    let desk = Desk::new();
    let pair = desk.pair(DSA_2048);
    let take = |last: &BoxedUint| {
        let numbers = Dsa { last: last.clone(), ..Dsa::private(&pair) };
        private(KeyType::Dsa, &numbers.pkcs8()).map(|key| key.value.to_vec())
    };
    let Dsa { p, q, last, .. } = Dsa::private(&pair);
    assert_eq!(take(&last), Ok(pair.private.clone()));
    assert!(take(&BoxedUint::one()).is_ok());
    assert!(take(&(q.clone() - BoxedUint::one())).is_ok());
    for wrong in [BoxedUint::zero(), q, p] {
        assert_eq!(take(&wrong), Err(NotAKey));
    }
}

#[test]
fn a_point_beside_the_curve_stays_out() {
    let desk = Desk::new();
    for kind in KINDS.iter().filter(|kind| kind.key_type == KeyType::Ec) {
        let pair = desk.pair(*kind);
        for from_the_end in [1, 20, 40] {
            let mut altered = pair.public.clone();
            let at = altered.len() - from_the_end;
            altered[at] ^= 1;
            assert_eq!(public(&altered).err(), Some(NotAKey), "{kind:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_key_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), oid in 0..5usize) {
        let oids: [&[u8]; 5] = [
            &[0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0],
            &[0x30, 19, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7],
            &[0x30, 16, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 5, 43, 129, 4, 0, 10],
            &[0x30, 9, 6, 7, 42, 134, 72, 206, 56, 4, 1],
            &[0x30, 20, 6, 7, 42, 134, 72, 206, 56, 4, 1, 0x30, 9, 2, 1, 7, 2, 1, 3, 2, 1, 2],
        ];
        let octets = [&[0x04], length(bytes.len()).as_slice(), &bytes].concat();
        let bits = [&[0x03], length(bytes.len() + 1).as_slice(), &[0], &bytes].concat();
        let pkcs8 = sequence(&[&[2, 1, 0], oids[oid], &octets].concat());
        let spki = sequence(&[oids[oid], &bits].concat());
        for key_type in [KeyType::Rsa, KeyType::Ec, KeyType::Dsa] {
            prop_assert!(private(key_type, &pkcs8).is_err());
            prop_assert!(private(key_type, &bytes).is_err());
        }
        prop_assert!(public(&bytes).is_err());
        let _ = public(&spki);
    }
}
