//! The secrets that a line has had while it was edited, wherever in the line they are now.

use zeroize::Zeroizing;

/// Each secret at its longest. They are wiped when dropped.
#[derive(Default)]
pub(super) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Notes a word that is a secret now.
    pub(super) fn note(&mut self, word: &str) {
        if self.0.iter().any(|secret| secret.starts_with(word)) {
            return;
        }
        // A shorter one was the beginning of this one, which is still being typed.
        self.0.retain(|secret| !word.starts_with(secret.as_str()));
        self.0.push(Zeroizing::new(word.to_owned()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the word is one of them.
    pub(super) fn have(&self, word: &str) -> bool {
        self.0.iter().any(|secret| secret.as_str() == word)
    }

    /// Whether the word may be a part of one, in either case: the editor can change it.
    pub(super) fn have_part(&self, word: &str) -> bool {
        let word = Zeroizing::new(word.to_lowercase());
        let holds =
            |secret: &Zeroizing<String>| Zeroizing::new(secret.to_lowercase()).contains(word.as_str());
        !word.is_empty() && self.0.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn a_secret_is_known_at_its_longest_and_by_its_parts() {
        let mut secrets = Secrets::default();
        for typed in ["a", "ad", "admin", "admin1", "admin"] {
            secrets.note(typed);
        }
        assert_eq!(["admin1", "admin", "a"].map(|word| secrets.have(word)), [true, false, false]);
        let parts = ["MIN1", "admin", "n", "", "admin12"];
        assert_eq!(parts.map(|word| secrets.have_part(word)), [true, true, true, false, false]);
    }
}
