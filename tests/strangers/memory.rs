//! What the memory of a running `hsmd` holds.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use rustix::process::{Pid, Resource, Rlimit, geteuid, prlimit};

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::Process;

const PASSWORDS: [&str; 4] = [CO_PASSWORD, "canaryalice1", "canarybob2", "canarywrong3"];

#[test]
fn after_a_session_the_memory_holds_none_of_its_passwords() {
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    cluster
        .play(&format!(
            "loginHSM CO admin {}\ncreateUser CU alice {}\ny\nchangePswd CU alice {}\ny\nlogoutHSM\nloginHSM CU alice {}\n",
            PASSWORDS[0], PASSWORDS[1], PASSWORDS[2], PASSWORDS[3]
        ))
        .with_code(1);
    daemon.wait_until_asleep();
    // Only root may, and in some containers not even root.
    let Some(memory) = memory(&daemon) else { return };
    assert!(count(&memory, b"Argon2") > 0 || count(&memory, b"argon2id") > 0, "it is not the memory of hsmd");
    let copies = PASSWORDS.map(|password| count(&memory, password.as_bytes()));
    assert_eq!(copies, [0; 4]);
}

/// The console's own end of the frames; what was typed in a line is not asked about here.
#[test]
fn a_console_that_is_still_open_holds_no_password_in_a_frame() {
    let cluster = Cluster::activated(1);
    let _daemon = cluster.run();
    let mut console = cluster.at_prompt();
    console.command(&format!("loginHSM CO admin {}", PASSWORDS[0]));
    console.command(&format!("createUser CU alice {}\ny", PASSWORDS[1]));
    console.command(&format!("changePswd CU alice {}\ny", PASSWORDS[2]));
    // A child's memory can be read, but not in every container.
    let Some(memory) = memory(&console) else { return };
    // In a frame, a password comes after its length and the user's name.
    for (name, password) in [("admin", PASSWORDS[0]), ("alice", PASSWORDS[1]), ("alice", PASSWORDS[2])] {
        let length = u8::try_from(password.len()).unwrap();
        let framed = [name.as_bytes(), &[length], password.as_bytes()].concat();
        println!(
            "{password}: {} copies, {} in frames",
            count(&memory, password.as_bytes()),
            count(&memory, &framed)
        );
        assert_eq!(count(&memory, &framed), 0);
    }
}

#[test]
fn neither_a_core_nor_another_program_gets_the_memory() {
    let cluster = Cluster::new(1);
    let daemon = cluster.run();
    let limits = prlimit(Pid::from_raw(daemon.id().cast_signed()), Resource::Core, none()).unwrap();
    assert_eq!(limits.current, Some(0));
    // The kernel gives the files of a process that is not dumpable to root.
    let file = format!("/proc/{}/mem", daemon.id());
    assert!(geteuid().is_root() || File::open(file).is_err());
}

fn none() -> Rlimit {
    Rlimit { current: Some(0), maximum: Some(0) }
}

/// All that a process has in memory, if this one may read it.
fn memory(process: &Process) -> Option<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", process.id())).ok()?;
    let memory = File::open(format!("/proc/{}/mem", process.id())).ok()?;
    let mut all = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (begin, end) = map.split_whitespace().next()?.split_once('-')?;
        let [begin, end] = [begin, end].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap()];
        // The kernel's own maps cannot be read.
        if memory.read_exact_at(&mut bytes, begin).is_ok() {
            all.extend(bytes);
        }
    }
    Some(all)
}

fn count(memory: &[u8], text: &[u8]) -> usize {
    memory.windows(text.len()).filter(|window| *window == text).count()
}
