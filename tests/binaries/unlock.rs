//! `hsmd unlock`: the way back in for an HSM whose only CO is locked out.

use crate::cluster::{CO_PASSWORD, Cluster};
use crate::process::{hsmd, run, text};

const WARNING: &str = "every CO is locked out";

fn lock_out(cluster: &Cluster) {
    let locked = cluster.play(&"loginHSM CO admin wrong123\n".repeat(6)).with_code(1);
    assert!(locked.stdout.contains("locked"), "{}", locked.stdout);
    cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\n")).with_code(1);
}

fn unlock(cluster: &Cluster, user_type: &str, name: &str, code: i32) -> String {
    let ended = run(&mut hsmd(&["unlock", text(&cluster.path("hsm0")), user_type, name]), "").with_code(code);
    ended.stdout + &ended.stderr
}

fn assert_unlocked(cluster: &Cluster) {
    let session = cluster.play(&format!("loginHSM CO admin {CO_PASSWORD}\n")).with_code(0);
    assert!(session.stdout.contains("loginHSM success"), "{}", session.stdout);
}

#[test]
fn the_only_officer_is_unlocked_on_a_running_hsm_and_on_a_stopped_one() {
    let cluster = Cluster::activated(1);
    let daemon = cluster.run();
    lock_out(&cluster);
    assert!(unlock(&cluster, "CO", "nobody", 1).contains("This user doesn't exist"));
    assert_eq!(unlock(&cluster, "CO", "admin", 0), "Unlocked CO admin\n");
    assert_unlocked(&cluster);

    lock_out(&cluster);
    assert!(!daemon.log().contains(WARNING));
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    let daemon = cluster.run();
    assert!(daemon.log().contains(WARNING), "{}", daemon.log());
    daemon.signal("-TERM");
    daemon.end().with_code(0);
    assert!(unlock(&cluster, "CO", "nobody", 1).contains("This user doesn't exist"));
    assert_eq!(unlock(&cluster, "CO", "admin", 0), "Unlocked CO admin\n");
    let daemon = cluster.run();
    assert!(!daemon.log().contains(WARNING));
    assert_unlocked(&cluster);
    let audit = run(&mut hsmd(&["audit", text(&cluster.path("hsm0"))]), "").with_code(0).stdout;
    let record = "Opcode : CN_UNLOCK_USER (0x1008)\nSession Handle : 0x0\nResponse : 0:HSM Return: SUCCESS\n\
        Log type : MGMT_USER_DETAILS_LOG (2)\nUser Name : admin\n";
    assert_eq!(audit.matches(record).count(), 2, "{audit}");
}
