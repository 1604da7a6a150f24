//! `IsValidKeyHandlefile`

use crate::command::{Argument, Kind, Permission};
use crate::kmu::frame::returned;
use crate::kmu::pem::{PrivateKeyFile, private_key};
use crate::kmu::session::first;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::transport::not_read;
use crate::kmu::{Action, Code, Command, Session};
use crate::protocol::Refusal;
use crate::protocol::key::DescribeKey;

pub(super) static COMMAND: Command = Command {
    name: "IsValidKeyHandlefile",
    arguments: &[FILE],
    summary: "Checks if private key file has\n                          an HSM key handle or a real key",
    description: "\
Shows whether the file of a private key holds a key, or the handle of one of your keys, or of one shared with you.",
    example: "IsValidKeyHandlefile -f caviumKey.pem",
    permission: Some(Permission::of::<DescribeKey>()),
    build: |given| Ok(Box::new(IsValidKeyHandlefile { file: given.text(&FILE)? })),
};

const FILE: Argument = Argument::flag("-f", "private-key-file", Kind::File, "File name")
    .help("file of a private key, or one that getCaviumPrivKey wrote");

struct IsValidKeyHandlefile {
    file: String,
}

impl Action for IsValidKeyHandlefile {
    fn run(self: Box<Self>, session: &mut Session<'_>) -> Printed {
        match private_key(&self.file).map_err(|reason| not_read(&self.file, &reason))? {
            PrivateKeyFile::Real(_) => Ok("\nInput key file has real private key\n".to_owned()),
            PrivateKeyFile::Handle(handle) => {
                let absent: [Code; 2] = [Refusal::InvalidHandle.into(), Refusal::KeyAccessDenied.into()];
                match first(session.perform(&session.everywhere(), DescribeKey { handle })) {
                    Ok(_) => Ok(format!("\nInput file has key handle: {handle}\n")),
                    Err(code) if absent.contains(&code) => {
                        Err(Stop::failed(format!("\nInput file has invalid key handle: {handle}\n")))
                    }
                    Err(code) => Err(Stop::failed(returned("FindKey", code))),
                }
            }
        }
    }
}
