//! `singlecmd`: one command from the program's command line, with the login that it needs.

use super::{COMMANDS, Logins, Session, run_line};
use crate::command::PROMPTED;
use crate::outcome::Outcome;
use crate::protocol::Access;

/// One command, and the login to run first, if one is given.
pub struct Single {
    login: Option<Vec<String>>,
    command: Vec<String>,
}

/// Why the words cannot be run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SingleError {
    /// There is no command after `singlecmd`, or after the login.
    #[error("singlecmd: a command is missing")]
    Nothing,
    /// The words are joined into a line, which is split at blanks: this word would not come out as it went in.
    #[error("singlecmd: {0:?} is empty or contains a blank; words are split at blanks")]
    Blank(String),
}

/// The number of words of a login: its name, and three options with their values.
const LOGIN: usize = 7;

/// The number with `-hpswd`, which has no value: the password is asked for, so that no process list shows it.
const LOGIN_PROMPTED: usize = 6;

impl Single {
    /// Reads the words after `singlecmd`.
    ///
    /// # Errors
    ///
    /// If there is no command, or a word would not survive being part of a line.
    pub fn parse(words: &[String]) -> Result<Self, SingleError> {
        let is_split = |word: &&String| word.is_empty() || word.contains(|at: char| at.is_ascii_whitespace());
        if let Some(word) = words.iter().find(is_split) {
            return Err(SingleError::Blank(word.clone()));
        }
        let (login, command) = words.split_at(login_words(words));
        if command.is_empty() {
            return Err(SingleError::Nothing);
        }
        let login = Some(login.to_vec()).filter(|login| !login.is_empty());
        Ok(Self { login, command: command.to_vec() })
    }

    /// Logs in and runs the command; `None` if the login failed.
    pub fn run(self, session: &mut Session<'_>) -> Option<Outcome> {
        session.logins = self.logins();
        if let Some(login) = self.login {
            if run_line(session, &login.join(" ")) != Outcome::Done {
                return None;
            }
            let words: String = self.command.iter().map(|word| format!(" {word} ")).collect();
            session.print(&format!("Command:{words}\n"));
        }
        Some(run_line(session, &self.command.join(" ")))
    }

    /// The users who may log in: in the original only CUs, but a command that other users may run is of no use if
    /// they cannot log in for it.
    fn logins(&self) -> Logins {
        let command = self.command.first().and_then(|word| COMMANDS.find(word).ok());
        match command.and_then(|command| command.permission).map(|permission| permission.access) {
            Some(Access::User) => Logins::Everybody,
            Some(_) | None => Logins::CryptoUsers,
        }
    }
}

/// How many of these words are the login: zero if there is no command after it, because the login is the command then.
fn login_words(words: &[String]) -> usize {
    let is_prompted = words.iter().take(LOGIN_PROMPTED).any(|word| word == PROMPTED);
    let count = if is_prompted { LOGIN_PROMPTED } else { LOGIN };
    let is_login = |word: &String| COMMANDS.find(word).is_ok_and(|command| command.name == "loginHSM");
    if words.first().is_some_and(is_login) && words.len() > count { count } else { 0 }
}
