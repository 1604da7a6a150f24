//! The run, from its beginning to its table.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::runtime::Runtime;

use crate::client::allows_files;
use crate::keeper::{Keeper, watch};
use crate::keysmiths::{self, Keysmith};
use crate::nodes::Usage;
use crate::officers::Officer;
use crate::setup;
use crate::worker::{self, Worker};
use crate::world::{SERVERS, Scale, World};
use crate::{faults, strangers, verify};

/// What an HSM may have gained in memory by the end.
const GROWTH_KB: u64 = 16 * 1024;

/// What all actors leave.
struct Left {
    workers: Vec<Worker>,
    officers: Vec<Officer>,
    keysmiths: Vec<Keysmith>,
    keeper: Keeper,
    usages: Vec<Usage>,
}

pub(crate) fn soak(seed: u64, time: Duration, scale: Scale) -> Result<(), String> {
    println!("soak: {} s with seed {seed}, {scale:?}", time.as_secs());
    if !allows_files(8192) {
        return Ok(());
    }
    let runtime = Runtime::new().unwrap();
    let world = Arc::new(runtime.block_on(setup::world(seed, scale)));
    let workers = runtime.block_on(setup::fill(&world));
    world.begin(time);
    let before = world.nodes[0].usage();
    let left = disturb(&runtime, &world, workers);
    measure(&world, before, &left.usages);
    end_and_start_again(&world);
    check(&runtime, &world, &left);
    println!("\n{}", world.figures.table());
    world.figures.verdict()
}

/// All at once, until the time is over.
fn disturb(runtime: &Runtime, world: &Arc<World>, workers: Vec<Worker>) -> Left {
    let crowd = strangers::start(world);
    let working: Vec<_> = workers.into_iter().map(|worker| runtime.spawn(worker.work())).collect();
    let config = |number| setup::config(&world.cluster, number);
    let consoles = 0..world.scale.consoles;
    let officers = consoles.clone().map(|number| Officer::new(world, number, config(number + 1)));
    let officers: Vec<_> = officers.map(|officer| thread::spawn(|| officer.work())).collect();
    let keysmiths = consoles.map(|number| Keysmith::new(world, number, config(number)));
    let keysmiths: Vec<_> = keysmiths.map(|keysmith| thread::spawn(|| keysmith.work())).collect();
    let keeper = Keeper::new(world, &world.cluster.path(""));
    let keeper = thread::spawn(|| keeper.work());
    let watched = Arc::clone(world);
    let watching = thread::spawn(move || watch(&watched));
    for disturbing in faults::start(world) {
        disturbing.join().expect("what disturbs panicked");
    }
    // With all HSMs up, everybody ends what was begun.
    let workers =
        runtime.block_on(join_all(working)).into_iter().map(|worker| worker.expect("a worker panicked"));
    let left = Left {
        workers: workers.collect(),
        officers: officers.into_iter().map(|officer| officer.join().expect("an officer panicked")).collect(),
        keysmiths: keysmiths.into_iter().map(|smith| smith.join().expect("a keysmith panicked")).collect(),
        keeper: keeper.join().expect("the keeper panicked"),
        usages: watching.join().expect("the watch panicked"),
    };
    crowd.shutdown_background();
    left
}

/// Server 0 has lived all the time.
fn measure(world: &World, before: Option<Usage>, during: &[Usage]) {
    let Some(before) = before else {
        return world.figures.line("memory and descriptors", "not measured: /proc cannot be read");
    };
    // Connections that were cut end some time later.
    let began = Instant::now();
    let mut after = world.nodes[0].usage().unwrap();
    while after.files > before.files + 8 && began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(200));
        after = world.nodes[0].usage().unwrap();
    }
    let peak = |of: fn(&Usage) -> u64| during.iter().map(of).max().unwrap_or_default();
    let (memory, files) = (peak(|usage| usage.resident_kb), peak(|usage| usage.files));
    let quarter = during.len() / 4;
    let median = |part: &[Usage]| {
        let mut sizes: Vec<u64> = part.iter().map(|usage| usage.resident_kb).collect();
        sizes.sort_unstable();
        sizes.get(sizes.len() / 2).copied().unwrap_or_default()
    };
    let (second, last) = (median(&during[quarter..2 * quarter]), median(&during[3 * quarter..]));
    let figures = &world.figures;
    figures.line(
        "resident memory of server 0: full and quiet, median of the second and of the last quarter, peak, at the end",
        format!("{} kB, {second} kB, {last} kB, {memory} kB, {} kB", before.resident_kb, after.resident_kb),
    );
    figures.line(
        "descriptors of server 0: full and quiet, peak, at the end",
        format!("{}, {files}, {}", before.files, after.files),
    );
    let stores: Vec<String> = world.nodes.iter().map(|node| format!("{} kB", node.store() / 1024)).collect();
    figures.line("stores at the end", stores.join(", "));
    if last > second + second / 10 + GROWTH_KB {
        figures.wrong(format!("server 0 grows: {second} kB in the second quarter, {last} kB in the last"));
    }
    if after.files > before.files + 8 {
        figures.wrong(format!("server 0 keeps {} descriptors, {} before", after.files, before.files));
    }
}

/// All HSMs at once, with no time to write anything.
fn end_and_start_again(world: &World) {
    world.nodes.iter().for_each(|node| node.end("-KILL"));
    world.nodes.iter().for_each(crate::nodes::Node::start_again);
}

fn check(runtime: &Runtime, world: &Arc<World>, left: &Left) {
    let listed = verify::rows(world, "listUsers");
    runtime.block_on(async {
        let workers = left.workers.iter().map(|worker| (&worker.desk.name, worker::PASSWORD, &worker.book));
        let smiths = left.keysmiths.iter().map(|smith| (&smith.name, keysmiths::PASSWORD, &smith.book));
        let checks =
            workers.chain(smiths).map(|(name, password, book)| verify::keys(world, name, password, book));
        join_all(checks).await;
        for officer in &left.officers {
            verify::users(world, officer, &listed).await;
        }
    });
    verify::hashes(world);
    left.keeper.verify();
    for (server, node) in world.nodes.iter().enumerate() {
        if node.log().contains("panicked") {
            world.figures.wrong(format!("server {server} has panicked: {}", node.log()));
        }
    }
    world.figures.line("users and keys of an HSM", {
        let keys = verify::rows(world, "findAllKeys 0 0")[0]["data"]["keys"].as_array().unwrap().len();
        format!("{} and {keys}", listed[0]["data"]["users"].as_array().unwrap().len())
    });
    world.figures.line("HSMs", SERVERS.to_string());
}
