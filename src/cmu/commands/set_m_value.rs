//! `setMValue`

use crate::cmu::caution::confirm;
use crate::cmu::change::Change;
use crate::cmu::command::action;
use crate::cmu::service::service;
use crate::cmu::{Action, Command, Group, Session, Stop};
use crate::protocol::Operation;
use crate::protocol::quorum;

pub(super) static COMMAND: Command = Command {
    name: "setMValue",
    arguments: "<service> <m>",
    group: Group::Quorum,
    summary: "Set how many have to approve a service's operations",
    description: "\
Sets how many COs have to approve each operation of service 3 (USER_MGMT) or 4 (MISC_CO) from now on: 2 to 8, and not
more than there are COs with a registered key (listUsers: MofnPubKey). It cannot be turned off again. To change the
value of service 3 that of service 4 has to be set, never below that of service 3, and once that is set setMValue needs
an approved token of service 4.",
    example: "setMValue 3 2",
    access: Some(quorum::SetMValue::ACCESS),
    service: quorum::SetMValue::SERVICE,
    secret: None,
    parse: |mut words| {
        let service = service(&mut words)?;
        // The HSM says which it takes.
        let m = words.number::<u32>("m")?.try_into().unwrap_or(u8::MAX);
        words.finish()?;
        action(SetMValue(quorum::SetMValue { service, m }))
    },
};

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
