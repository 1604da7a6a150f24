//! `getMValue`

use crate::cmu::command::action;
use crate::cmu::read::read;
use crate::cmu::service::service;
use crate::cmu::{Action, Command, Group, Session, Stop};
use crate::protocol::Operation;
use crate::protocol::quorum;

pub(super) static COMMAND: Command = Command {
    name: "getMValue",
    arguments: "<service>",
    group: Group::Quorum,
    summary: "Show how many have to approve a service's operations",
    description: "\
Shows, for each server, how many COs have to approve an operation of the service; 1 stands for none. Services are 3
(USER_MGMT: createUser, deleteUser, changePswd of another user, syncUser) and 4 (MISC_CO: setMValue). A key has an M
value of its own, which getKeyInfo shows.",
    example: "getMValue 3",
    access: Some(quorum::GetMValue::ACCESS),
    service: quorum::GetMValue::SERVICE,
    secret: None,
    parse: |mut words| {
        let service = service(&mut words)?;
        words.finish()?;
        action(GetMValue(quorum::GetMValue { service }))
    },
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
