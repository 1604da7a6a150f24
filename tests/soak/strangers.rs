//! Those who connect and never log in: they wait, guess, ask for challenges, and rehearse.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use cloudhsm::cluster::Dial;
use cloudhsm::protocol::message::{Call, Round};
use cloudhsm::protocol::second_factor::{GetDigest, Purpose};
use cloudhsm::protocol::user::UserType;
use cloudhsm::protocol::{Reply, Request};
use cloudhsm::wire::frame::encode;
use cloudhsm::wire::link::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::client::{PATIENT, ask, connect, login, socket_address, tcp};
use crate::dice::Dice;
use crate::world::World;

/// A CU whom strangers lock out again and again.
pub(crate) const VICTIM: &str = "victim";

/// Of each HSM's strangers, so many say something.
const LOUD: usize = 12;

/// Starts them. They go when the runtime is shut down.
pub(crate) fn start(world: &Arc<World>) -> Runtime {
    let crowd = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for node in 0..world.nodes.len() {
        for number in 0..world.scale.strangers {
            let dice = Dice::new(world.seed, &format!("stranger{number} of {node}"));
            crowd.spawn(stranger(Arc::clone(world), node, number, dice));
        }
    }
    crowd
}

async fn stranger(world: Arc<World>, node: usize, number: usize, mut dice: Dice) {
    let dial = world.direct[node].clone();
    loop {
        match number {
            ..LOUD => loud(&world, &dial, number, &mut dice).await,
            _ if number.is_multiple_of(4) => half_a_handshake(&world, node, number).await,
            _ => wait(&world, &dial).await,
        }
        sleep(dice.millis(50..500)).await;
    }
}

async fn wait(world: &World, dial: &Dial) {
    let Some(mut link) = connect(dial, &PATIENT).await else { return };
    world.figures.count("strangers: connections");
    while link.is_idle() {
        sleep(Duration::from_millis(500)).await;
    }
}

async fn half_a_handshake(world: &World, node: usize, number: usize) {
    let from = Ipv4Addr::from_bits(0x7f63_0000 | u32::try_from(number).unwrap());
    let to = socket_address(&world.cluster, u32::try_from(node).unwrap());
    let Ok(mut tcp) = tcp(from, to).await else { return };
    // The HSM may hang up at any moment.
    let _ = tcp.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    let _ = tcp.read(&mut [0]).await;
    world.figures.count("strangers: connections");
}

/// Asks until the HSM hangs up.
async fn loud(world: &World, dial: &Dial, number: usize, dice: &mut Dice) {
    let Some(mut link) = connect(dial, &PATIENT).await else { return };
    world.figures.count("strangers: connections");
    loop {
        let guess = format!("guess{}", dice.below(1_000_000));
        let called = match number % 4 {
            0 => ask(link, login(UserType::Cu, VICTIM, &guess)).await,
            1 => ask(link, login(UserType::Co, "mallory", &guess)).await,
            2 => ask(link, challenge()).await,
            _ => rehearse(link, login(UserType::Co, "mallory", &guess)).await,
        };
        let Some((again, answer)) = called else { return };
        if matches!(answer, Ok(Some(Reply::Login(()) | Reply::CreateUser(_)))) {
            world.figures.wrong(format!("a stranger is logged in on {}", dial.name));
        }
        world.figures.count("strangers: calls answered");
        link = again;
        sleep(dice.millis(20..150)).await;
    }
}

fn challenge() -> Request {
    Request::GetDigest(GetDigest {
        purpose: Purpose::Login,
        user_type: UserType::Co,
        name: "admin".to_owned(),
    })
}

async fn rehearse(link: Link, request: Request) -> Option<(Link, cloudhsm::protocol::message::Response)> {
    let call = encode(&Call { round: Round::Rehearse, request }).unwrap();
    link.call(call, &PATIENT).await.ok()
}
