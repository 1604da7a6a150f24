//! `listECCCurveIds`

use crate::kmu::curves::CURVES;
use crate::kmu::stop::Printed;
use crate::kmu::{Action, Command, Session};

pub(super) static COMMAND: Command = Command {
    name: "listECCCurveIds",
    arguments: &[],
    summary: "List HSM supported ECC CurveIds",
    description: "\
Shows the numbers of the curves, for genECCKeyPair. HSMs in FIPS mode make keys on 2, 14, 15 and 16 only. No HSM is
contacted.",
    example: "listECCCurveIds",
    permission: None,
    build: |_| Ok(Box::new(ListEccCurveIds)),
};

struct ListEccCurveIds;

impl Action for ListEccCurveIds {
    fn run(self: Box<Self>, _session: &mut Session<'_>) -> Printed {
        let curves = CURVES.iter().map(|(number, name, _)| format!("      {name:<32}= {number}\n"));
        Ok(format!("{HEADER}{}", curves.collect::<String>()))
    }
}

const HEADER: &str = "
Description
===========
The following are HSM supported ECC CurveIds

";
