//! New domain parameters for DSA, as in FIPS 186-4, A.1.1 and A.2.1, without the seed that would prove how p and q were
//! found.
//!
//! The crate `dsa` makes them too, but by the full primality test of some 700 candidates for p, which takes ten seconds
//! and on a busy machine a minute: longer than a client waits. Here most candidates fail a division by small primes
//! before that. Numbers and tests are those of RustCrypto.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Limb, NonZero, Odd, RandomBits, Resize};
use crypto_primes::{Flavor, is_prime};
use dsa::Components;

use super::NotAKey;
use crate::hsmd::cryptography::random::Random;

/// Bits of p.
const P: u32 = 2048;

/// Bits of q.
const Q: u32 = 256;

/// A prime p, a prime q that divides p - 1, and a generator of the subgroup of this order.
pub(super) fn find() -> Result<Components, NotAKey> {
    let q = loop {
        let candidate = random(Q)?;
        if is_prime(Flavor::Any, &candidate) {
            break NonZero::new(candidate.resize(P)).into_option().ok_or(NotAKey)?;
        }
    };
    let p = find_p(&q)?;
    let g = find_generator(&p, &q)?;
    Components::from_components(p, q.get().resize(Q), g).map_err(|_| NotAKey)
}

fn find_p(q: &NonZero<BoxedUint>) -> Result<BoxedUint, NotAKey> {
    let twice = NonZero::new(q.as_ref() + q.as_ref()).into_option().ok_or(NotAKey)?;
    let divisors = small_primes();
    loop {
        let start = random(P)?;
        let candidate = &start - &(&start % &twice) + BoxedUint::one();
        let is_candidate = candidate.bit_width() == P
            && divisors.iter().all(|divisor| candidate.rem_limb(*divisor) != Limb::ZERO);
        if is_candidate && is_prime(Flavor::Any, &candidate) {
            return Ok(candidate);
        }
    }
}

fn find_generator(p: &BoxedUint, q: &NonZero<BoxedUint>) -> Result<BoxedUint, NotAKey> {
    let odd = Odd::new(p.clone()).into_option().ok_or(NotAKey)?;
    let parameters = BoxedMontyParams::new_vartime(odd);
    let cofactor = (p - &BoxedUint::one()) / q;
    (2u32..100)
        .map(|base| {
            BoxedMontyForm::new(BoxedUint::from(base).resize(P), &parameters).pow(&cofactor).retrieve()
        })
        .find(|generator| *generator != BoxedUint::one())
        .ok_or(NotAKey)
}

/// A number of so many bits, the first of which is 1.
fn random(bits: u32) -> Result<BoxedUint, NotAKey> {
    loop {
        let number = BoxedUint::try_random_bits(&mut Random, bits).map_err(|_| NotAKey)?;
        if number.bit_width() == bits {
            return Ok(number);
        }
    }
}

fn small_primes() -> Vec<NonZero<Limb>> {
    let is_prime =
        |number: &u32| (3..*number).take_while(|d| d * d <= *number).all(|d| !number.is_multiple_of(d));
    let odd = (3u32..10_000).step_by(2).filter(is_prime);
    odd.filter_map(|prime| NonZero::new(Limb::from(prime)).into_option()).collect()
}

#[cfg(test)]
mod tests {
    use super::small_primes;

    #[test]
    fn there_are_1228_odd_primes_below_ten_thousand() {
        assert_eq!(small_primes().len(), 1228);
    }
}
