//! One command to many servers, over connections that are already open.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use bytes::Bytes;
use cloudhsm::cluster::Opened;
use cloudhsm::protocol::Operation;
use cloudhsm::protocol::message::{Call, OperationId, Round};
use cloudhsm::protocol::user::ListUsers;
use cloudhsm::wire::{Limits, frame};

use super::echo::Echoes;
use super::hsms::{Hsms, folder};
use super::process::Background;
use super::rounds::{Comparison, Row, time_each};

const SERVERS: u8 = 28;

const COMMANDS: u32 = 200;

pub(crate) fn compare() -> Vec<Row> {
    let hsms = Hsms::start(SERVERS, 94);
    let mut console = Console::start(&hsms);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let files = folder();
    let mut echoes = runtime.block_on(async {
        let (call, answer) = bytes_of_one(&hsms).await;
        Echoes::start(files.path(), SERVERS.into(), framed(&call), &framed(&answer)).await
    });
    let floor = || time_each(COMMANDS, || runtime.block_on(echoes.ask_all()));
    let what = "`listUsers` on 28 servers";
    let peer = "the same bytes, bare tokio-rustls";
    vec![Comparison { what, peer, budget: Some(2.0), rounds: 15 }.run(|| console.commands(), floor)]
}

/// A console process that reads commands from a pipe.
struct Console {
    input: ChildStdin,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    _process: Background,
}

impl Console {
    fn start(hsms: &Hsms) -> Self {
        let mut child = hsms.console().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { input, lines: BufReader::new(output).lines(), _process: Background(child) }
    }

    fn commands(&mut self) -> Duration {
        time_each(COMMANDS, || {
            writeln!(self.input, "listUsers").unwrap();
            let of_last = format!("Users on server {}(", SERVERS - 1);
            assert!(self.lines.by_ref().any(|line| line.unwrap().starts_with(&of_last)));
        })
    }
}

/// The request that the console sends to each server, and the answer.
async fn bytes_of_one(hsms: &Hsms) -> (Bytes, Bytes) {
    let round = Round::Perform(OperationId(1));
    let call = frame::encode(&Call { round, request: ListUsers.into_request() }).unwrap();
    let Opened::Trusted(link) = hsms.dials().remove(0).open(&Limits::default()).await else {
        panic!("not connected")
    };
    let (_, answer) = link.call(call.clone(), &Limits::default()).await.unwrap();
    (call, frame::encode(&answer).unwrap())
}

/// A frame: the message after its length.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}
