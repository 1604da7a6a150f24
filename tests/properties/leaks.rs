//! No sequence of requests gives a CU the value of a key that the CU may not have, nor makes a key extractable that
//! was not.
//!
//! Bob and Carl work together: they know whatever one of them is told or makes up, and see every wrapped key. Alice
//! asks for what she likes, but tells nobody what the HSM tells her. The officer trusts only keys that were made by
//! the HSM and have never left it, and withdraws trust at any time.

use std::collections::BTreeSet;

use cloudhsm::hsm::{Event, Key, SessionId};
use cloudhsm::protocol::attribute::{Attribute, Attributes, ReadAttributes};
use cloudhsm::protocol::key::{
    CreatePublicKey, DeleteKey, GenerateKey, Hash, KeyClass, KeyHandle, Lifetime, ShareKey, Sharing, Template,
};
use cloudhsm::protocol::masked::{MaskedObject, Place};
use cloudhsm::protocol::wrap::{WrapKey, WrappedBytes};
use cloudhsm::protocol::wrapping::WrapMechanism;
use proptest::prelude::*;

use crate::lab::{AES, ALICE, BOB, CARL, Lab, OFFICER, RSA, id};
use crate::symbols::{Blob, Value};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nobody_gets_a_value_that_is_not_theirs(moves in prop::collection::vec(any_move(), 1..120)) {
        let mut play = Play::begun();
        for made in &moves {
            play.happen(made);
            let told: Vec<_> = play.known.intersection(&play.secret).collect();
            prop_assert!(told.is_empty(), "{told:?} are known");
        }
    }
}

/// Numbers choose among what there is, whatever that is by then.
#[derive(Clone, Debug)]
struct Move {
    who: SessionId,
    what: What,
    first: usize,
    second: usize,
    flag: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Generate,
    Set,
    Share,
    Wrap,
    Unwrap,
    Encrypt,
    Decrypt,
    Mask,
    Insert,
    Delete,
    TakeInPublic,
    Restart,
}

fn any_move() -> impl Strategy<Value = Move> {
    use What::{
        Decrypt, Delete, Encrypt, Generate, Insert, Mask, Restart, Set, Share, TakeInPublic, Unwrap, Wrap,
    };
    let who = prop::sample::select(vec![ALICE, BOB, BOB, CARL, OFFICER]);
    let often = prop::sample::select(vec![Wrap, Unwrap, Decrypt]);
    let usual = vec![Generate, Set, Set, Share, Encrypt, Mask, Insert, Delete, TakeInPublic, Restart];
    let what = prop_oneof![3 => often, 2 => prop::sample::select(usual)];
    (who, what, 0..64usize, 0..64usize, any::<bool>()).prop_map(|(who, what, first, second, flag)| Move {
        who,
        what,
        first,
        second,
        flag,
    })
}

struct Play {
    lab: Lab,
    /// Every key that was ever there, with its value's name; those of a pair are two.
    handles: Vec<(KeyHandle, u32)>,
    wrapped: Vec<WrappedBytes>,
    objects: Vec<MaskedObject>,
    /// An older copy has what they were then.
    masked: BTreeSet<u32>,
    /// The names of pairs: their public halves are no secret.
    pairs: BTreeSet<u32>,
    /// To Bob and Carl.
    known: BTreeSet<u32>,
    /// Not for Bob and Carl: made by the HSM, and either not extractable, or trusted, or Alice's, or one that only
    /// trusted keys may wrap, or one whose use nobody approves.
    secret: BTreeSet<u32>,
    /// The HSM made them, and they were not wrapped by a key that is not trusted.
    inside: BTreeSet<u32>,
    not_extractable: BTreeSet<u32>,
    seen: usize,
    made_up: u32,
}

impl Play {
    /// With a trusted key that all may use, a trusted pair, and keys of Alice's and Bob's, one of which needs approvals.
    fn begun() -> Self {
        let mut play = Self {
            lab: Lab::new(),
            handles: Vec::new(),
            wrapped: Vec::new(),
            objects: Vec::new(),
            masked: BTreeSet::new(),
            pairs: BTreeSet::new(),
            known: BTreeSet::new(),
            secret: BTreeSet::new(),
            inside: BTreeSet::new(),
            not_extractable: BTreeSet::new(),
            seen: 0,
            made_up: 1_000_000,
        };
        let own = |who, what, first, second, flag| Move { who, what, first, second, flag };
        for made in [
            own(BOB, What::Generate, 0, 5, true),
            own(BOB, What::Generate, 1, 0, true),
            own(BOB, What::Mask, 0, 0, true),
            own(BOB, What::Mask, 2, 0, true),
            own(ALICE, What::Generate, 0, 0, true),
            own(ALICE, What::Generate, 0, 0, false),
            own(OFFICER, What::Set, 0, 0, true),
            own(OFFICER, What::Set, 1, 0, true),
            own(ALICE, What::Set, 3, 1, true),
            own(BOB, What::Generate, 6, 4, true),
            own(BOB, What::Generate, 0, 4, true),
        ] {
            play.happen(&made);
        }
        play
    }

    fn happen(&mut self, made: &Move) {
        self.act(made);
        self.notice();
        self.conclude();
    }

    fn act(&mut self, made: &Move) -> Option<()> {
        let Move { who, what, first, second, flag } = made.clone();
        let handle = self.handles.get(first % self.handles.len().max(1)).copied();
        match what {
            What::Generate => self.generate(who, first, second, flag),
            What::Set => self.set(who, handle?, second, flag),
            What::Share => {
                let (handle, _) = handle?;
                let users = vec![id([ALICE, BOB, CARL][second % 3])];
                let sharing = if flag { Sharing::Share } else { Sharing::Unshare };
                let _ = self.lab.ask(who, ShareKey { handle, users, sharing });
            }
            What::Wrap => self.wrap(who, handle?, second)?,
            What::Unwrap => {
                let wrapped = self.wrapped.get(second % self.wrapped.len().max(1))?.clone();
                let template = Template { extractable: flag, ..Template::default() };
                let _ = self.lab.unwrap_as(who, handle?.0, &wrapped, template);
            }
            What::Encrypt => {
                let value = Value::secret(self.some_known(second));
                let mechanism = mechanism(first);
                self.wrapped.extend(self.lab.wrap_data(who, handle?.0, mechanism, value));
            }
            What::Decrypt => {
                let wrapped = self.wrapped.get(second % self.wrapped.len().max(1))?.clone();
                let told = self.lab.decrypt(who, handle?.0, &wrapped);
                self.known.extend(told.into_iter().filter(|_| who != ALICE).map(|value| value.name));
            }
            What::Mask => {
                let (handle, name) = handle?;
                self.objects.push(self.lab.mask(who, handle).ok()?);
                self.masked.insert(name);
            }
            What::Insert => {
                let object = self.objects.get(second % self.objects.len().max(1))?.clone();
                let place = if flag { Place::NewHandle } else { Place::SameHandle };
                // An officer's copy may bring back what was: that is an officer's to decide.
                let who = if who == OFFICER { BOB } else { who };
                let _ = self.lab.insert(who, &object, place);
            }
            What::Delete => drop(self.lab.ask(who, DeleteKey { handle: handle?.0 })),
            What::TakeInPublic => {
                let pair = self.pairs.iter().nth(first).copied().filter(|_| flag);
                let name = pair.unwrap_or_else(|| self.some_known(second));
                let (key, lifetime) = (Value::public(name), Lifetime::Token);
                let (label, id) = (String::new(), String::new());
                let _ = self.lab.ask(who, CreatePublicKey { key, label, id, lifetime });
            }
            What::Restart => {
                self.lab.world.apply(vec![Event::Started]);
                self.lab.log_in();
            }
        }
        Some(())
    }

    fn generate(&mut self, who: SessionId, first: usize, second: usize, flag: bool) {
        let lifetime = if first % 5 == 4 { Lifetime::Session } else { Lifetime::Token };
        let is_shared = |bit: usize| lifetime == Lifetime::Token && second >> bit & 1 == 1;
        let others = [ALICE, BOB, CARL].into_iter().enumerate().filter(|(bit, _)| is_shared(*bit));
        let shared_with: Vec<_> =
            others.map(|(_, other)| other).filter(|other| *other != who).map(id).collect();
        // Nobody ever approves anything.
        let needs_approval = first % 7 == 6 && !shared_with.is_empty();
        let m_value = if needs_approval { 2 } else { 0 };
        let template = Template { extractable: flag, lifetime, shared_with, m_value, ..Template::default() };
        let spec = if first % 3 == 1 { RSA } else { AES };
        if self.lab.ask(who, GenerateKey { spec, template }).is_err() {
            return;
        }
        let last = self.lab.world.history.last().unwrap();
        let names: BTreeSet<_> = last.iter().filter_map(created).map(|(_, key)| name(key)).collect();
        self.inside.extend(&names);
        self.pairs.extend(names.iter().filter(|_| spec == RSA));
        self.not_extractable.extend(names.iter().filter(|_| !flag));
        self.secret.extend(names.iter().filter(|_| !flag || who == ALICE || needs_approval));
    }

    fn set(&mut self, who: SessionId, (handle, name): (KeyHandle, u32), second: usize, flag: bool) {
        use Attribute::{Decrypt, Encrypt, Token, Trusted, Unwrap, Wrap, WrapWithTrusted};
        let attribute = match who {
            OFFICER => Trusted,
            _ => [Decrypt, WrapWithTrusted, Unwrap, Wrap, Encrypt, Token, WrapWithTrusted][second % 7],
        };
        let is_inside = self.inside.contains(&name);
        let is_careless = attribute == Trusted && flag && !is_inside;
        if is_careless || self.lab.set(who, handle, attribute, u8::from(flag)).is_err() || !flag {
            return;
        }
        // Of the public half, it says nothing of the other.
        let is_kept =
            attribute == WrapWithTrusted && self.lab.attributes(who, handle).class != KeyClass::Public;
        let has_no_older_copy = is_inside && !self.masked.contains(&name);
        if attribute == Trusted || (is_kept && has_no_older_copy && !self.has_unguarded_twin(handle, name)) {
            self.secret.insert(name);
        }
    }

    fn wrap(&mut self, who: SessionId, (handle, name): (KeyHandle, u32), second: usize) -> Option<()> {
        let (wrapping, under) = *self.handles.get(second % self.handles.len())?;
        let mechanism = mechanism(second);
        let wrapped = self.lab.ask(who, WrapKey { handle, wrapping, mechanism }).ok()?;
        self.wrapped.push(wrapped);
        // Under such a key it is as safe as before.
        if !self.is_guarded(wrapping) || !self.secret.contains(&under) {
            self.inside.remove(&name);
            // She gives it to whoever may use the wrapping key.
            if who == ALICE {
                self.secret.remove(&name);
            }
        }
        Some(())
    }

    fn is_guarded(&mut self, handle: KeyHandle) -> bool {
        self.attributes(handle).is_some_and(|attributes| attributes.trusted || attributes.wrap_with_trusted)
    }

    /// Whoever unwraps another's key may guard the copy, and the other still gives away the key.
    fn has_unguarded_twin(&mut self, handle: KeyHandle, name: u32) -> bool {
        let is_twin = |(other, of): &&(KeyHandle, u32)| *of == name && *other != handle;
        let twins: Vec<_> = self.handles.iter().filter(is_twin).map(|(twin, _)| *twin).collect();
        twins
            .into_iter()
            .filter_map(|twin| self.attributes(twin))
            .any(|attributes| attributes.class != KeyClass::Public && !attributes.wrap_with_trusted)
    }

    fn attributes(&mut self, handle: KeyHandle) -> Option<Attributes> {
        let read = |who| self.lab.ask(who, ReadAttributes { handle }).ok();
        [ALICE, BOB, CARL].into_iter().find_map(read)
    }

    /// What somebody outside can make: a value that is known, or a new one.
    fn some_known(&mut self, number: usize) -> u32 {
        self.made_up += 1;
        self.known.insert(self.made_up);
        *self.known.iter().nth(number % self.known.len()).unwrap()
    }

    /// The keys that came to be, none of them weaker than it may be.
    fn notice(&mut self) {
        for event in self.lab.world.history.iter().skip(self.seen).flatten() {
            if let Event::AttributeSet { attribute, .. } = event {
                assert_ne!(*attribute, Attribute::Extractable);
            }
            let Some((handle, key)) = created(event) else { continue };
            let made = (handle, name(key));
            let may_leave = key.attributes.class != KeyClass::Public && key.attributes.extractable;
            assert!(!may_leave || !self.not_extractable.contains(&made.1));
            if !self.handles.contains(&made) {
                self.handles.push(made);
            }
        }
        self.seen = self.lab.world.history.len();
    }

    /// Whoever knows a key knows what it has encrypted.
    fn conclude(&mut self) {
        let wrapped: Vec<Blob> = self.wrapped.iter().filter_map(Blob::read).collect();
        loop {
            let is_told = |blob: &&Blob| self.known.contains(&blob.under);
            let told: Vec<u32> = wrapped.iter().filter(is_told).map(|blob| blob.value.name).collect();
            let before = self.known.len();
            self.known.extend(told);
            if self.known.len() == before {
                return;
            }
        }
    }
}

fn created(event: &Event) -> Option<(KeyHandle, &Key)> {
    if let Event::KeyCreated { handle, key, .. } = event { Some((*handle, key)) } else { None }
}

fn name(key: &Key) -> u32 {
    Value::of(&key.material).name
}

fn mechanism(number: usize) -> WrapMechanism {
    use WrapMechanism::{AesWrapPad, RsaOaep, RsaPkcs};
    [AesWrapPad, AesWrapPad, RsaOaep(Hash::Sha256), RsaPkcs][number % 4].clone()
}
