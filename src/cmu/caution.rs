//! The original's banner before a change.

use super::{Caution, Session, Stop};
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

/// Shows the banner and asks whether to continue. No answer is no.
pub(super) fn confirm(session: &mut Session<'_>) -> Result<(), Stop> {
    session.console.print(CAUTION);
    confirmed(session)
}

/// Asks whether to continue. No answer is no.
pub(super) fn confirmed(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.caution == Caution::Taken {
        session.console.print(&format!("{QUESTION}y\n"));
        return Ok(());
    }
    loop {
        match session.console.answer(QUESTION) {
            Input::Given(answer) => match answer.trim() {
                "y" | "Y" => return Ok(()),
                "n" | "N" => return Err(Stop::Declined),
                _ => session.console.print("Invalid option, please type 'y' or 'n'\n\n"),
            },
            Input::Interrupted => return Err(Stop::Interrupted),
            Input::Ended => {
                let why = if session.interrupt.is_raised() { "interrupted" } else { "the input has ended" };
                return Err(Stop::not_confirmed(why));
            }
        }
    }
}
