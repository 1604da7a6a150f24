//! When a process is killed: also between two steps on the disk that are microseconds apart.

use std::fs;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::dice::Dice;

/// After so many changes of names in the folder, or after a time; soon, if there are no more changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    Change(usize),
    Time(Duration),
}

/// Of an account's folder, with all folders in it.
pub(crate) struct Watch(OwnedFd);

/// For the next change.
const LIMIT: Duration = Duration::from_millis(500);

impl Moment {
    pub(crate) fn of(dice: &mut Dice) -> Self {
        match dice.throw(4) {
            0 => Self::Time(Duration::from_micros(dice.throw(200_000) as u64)),
            _ => Self::Change(1 + dice.throw(24)),
        }
    }

    /// Returns when it has come, or all calls are answered.
    pub(crate) fn wait(self, watch: &Watch, answered: &AtomicBool) {
        let (start, mut last, mut changes) = (Instant::now(), Instant::now(), 0);
        let has_come = |changes, last: Instant| match self {
            Self::Change(number) => changes >= number || last.elapsed() > LIMIT,
            Self::Time(time) => start.elapsed() >= time,
        };
        while !has_come(changes, last) && !answered.load(Ordering::Relaxed) {
            if matches!(self, Self::Change(_)) && watch.has_changed() {
                (changes, last) = (changes + 1, Instant::now());
            } else {
                sleep(Duration::from_micros(20));
            }
        }
    }
}

impl Watch {
    pub(crate) fn on(account: &Path) -> Self {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        watch_all(&inotify, account);
        Self(inotify)
    }

    fn has_changed(&self) -> bool {
        // For one event: what does not fit stays for the next time.
        let mut space = [MaybeUninit::uninit(); 300];
        inotify::Reader::new(&self.0, &mut space).next().is_ok_and(|event| {
            // Its queue has an end, as has a folder that is removed.
            !event.events().contains(ReadFlags::IGNORED)
        })
    }
}

fn watch_all(inotify: &OwnedFd, folder: &Path) {
    let names = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
    inotify::add_watch(inotify, folder, names).unwrap();
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).for_each(|path| watch_all(inotify, &path));
}
