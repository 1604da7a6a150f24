//! `genPBEKey`

use crate::command::{Argument, Given, Kind, PROMPT};
use crate::kmu::attest::ATTEST;
use crate::kmu::stop::Printed;
use crate::kmu::template::{
    ID, LABEL, M_VALUE, MINIMUM, NEX, SESSION, TIMEOUT, Template, USERS, not_allowed,
};
use crate::kmu::{Action, Command, Session};
use crate::protocol::Refusal;

pub(super) static COMMAND: Command = Command {
    name: "genPBEKey",
    arguments: &[
        ITERATIONS, PASSWORD, SALT, LABEL, ID, MINIMUM, M_VALUE, NEX, SESSION, TIMEOUT, USERS, ATTEST,
    ],
    summary: "Generates a PBE DES3 key",
    description: "Would derive a key from a password. HSMs in FIPS mode refuse that, so no HSM is contacted.",
    example: "genPBEKey -c 1000 -hpswd -s 12345678 -l pbe",
    permission: None,
    build: |given| {
        given.number::<u32>(&ITERATIONS)?;
        given.maybe(&PASSWORD, Given::text)?;
        given.text(&SALT)?;
        Template::parse(given)?;
        Ok(Box::new(GenPbeKey))
    },
};

const ITERATIONS: Argument =
    Argument::flag("-c", "iteration count", Kind::Number, "Iteration count").help("number of iterations");
const PASSWORD: Argument = Argument::flag("-p", "password", Kind::Password, "Password")
    .help("password, in plain text")
    .or(&[PROMPT]);
const SALT: Argument = Argument::flag("-s", "salt", Kind::Text, "Salt").help("salt");

struct GenPbeKey;

impl Action for GenPbeKey {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Printed {
        not_allowed("GeneratePBEKey", Refusal::PolicyViolation.into())
    }
}
