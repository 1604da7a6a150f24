//! Complete configuration files, to begin with.

/// A file with every setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigTemplate {
    /// `cloudhsm_mgmt_util.cfg`.
    Console,
    /// `cloudhsm_client.cfg`.
    Client,
}

impl ConfigTemplate {
    /// The template that `--template` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Console, Self::Client].into_iter().find(|template| template.word() == word)
    }

    /// Its name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "cmu",
            Self::Client => "client",
        }
    }

    /// The whole file.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Console => include_str!("../../config/cloudhsm_mgmt_util.cfg"),
            Self::Client => include_str!("../../config/cloudhsm_client.cfg"),
        }
    }
}
