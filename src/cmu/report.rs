//! A command that reads from every server, to show it or to write it to a file.

use super::failure::{print_failure, usual_context};
use super::output_file::OutputFile;
use super::read::ask_all;
use super::{Outcome, Session};
use crate::cluster::Server;
use crate::protocol::Operation;

/// What becomes of the answers.
pub(super) struct Report {
    /// The command.
    pub(super) name: &'static str,
    /// Stands between what two servers answered.
    pub(super) between: &'static str,
    /// Where the answers go instead of the console.
    pub(super) file: Option<OutputFile>,
}

/// What was answered so far.
#[derive(Default)]
struct Answered {
    count: usize,
    /// For the file.
    text: String,
}

impl Report {
    /// Asks every server in scope. Failures are always shown; the file is written if any server answered.
    ///
    /// `show` can find that the answer does not have what was looked for.
    pub(super) fn read<O: Operation>(
        self,
        session: &mut Session<'_>,
        operation: O,
        show: impl Fn(&Server, O::Reply) -> Result<String, String>,
    ) -> Outcome {
        let Some(answers) = ask_all(session, self.name, operation) else { return Outcome::Failed };
        let mut answered = Answered::default();
        let mut outcome = Outcome::Done;
        for (number, answer) in answers {
            let shown = match (answer, session.server(number)) {
                (Ok(Some(reply)), Some(server)) => show(server, reply),
                // Who was asked to perform answers with a reply.
                (Ok(_), _) => continue,
                (Err(failure), _) => Err(failure.to_string()),
            };
            match shown {
                Ok(text) => self.add(session, &mut answered, &text),
                Err(failure) => {
                    print_failure(session, self.name, usual_context, number, &failure);
                    outcome = Outcome::Failed;
                }
            }
        }
        if self.finish(session, &answered) { outcome } else { Outcome::Failed }
    }

    fn add(&self, session: &mut Session<'_>, answered: &mut Answered, text: &str) {
        let between = if answered.count > 0 { self.between } else { "" };
        answered.count = answered.count.saturating_add(1);
        let text = format!("{between}{text}");
        match self.file {
            Some(_) => answered.text.push_str(&text),
            None => session.console.print(&text),
        }
    }

    /// Writes the file, if there is one to write; whether that went well.
    fn finish(&self, session: &mut Session<'_>, answered: &Answered) -> bool {
        let Some(file) = self.file.as_ref().filter(|_| answered.count > 0) else { return true };
        let written = file.write(&answered.text);
        session.console.print(&match &written {
            Ok(line) => line.clone(),
            Err(error) => format!("{} failed: {error}\n", self.name),
        });
        written.is_ok()
    }
}
