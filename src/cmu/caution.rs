//! The original's banner before a change.

use super::{Caution, Outcome, Session};
use crate::console::Input;

/// Trailing blanks included.
const CAUTION: &str = "\
*************************CAUTION********************************
This is a CRITICAL operation, should be done on all nodes in the
cluster. AWS does NOT synchronize these changes automatically with the \n\
nodes on which this operation is not executed or failed, please \n\
ensure this operation is executed on all nodes in the cluster.  \n\
****************************************************************

";

const QUESTION: &str = "Do you want to continue(y/n)?";

/// Shows the banner and asks; `Err` is how the command ends if the answer is no. No answer is no.
pub(super) fn confirm(session: &mut Session<'_>) -> Result<(), Outcome> {
    session.console.print(CAUTION);
    confirmed(session)
}

/// Asks whether to go on; `Err` is how the command ends if the answer is no. No answer is no.
pub(super) fn confirmed(session: &mut Session<'_>) -> Result<(), Outcome> {
    if session.caution == Caution::Taken {
        session.console.print(&format!("{QUESTION}y\n"));
        return Ok(());
    }
    loop {
        match session.console.answer(QUESTION) {
            Input::Given(answer) => match answer.trim() {
                "y" | "Y" => return Ok(()),
                "n" | "N" => return Err(Outcome::Done),
                _ => session.console.print("Invalid option, please type 'y' or 'n'\n\n"),
            },
            Input::Interrupted => return Err(Outcome::Failed),
            Input::Ended => {
                let why = if session.interrupt.is_raised() { "interrupted" } else { "the input has ended" };
                session.console.print(&format!("Not confirmed: {why}\n"));
                return Err(Outcome::Failed);
            }
        }
    }
}
