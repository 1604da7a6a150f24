//! A file of credentials, in the format of `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::{self, UnreadableFile, unreadable};

/// Who may call, by access key.
#[derive(Default)]
pub struct Credentials(BTreeMap<String, Secret>);

/// What the owner of an access key knows.
pub(super) struct Secret {
    pub(super) key: Zeroizing<String>,
    /// Of temporary credentials.
    pub(super) session_token: Option<Zeroizing<String>>,
}

/// Why a file of credentials cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CredentialsError {
    #[error(transparent)]
    Unreadable(#[from] UnreadableFile),
    #[error("{path}: profile [{profile}] has no {name}", path = .path.display())]
    Half { path: PathBuf, profile: String, name: &'static str },
    #[error("{path}: line {line} is neither a [profile] nor a setting", path = .path.display())]
    Line { path: PathBuf, line: usize },
    #[error("{path}: no profile has an aws_access_key_id", path = .0.display())]
    Empty(PathBuf),
}

const ACCESS_KEY: &str = "aws_access_key_id";
const SECRET_KEY: &str = "aws_secret_access_key";
const SESSION_TOKEN: &str = "aws_session_token";

/// Bytes of a file.
const LIMIT: u64 = 1024 * 1024;

type Profile = BTreeMap<String, Zeroizing<String>>;

impl Credentials {
    /// Reads the profiles of a file. Those without keys, as the ones that assume a role, are passed over.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is in another format, or has no access key at all.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let text = Zeroizing::new(files::read_text(path, LIMIT).map_err(unreadable(path))?);
        let mut credentials = Self::default();
        for (profile, settings) in profiles(path, &text)? {
            credentials.add(path, profile, settings)?;
        }
        if credentials.0.is_empty() {
            return Err(CredentialsError::Empty(path.to_owned()));
        }
        Ok(credentials)
    }

    /// How many access keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody may call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, access_key: &str) -> Option<&Secret> {
        self.0.get(access_key)
    }

    #[cfg(test)]
    pub(super) fn for_tests<const N: usize>(owners: [(&str, Secret); N]) -> Self {
        Self(owners.map(|(access_key, secret)| (access_key.to_owned(), secret)).into())
    }

    fn add(&mut self, path: &Path, profile: String, mut settings: Profile) -> Result<(), CredentialsError> {
        let half = |name| CredentialsError::Half { path: path.to_owned(), profile, name };
        match (settings.remove(ACCESS_KEY), settings.remove(SECRET_KEY)) {
            (None, None) => {}
            (None, Some(_)) => return Err(half(ACCESS_KEY)),
            (Some(_), None) => return Err(half(SECRET_KEY)),
            (Some(access_key), Some(key)) => {
                let session_token = settings.remove(SESSION_TOKEN);
                self.0.insert(access_key.to_string(), Secret { key, session_token });
            }
        }
        Ok(())
    }
}

/// The profiles, whose settings may stand in any order. As in the AWS CLI, a later setting replaces an earlier one.
fn profiles(path: &Path, text: &str) -> Result<BTreeMap<String, Profile>, CredentialsError> {
    let mut profiles = BTreeMap::<String, Profile>::new();
    let mut current: Option<&mut Profile> = None;
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            current = Some(profiles.entry(name.0.trim().to_owned()).or_default());
            continue;
        }
        let (Some(profile), Some((name, value))) = (&mut current, line.split_once('=')) else {
            return Err(CredentialsError::Line { path: path.to_owned(), line: number });
        };
        if !value.trim().is_empty() {
            profile.insert(name.trim().to_ascii_lowercase(), Zeroizing::new(value.trim().to_owned()));
        }
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Credentials, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        fs::write(&path, text).unwrap();
        let name = format!("{}: ", path.display());
        Credentials::read(&path).map_err(|error| error.to_string().replace(&name, ""))
    }

    #[test]
    fn every_profile_with_keys_counts() {
        let text = "# comment\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=wJalr=/x\n\n\
            [role]\nrole_arn = arn\n; comment\n[ci]\naws_session_token = token=\nAWS_SECRET_ACCESS_KEY = two\n\
            aws_access_key_id = ASIA\nregion =\n";
        let credentials = read(text).unwrap();
        assert_eq!(credentials.len(), 2);
        let of = |key| credentials.of(key).unwrap();
        assert_eq!(of("AKIDEXAMPLE").key.as_str(), "wJalr=/x");
        assert!(of("AKIDEXAMPLE").session_token.is_none());
        assert_eq!(of("ASIA").session_token.as_ref().unwrap().as_str(), "token=");
        assert!(credentials.of("other").is_none());
    }

    #[test]
    fn a_file_without_an_access_key_is_refused() {
        let refusals = [
            ("", "no profile has an aws_access_key_id"),
            ("[a]\nregion = us-east-1\n", "no profile has an aws_access_key_id"),
            ("[a]\naws_access_key_id = A\n", "profile [a] has no aws_secret_access_key"),
            ("[a]\naws_secret_access_key = A\n", "profile [a] has no aws_access_key_id"),
            ("aws_access_key_id = A\n", "line 1 is neither a [profile] nor a setting"),
            ("[a]\nwords\n", "line 2 is neither a [profile] nor a setting"),
        ];
        for (text, refusal) in refusals {
            assert_eq!(read(text).err().unwrap(), refusal, "{text:?}");
        }
    }
}
