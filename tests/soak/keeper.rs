//! Who keeps the audit logs short, and looks after the HSMs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::{PATIENT, officer};
use crate::dice::Dice;
use crate::nodes::Usage;
use crate::process::{hsmd, run, text};
use crate::world::{SERVERS, World};

/// The pieces of the logs that were exported last, a server each.
pub(crate) struct Keeper {
    world: Arc<World>,
    folder: PathBuf,
    dice: Dice,
    pieces: Vec<Option<PathBuf>>,
    next: u32,
}

impl Keeper {
    pub(crate) fn new(world: &Arc<World>, folder: &Path) -> Self {
        let (world, dice) = (Arc::clone(world), Dice::new(world.seed, "keeper"));
        Self { world, folder: folder.to_owned(), dice, pieces: vec![None; SERVERS], next: 0 }
    }

    pub(crate) fn work(mut self) -> Self {
        let world = Arc::clone(&self.world);
        while !world.is_over() {
            let pause = self.dice.millis(1000..5000);
            world.pause(pause);
            let server = self.dice.below(SERVERS);
            match self.dice.below(3) {
                0 => self.back_up(server),
                _ => self.shorten(server),
            }
        }
        self
    }

    /// Exports the log, verifies that it joins what was exported before, and prunes it.
    fn shorten(&mut self, server: usize) {
        self.next += 1;
        let piece = self.folder.join(format!("audit{server}_{}", self.next));
        let hsm = self.world.nodes[server].folder();
        // If the last attempt was cut short, that piece is still there.
        if let Some(last) = self.pieces[server].clone()
            && !self.hsmd(server, &["audit", "prune", text(&hsm), text(&last)])
        {
            return;
        }
        if !self.hsmd(server, &["audit", "export", text(&hsm), text(&piece)]) {
            return;
        }
        let last = self.pieces[server].replace(piece.clone());
        let pieces: Vec<&str> = last.iter().chain([&piece]).map(|path| text(path)).collect();
        let verified = run(&mut hsmd(&[&["audit", "verify"], pieces.as_slice()].concat()), "");
        if verified.code != Some(0) {
            self.world.figures.wrong(format!("the audit log of server {server}: {}", verified.stderr));
        }
        let text = std::fs::read_to_string(&piece).unwrap();
        let records = u64::try_from(text.lines().count().saturating_sub(1)).unwrap();
        self.world.figures.add("audit records exported, verified and pruned", records);
        last.iter().for_each(|last| std::fs::remove_file(last).unwrap());
    }

    fn back_up(&mut self, server: usize) {
        self.next += 1;
        let (file, key) = (self.folder.join("backup"), self.folder.join("key"));
        let hsm = self.world.nodes[server].folder();
        let (file, key) = (text(&file), text(&key));
        for path in [file, key] {
            // There is none the first time.
            let _ = std::fs::remove_file(path);
        }
        if self.hsmd(server, &["backup", text(&hsm), "--out", file, "--key-file", key])
            && run(&mut hsmd(&["check-backup", file, "--key-file", key]), "").code != Some(0)
        {
            self.world.figures.wrong(format!("a backup of server {server} is not one"));
        }
    }

    /// Runs `hsmd`, which may fail only while something is done to the HSM.
    fn hsmd(&self, server: usize, arguments: &[&str]) -> bool {
        let node = &self.world.nodes[server];
        let before = node.calm();
        let ended = run(&mut hsmd(arguments), "");
        if ended.code == Some(0) {
            self.world.figures.count(&format!("runs of hsmd {}", arguments[0]));
            return true;
        }
        // On a busy machine that may be too short.
        let is_late = ended.stderr.contains("no answer for 10 s");
        // It was pruned, and the HSM was down or its disk full since. If a record is lost, the next piece does not join.
        let is_empty = ended.stderr.contains("the audit log is empty");
        if before.is_some() && node.calm() == before && !is_late && !is_empty {
            self.world.figures.wrong(format!("hsmd {arguments:?}: {}", ended.stderr));
        }
        false
    }

    /// Whether what is left of the logs joins what was exported.
    pub(crate) fn verify(&self) {
        for (server, piece) in self.pieces.iter().enumerate() {
            let folder = self.world.nodes[server].folder();
            if let Some(piece) = piece {
                // A kill may have come between the export and its pruning.
                run(&mut hsmd(&["audit", "prune", text(&folder), text(piece)]), "").with_code(0);
            }
            let pieces: Vec<&str> = piece.iter().chain([&folder]).map(|path| text(path)).collect();
            let verified = run(&mut hsmd(&[&["audit", "verify"], pieces.as_slice()].concat()), "");
            match verified.code {
                Some(0) => self.world.figures.count("audit logs that verify at the end"),
                _ => self.world.figures.wrong(format!("the audit log of {server}: {}", verified.stderr)),
            }
        }
    }
}

/// Measures server 0, which lives to the end, and how long a CO needs to get in.
pub(crate) fn watch(world: &World) -> Vec<Usage> {
    let mut usages = Vec::new();
    while !world.is_over() {
        let node = &world.nodes[0];
        usages.extend(node.usage());
        let (before, began) = (node.calm(), Instant::now());
        let is_in = world.runtime.block_on(officer(&world.direct[0], &PATIENT)).is_some();
        if before.is_some() && node.calm() == before {
            world.figures.time("a CO connects and logs in among the others", began.elapsed());
            if !is_in {
                world.figures.wrong("a CO does not get in".to_owned());
            }
        }
        world.pause(Duration::from_millis(1000));
    }
    usages
}
