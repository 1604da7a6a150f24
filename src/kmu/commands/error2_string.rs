//! `Error2String`

use crate::command::{Argument, Kind};
use crate::kmu::frame::line;
use crate::kmu::stop::{Printed, Stop};
use crate::kmu::{Action, Code, Command, Session};

pub(super) static COMMAND: Command = Command {
    name: "Error2String",
    arguments: &[RESPONSE],
    // The second line belongs to another command of the original, and stands here there, too.
    summary: "Converts Error codes to Strings\n                          save key handle in fake PEM format",
    description: "Explains the number of a result. No HSM is contacted.",
    example: "Error2String -r 0xdb",
    permission: None,
    build: |given| {
        let word = given.word(&RESPONSE)?;
        let number = match word.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => Some(given.number(&RESPONSE)?),
        };
        let number = number.ok_or_else(|| given.invalid(&RESPONSE, word, "a response code"))?;
        Ok(Box::new(Error2String { code: Code(number) }))
    },
};

const RESPONSE: Argument =
    Argument::flag("-r", "response-code", Kind::Number, "Response code").help("such as 0xdb");

struct Error2String {
    code: Code,
}

impl Action for Error2String {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Printed {
        let number = self.code.0;
        match self.code.text() {
            Some(text) => Ok(line(&format!("Error Code {number:x} maps to {text}"))),
            None => Err(Stop::Failed(line(&format!("Error Code {number:x} maps to no known error")))),
        }
    }
}
