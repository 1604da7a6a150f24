//! What is done to the HSMs and to the connections.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{PATIENT, officer};
use crate::dice::Dice;
use crate::world::{SERVERS, World};
use cloudhsm::hsmd::faults::{Door, Fault};

#[derive(Clone, Copy, Debug)]
enum Disturbance {
    Kill,
    KillTwo,
    Terminate,
    Stop,
    StopLong,
    FillDisk,
}

/// Of an HSM whose users all log in again at once, on a machine that is busy with other things.
const LONGEST_RECOVERY: Duration = Duration::from_secs(300);

/// Lines of a log.
const SHOWN: usize = 20;

/// Server 0 is never ended before the end: what its memory and its descriptors come to is measured.
const MORTAL: std::ops::Range<usize> = 1..SERVERS;

/// Starts the threads that disturb; they end with the run, and leave everything in order.
pub(crate) fn start(world: &Arc<World>) -> [JoinHandle<()>; 2] {
    let (processes, network) = (Arc::clone(world), Arc::clone(world));
    [thread::spawn(move || disturb_processes(&processes)), thread::spawn(move || disturb_network(&network))]
}

fn disturb_processes(world: &World) {
    let mut dice = Dice::new(world.seed, "processes");
    let has_small_disk = world.nodes.iter().any(crate::nodes::Node::has_small_disk);
    let mut choices = vec![
        (8, Disturbance::Kill),
        (2, Disturbance::KillTwo),
        (2, Disturbance::Terminate),
        (6, Disturbance::Stop),
    ];
    if world.scale.is_full() {
        choices.push((1, Disturbance::StopLong));
    }
    if has_small_disk {
        choices.push((4, Disturbance::FillDisk));
    } else {
        println!("NOT TRIED: a full disk, as this process may not mount a small one (unshare -rm)");
        world.figures.line("full disks", "not tried: a small one could not be mounted");
    }
    while !world.is_over() {
        world.pause(dice.millis(500..3000));
        let disturbance = dice.weighted(&choices);
        world.figures.count(&format!("disturbed: {disturbance:?}"));
        let victim = MORTAL.start + dice.below(MORTAL.len());
        let time = dice.millis(0..2000);
        match disturbance {
            Disturbance::Kill => restarted(world, &[victim], "-KILL", time),
            Disturbance::KillTwo => restarted(world, &MORTAL.collect::<Vec<_>>(), "-KILL", time),
            Disturbance::Terminate => restarted(world, &[victim], "-TERM", time),
            Disturbance::Stop => stopped(world, dice.below(SERVERS), time),
            Disturbance::StopLong => stopped(world, dice.below(SERVERS), time + Duration::from_secs(9)),
            // A store that is large has room in its file for a while.
            Disturbance::FillDisk if world.scale.is_full() => without_space(world, time * 5),
            Disturbance::FillDisk => without_space(world, time),
        }
    }
}

fn restarted(world: &World, victims: &[usize], signal: &str, time: Duration) {
    let [first, rest @ ..] = victims else { return world.pause(time) };
    let node = &world.nodes[*first];
    node.disturbed(|| {
        node.end(signal);
        restarted(world, rest, signal, time);
        node.start_again();
    });
}

fn stopped(world: &World, victim: usize, time: Duration) {
    let node = &world.nodes[victim];
    node.disturbed(|| {
        node.signal("-STOP");
        // The end of the run does not shorten it: an answer that is lost is lost.
        thread::sleep(time);
        node.signal("-CONT");
    });
}

fn without_space(world: &World, time: Duration) {
    let (number, node) =
        world.nodes.iter().enumerate().find(|(_, node)| node.has_small_disk()).expect("one has");
    node.disturbed(|| node.without_space(|| thread::sleep(time)));
    // A login is recorded: it is a change.
    let began = Instant::now();
    let is_in = || world.runtime.block_on(officer(&world.direct[number], &PATIENT)).is_some();
    while !is_in() {
        if began.elapsed() > LONGEST_RECOVERY {
            let log = node.log();
            let last = log.lines().rev().take(SHOWN).collect::<Vec<_>>().join(
                "
",
            );
            let what = format!(
                "server {number} refuses a login although there is space again:
{last}"
            );
            return world.figures.wrong(what);
        }
        thread::sleep(Duration::from_millis(50));
    }
    world.figures.time("a CO gets in where the disk was full", began.elapsed());
}

fn disturb_network(world: &World) {
    let mut dice = Dice::new(world.seed, "network");
    // A console waits half a minute for a call that stalls: too long for a short run. A relay that has died cannot be
    // made to refuse.
    let is_allowed = |fault: &&Fault| match fault {
        Fault::Dies => false,
        Fault::Stalls => world.scale.is_full(),
        _ => true,
    };
    let allowed: Vec<(usize, Fault)> = Fault::ANY_CALL
        .iter()
        .filter(is_allowed)
        .map(|fault| (if *fault == Fault::Stalls { 1 } else { 6 }, *fault))
        .collect();
    while !world.is_over() {
        world.pause(dice.millis(100..1000));
        let (relay, calls, time) = (dice.below(SERVERS), dice.below(8), dice.millis(100..2000));
        if dice.below(8) > 0 {
            let fault = dice.weighted(&allowed);
            world.figures.count(&format!("cut: {fault:?}"));
            world.runtime.block_on(async { world.relays.lock().await[relay].fail_after(calls, fault) });
            continue;
        }
        let door = dice.weighted(&[(2, Door::Refuses), (1, Door::StallsInHandshake), (1, Door::SpeaksNoTls)]);
        world.figures.count(&format!("cut: {door:?}"));
        set_door(world, relay, door);
        world.pause(time);
        set_door(world, relay, Door::Open);
    }
    (0..SERVERS).for_each(|relay| set_door(world, relay, Door::Open));
}

fn set_door(world: &World, relay: usize, door: Door) {
    world.runtime.block_on(async { world.relays.lock().await[relay].set_door(door).await.unwrap() });
}
