//! A command that reads from every server and prints the answers or writes them to a file.

use super::failure::print_failure;
use super::read::ask_all;
use super::{Session, Stop};
use crate::cluster::Server;
use crate::common::OutputFile;
use crate::protocol::Operation;

/// What to do with the answers.
pub(super) struct Report {
    pub(super) name: &'static str,
    /// Printed between the answers of two servers.
    pub(super) between: &'static str,
    /// Written instead of printing the answers.
    pub(super) file: Option<OutputFile>,
}

impl Report {
    /// Asks every server in scope. Failures are always printed; the file is written if any server answered.
    ///
    /// `show` fails if an answer does not contain what was asked for.
    pub(super) fn read<O: Operation>(
        self,
        session: &mut Session<'_>,
        operation: O,
        show: impl Fn(&Server, O::Reply) -> Result<String, String>,
    ) -> Result<(), Stop> {
        let (mut shown, mut result) = (Vec::new(), Ok(()));
        for (number, answer) in ask_all(session, operation)? {
            let text = match (answer, session.server(number)) {
                (Ok(reply), Some(server)) => show(server, reply),
                (Ok(_), None) => continue,
                (Err(failure), _) => Err(failure.to_string()),
            };
            match text {
                Ok(text) => shown.push(self.shown(session, text, shown.is_empty())),
                Err(failure) => {
                    print_failure(session, self.name, number, &failure);
                    result = Err(Stop::Servers);
                }
            }
        }
        // Without an answer, the file keeps its previous content.
        if let Some(file) = self.file.filter(|_| !shown.is_empty()) {
            session.console.print(&file.write(&shown.concat())?);
        }
        result
    }

    /// Prints an answer, unless it goes to the file, and returns it.
    fn shown(&self, session: &mut Session<'_>, text: String, is_first: bool) -> String {
        let text = if is_first { text } else { format!("{}{text}", self.between) };
        if self.file.is_none() {
            session.console.print(&text);
        }
        text
    }
}
