//! `setMValue`

use crate::cmu::arguments::{SERVICE, service};
use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::{Argument, Kind, Permission};
use crate::protocol::quorum;

pub(super) static COMMAND: Command = Command {
    name: "setMValue",
    arguments: &[SERVICE, M],
    summary: "Set how many COs must approve a service's operations",
    description: "\
Sets how many COs must approve each operation of service 3 (USER_MGMT) or 4 (MISC_CO): 2 to 8, and no more than
there are COs with a registered key (listUsers: MofnPubKey). It cannot be turned off again. The value of service 3
can be changed only once that of service 4 is set, which must never be below that of service 3. From then on
setMValue needs an approved token of service 4.",
    example: "setMValue 3 2",
    permission: Some(Permission::of::<quorum::SetMValue>()),
    build: |given| {
        let service = service(given)?;
        // The HSM says which it takes.
        let m = given.number::<u32>(&M)?.try_into().unwrap_or(u8::MAX);
        Ok(Box::new(SetMValue(quorum::SetMValue { service, m })))
    },
};

const M: Argument = Argument::word("m", Kind::Number);

struct SetMValue(quorum::SetMValue);

impl Action for SetMValue {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        confirm(session)?;
        let quorum::SetMValue { service, m } = self.0;
        let number = service.number();
        let again = format!("{} {number} {m}", COMMAND.name);
        Change {
            heading: Some(format!("Setting M Value({m}) for {number}")),
            ..Change::new(COMMAND.name, self.0, again, "getMValue")
        }
        .run(session)
    }
}
