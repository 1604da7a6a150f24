//! The original's banner before a change, and the question that follows it.

use super::{Caution, Session, Stop};
use crate::console::Input;

/// The trailing blanks are the original's.
const CAUTION: &str = "\
*************************CAUTION********************************
This is a CRITICAL operation, should be done on all nodes in the
cluster. AWS does NOT synchronize these changes automatically with the \n\
nodes on which this operation is not executed or failed, please \n\
ensure this operation is executed on all nodes in the cluster.  \n\
****************************************************************

";

const QUESTION: &str = "Do you want to continue(y/n)?";

/// Shows the banner and asks whether to continue. End of input means no.
pub(super) fn confirm(session: &mut Session<'_>) -> Result<(), Stop> {
    session.console.print(CAUTION);
    confirmed(session)
}

/// Asks whether to continue. End of input means no.
pub(super) fn confirmed(session: &mut Session<'_>) -> Result<(), Stop> {
    if session.caution == Caution::Taken {
        // `--yes` prints the same transcript as an operator who answers yes.
        session.console.print(&format!("{QUESTION}y\n"));
        return Ok(());
    }
    loop {
        match session.console.answer(QUESTION) {
            Input::Given(answer) => match answer.trim() {
                "y" | "Y" => return Ok(()),
                "n" | "N" => return Err(Stop::Declined),
                // A script that answers too little has its next commands rejected here instead of run.
                _ => session.console.print("Invalid option, please type 'y' or 'n'\n\n"),
            },
            Input::Interrupted => return Err(Stop::Interrupted),
            Input::Ended => {
                // A signal that ends the program ends the input, too.
                let why = if session.interrupt.is_raised() { "interrupted" } else { "the input has ended" };
                return Err(Stop::not_confirmed(why));
            }
        }
    }
}
