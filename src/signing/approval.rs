//! The approval file: who has approved which tokens, and where the signatures are.
//!
//! ```text
//! Multi Token File Path = officer1.token;
//! Token File Path = ;
//! Number of Approvals = 1;
//! Approver Type = 2; # 2 for CO, 1 for CU
//! Approver Name = officer1;
//! Approval File = officer1.token.sig1;
//! ```
//!
//! A line that begins with one of these names is an entry; every other line is a comment. The value starts after blanks,
//! colons and equals signs, and ends at a semicolon or at the end of the line. Of the two paths the first that is not
//! empty is the token file's; paths are relative to the working folder.

use super::signature_file::{self, NoSignature};
use super::token_file::{self, NoTokens};
use crate::files::{Unreadable, read_text};
use crate::protocol::user::UserType;

/// The most approvers in a file, as in the original.
pub const MAX_APPROVALS: usize = 20;

/// More than a file with all approvers and their comments needs, in bytes.
pub const MAX_FILE: u64 = 64 * 1024;

/// An approval file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFile {
    /// The path of the tokens.
    pub token_file: String,
    /// In the order of the file.
    pub approvers: Vec<Approver>,
}

/// One approver's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// CO or CU.
    pub user_type: UserType,
    /// The user's name; case does not matter.
    pub name: String,
    /// The path of the signature.
    pub file: String,
}

/// An approval file, with the content of the files that it names.
pub struct Approvals {
    /// The path of the tokens.
    pub token_file: String,
    /// What was signed.
    pub tokens: Vec<u8>,
    /// Each approver with the signature.
    pub signed: Vec<(Approver, Vec<u8>)>,
}

/// Why there are no approvals. Whoever shows it names the approval file. Some of the words are the original's.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NoApprovals {
    #[error("Failed to open file: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("the line {0:?} is missing")]
    LineMissing(&'static str),
    #[error("no token file is named")]
    NoTokenFile,
    #[error("Number of Approvals is not a number: {0:?}")]
    NotANumber(String),
    #[error("number of approvals in the file is more than {MAX_APPROVALS}")]
    TooMany,
    #[error("Failed to read Approver Details: Could only read {found}/{wanted} approvers info")]
    TooFewApprovers { found: usize, wanted: usize },
    #[error("Number of Approvals is {0}, but there are more approvers")]
    TooManyApprovers(usize),
    #[error("Invalid User Type {user_type} for {name}")]
    UserType { user_type: String, name: String },
    #[error("{0} approves twice")]
    Twice(String),
    #[error("failed to read token from {0}: {1}")]
    Token(String, NoTokens),
    #[error("failed to read approval from {path} of {name}: {reason}")]
    Signature { path: String, name: String, reason: NoSignature },
}

const MULTI: &str = "Multi Token File Path";
const SINGLE: &str = "Token File Path";
const NUMBER: &str = "Number of Approvals";
const TYPE: &str = "Approver Type";
const NAME: &str = "Approver Name";
const FILE: &str = "Approval File";

impl Approvals {
    /// Reads an approval file, the tokens and all signatures.
    ///
    /// # Errors
    ///
    /// The first problem; it names the file or the approver.
    pub fn load(path: &str) -> Result<Self, NoApprovals> {
        let ApprovalFile { token_file, approvers } = ApprovalFile::load(path)?;
        let tokens =
            token_file::load(&token_file).map_err(|reason| NoApprovals::Token(token_file.clone(), reason))?;
        let signed = approvers.into_iter().map(|approver| match signature_file::load(&approver.file) {
            Ok(signature) => Ok((approver, signature)),
            Err(reason) => Err(NoApprovals::Signature { path: approver.file, name: approver.name, reason }),
        });
        Ok(Self { token_file, tokens, signed: signed.collect::<Result<_, _>>()? })
    }
}

impl ApprovalFile {
    /// Reads an approval file, and none of the files that it names.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is incomplete.
    pub fn load(path: &str) -> Result<Self, NoApprovals> {
        Self::parse(&read_text(path, MAX_FILE).map_err(NoApprovals::Unreadable)?)
    }

    /// Parses a file's text.
    ///
    /// # Errors
    ///
    /// If it is incomplete.
    pub fn parse(text: &str) -> Result<Self, NoApprovals> {
        let line = |key| text.lines().find_map(|line| value(line, key));
        let multi = line(MULTI).ok_or(NoApprovals::LineMissing(MULTI))?;
        let single = line(SINGLE).ok_or(NoApprovals::LineMissing(SINGLE))?;
        let token_file = if multi.is_empty() { single } else { multi };
        if token_file.is_empty() {
            return Err(NoApprovals::NoTokenFile);
        }
        let number = line(NUMBER).ok_or(NoApprovals::LineMissing(NUMBER))?;
        let wanted = number.parse().map_err(|_| NoApprovals::NotANumber(number.to_owned()))?;
        if wanted > MAX_APPROVALS {
            return Err(NoApprovals::TooMany);
        }
        let approvers = parse_approvers(text, wanted)?;
        for (at, approver) in approvers.iter().enumerate() {
            if approvers.iter().take(at).any(|earlier| earlier.is_same_user(approver)) {
                return Err(NoApprovals::Twice(approver.name.clone()));
            }
        }
        Ok(Self { token_file: token_file.to_owned(), approvers })
    }

    /// Adds an approver to a file's text, and leaves the rest of it as it is.
    ///
    /// # Errors
    ///
    /// If the file is incomplete.
    pub fn with_approver(text: &str, approver: &Approver) -> Result<String, NoApprovals> {
        let file = Self::parse(text)?;
        let count = file.approvers.len().saturating_add(1);
        let line = |line: &str| match value(line, NUMBER) {
            Some(_) => format!("{NUMBER} = {count};\n"),
            None => format!("{line}\n"),
        };
        let kept: String = text.lines().map(line).collect();
        Ok(kept + &block(count, approver))
    }

    /// The file's text, in the layout of the CloudHSM guide.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{MULTI} = {0};\n{SINGLE} = ;\n\n# Total number of approvals\n{NUMBER} = {1};\n",
            self.token_file,
            self.approvers.len()
        );
        for (number, approver) in (1_usize..).zip(&self.approvers) {
            text.push_str(&block(number, approver));
        }
        text
    }
}

impl Approver {
    /// Whether both are the same user.
    #[must_use]
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.user_type == other.user_type && self.name.eq_ignore_ascii_case(&other.name)
    }
}

/// The entry of one approver.
fn block(at: usize, Approver { user_type, name, file }: &Approver) -> String {
    let number = number(*user_type);
    format!(
        "\n# Approver {at}\n{TYPE} = {number}; # 2 for CO, 1 for CU\n{NAME} = {name};\n{FILE} = {file};\n"
    )
}

/// A user type as the file has it. Only COs and CUs approve.
fn number(user_type: UserType) -> u8 {
    match user_type {
        UserType::Cu => 1,
        UserType::Co | UserType::Au | UserType::PreCo | UserType::Unknown => 2,
    }
}

/// The value of a line, if the line begins with this key.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let value = line.strip_prefix(key)?.trim_start_matches([' ', '\t', ':', '=']);
    Some(value.split(';').next().unwrap_or(value).trim_end())
}

/// The lines of an approver that were read so far.
#[derive(Default)]
struct PartialApprover<'a> {
    user_type: Option<&'a str>,
    name: Option<&'a str>,
    file: Option<&'a str>,
}

/// Reads the approvers, each of three lines in any order.
fn parse_approvers(text: &str, wanted: usize) -> Result<Vec<Approver>, NoApprovals> {
    let mut approvers = Vec::new();
    let mut entry = PartialApprover::default();
    let fewer = |approvers: &[Approver]| NoApprovals::TooFewApprovers { found: approvers.len(), wanted };
    for line in text.lines() {
        for (key, field) in [(TYPE, &mut entry.user_type), (NAME, &mut entry.name), (FILE, &mut entry.file)] {
            let Some(value) = value(line, key) else { continue };
            if value.is_empty() || field.replace(value).is_some() {
                return Err(fewer(&approvers));
            }
        }
        if let PartialApprover { user_type: Some(user_type), name: Some(name), file: Some(file) } = entry {
            approvers.push(approver(user_type, name, file)?);
            entry = PartialApprover::default();
        }
        if approvers.len() > wanted {
            return Err(NoApprovals::TooManyApprovers(wanted));
        }
    }
    let is_partial = entry.user_type.or(entry.name).or(entry.file).is_some();
    if is_partial || approvers.len() < wanted || approvers.is_empty() {
        return Err(fewer(&approvers));
    }
    Ok(approvers)
}

fn approver(user_type: &str, name: &str, file: &str) -> Result<Approver, NoApprovals> {
    let user_type = match user_type {
        "1" => UserType::Cu,
        "2" => UserType::Co,
        _ => {
            return Err(NoApprovals::UserType { user_type: user_type.to_owned(), name: name.to_owned() });
        }
    };
    Ok(Approver { user_type, name: name.to_owned(), file: file.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::ApprovalFile;

    /// As the CloudHSM guide prints it.
    const GUIDE: &str = "\
# For \"Multi Token File Path\", type the path to the file that contains
# the token. You can type the same value for \"Token File Path\", but
# that's not required. The \"Token File Path\" line is required in any
# case, regardless of whether you type a value.
Multi Token File Path = officer1.token;
Token File Path = ;

# Total number of approvals
Number of Approvals = 2;

# Approver 1
# Type the approver's type, name, and the path to the file that
# contains the approver's signature.
Approver Type = 2; # 2 for CO, 1 for CU
Approver Name = officer1;
Approval File = officer1.token.sig1;

# Approver 2
# Type the approver's type, name, and the path to the file that
# contains the approver's signature.
Approver Type = 2; # 2 for CO, 1 for CU
Approver Name = officer2;
Approval File = officer1.token.sig2;
";

    #[test]
    fn the_guides_file_is_read_and_survives_a_rewrite() {
        let read = ApprovalFile::parse(GUIDE).unwrap();
        assert_eq!(read.token_file, "officer1.token");
        let named: Vec<_> =
            read.approvers.iter().map(|approver| (&*approver.name, &*approver.file)).collect();
        assert_eq!(named, [("officer1", "officer1.token.sig1"), ("officer2", "officer1.token.sig2")]);
        assert_eq!(ApprovalFile::parse(&read.to_text()).unwrap(), read);
    }

    #[test]
    fn other_spellings_mean_the_same() {
        let expected = ApprovalFile::parse(GUIDE).unwrap();
        for (from, to) in [
            ("Multi Token File Path = officer1.token;", "Multi Token File Path ;"),
            ("Token File Path = ;", "Token File Path = officer1.token;"),
            (" = ", " : "),
            (" = ", "="),
            ("\n", "\r\n"),
            ("officer2;", "officer2  ;"),
            ("officer2;", "officer2"),
        ] {
            let text = GUIDE.replace(from, to);
            // Without the multi token path, the other one is needed.
            let text = if from.starts_with("Multi") {
                text.replace("\nToken File Path = ;", "\nToken File Path = officer1.token;")
            } else {
                text
            };
            assert_eq!(ApprovalFile::parse(&text).unwrap(), expected, "{from:?} {to:?}");
        }
        let order = GUIDE.replace(
            "Approver Name = officer2;\nApproval File = officer1.token.sig2;\n",
            "Approval File = officer1.token.sig2;\nApprover Name = officer2;\n",
        );
        assert_eq!(ApprovalFile::parse(&order).unwrap(), expected);
    }

    #[test]
    fn an_incomplete_file_is_refused_with_the_reason() {
        for (from, to, expected) in [
            ("Multi Token", "Many Token", "the line \"Multi Token File Path\" is missing"),
            ("\nToken File Path = ;", "", "the line \"Token File Path\" is missing"),
            ("= officer1.token;", ";", "no token file is named"),
            ("Number of Approvals = 2;", "", "the line \"Number of Approvals\" is missing"),
            ("Approvals = 2", "Approvals = two", "Number of Approvals is not a number: \"two\""),
            ("Approvals = 2", "Approvals = 21", "number of approvals in the file is more than 20"),
            ("Approvals = 2", "Approvals = 1", "Number of Approvals is 1, but there are more approvers"),
            (
                "Approvals = 2",
                "Approvals = 3",
                "Failed to read Approver Details: Could only read 2/3 approvers info",
            ),
            (
                "Approval File = officer1.token.sig1;\n",
                "",
                "Failed to read Approver Details: Could only read 0/2 approvers info",
            ),
            (
                "Approver Name = officer2;",
                "Approver Name = ;",
                "Failed to read Approver Details: Could only read 1/2 approvers info",
            ),
            ("Type = 2; # 2", "Type = CO; # 2", "Invalid User Type CO for officer1"),
            ("officer2;", "Officer1;", "Officer1 approves twice"),
        ] {
            let error = ApprovalFile::parse(&GUIDE.replace(from, to)).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let nobody = "Multi Token File Path = x;\nToken File Path = ;\nNumber of Approvals = 0;\n";
        assert!(ApprovalFile::parse(nobody).unwrap_err().to_string().contains("0/0"));
    }
}
