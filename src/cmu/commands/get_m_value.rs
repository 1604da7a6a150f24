//! `getMValue`

use crate::cmu::arguments::{SERVICE, service};
use crate::cmu::read::read;
use crate::cmu::{Action, Command, Session, Stop};
use crate::command::Permission;
use crate::protocol::quorum;

pub(super) static COMMAND: Command = Command {
    name: "getMValue",
    arguments: &[SERVICE],
    summary: "Show how many COs must approve a service's operations",
    description: "\
Shows, for each server, how many COs must approve an operation of the service; 1 means that no approval is needed.
The services are 3 (USER_MGMT: createUser, deleteUser, changePswd of another user, syncUser) and 4 (MISC_CO:
setMValue). A key has an M value of its own, which getKeyInfo shows.",
    example: "getMValue 3",
    permission: Some(Permission::of::<quorum::GetMValue>()),
    build: |given| Ok(Box::new(GetMValue(quorum::GetMValue { service: service(given)? }))),
};

struct GetMValue(quorum::GetMValue);

impl Action for GetMValue {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Result<(), Stop> {
        let service = self.0.service;
        let (number, name) = (service.number(), service.name());
        read(session, COMMAND.name, self.0, |server, m| {
            format!("MValue of service {number}[{name}] on server {} : [{m}]\n", server.number())
        })
    }
}
