//! `singlecmd`: one command from the command line, with its login before it.

use super::{COMMANDS, Logins, Session, run_line};
use crate::command::PROMPTED;
use crate::outcome::Outcome;
use crate::protocol::Access;

/// One command, and the login that it needs.
pub struct Single {
    login: Option<Vec<String>>,
    command: Vec<String>,
}

/// Why the words are no command.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SingleError {
    /// There are none.
    #[error("singlecmd: a command is missing")]
    Nothing,
    /// Words that hold a blank would be taken apart.
    #[error("singlecmd: {0:?} holds a blank, and words are split at blanks")]
    Blank(String),
}

/// How many words a login has: its name and three options with their values.
const LOGIN: usize = 7;

/// One option has no value: the password is asked for, and nobody sees it among the processes.
const LOGIN_PROMPTED: usize = 6;

impl Single {
    /// Reads what stands behind `singlecmd`.
    ///
    /// # Errors
    ///
    /// If nothing does, or the words are none.
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

    /// Whoever may run the command may log in for it.
    fn logins(&self) -> Logins {
        let command = self.command.first().and_then(|word| COMMANDS.find(word).ok());
        match command.and_then(|command| command.permission).map(|permission| permission.access) {
            Some(Access::User) => Logins::Everybody,
            Some(_) | None => Logins::CryptoUsers,
        }
    }
}

/// How many of these words are the login; none if they are a login and nothing else.
fn login_words(words: &[String]) -> usize {
    let is_prompted = words.iter().take(LOGIN_PROMPTED).any(|word| word == PROMPTED);
    let count = if is_prompted { LOGIN_PROMPTED } else { LOGIN };
    let begins = words.first().is_some_and(|word| word == "loginHSM") && words.len() > count;
    if begins { count } else { 0 }
}
