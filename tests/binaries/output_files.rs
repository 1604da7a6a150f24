//! Files that the programs write where somebody else has put a symbolic link, and labels that try to control a terminal.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::keys::Kept;
use crate::process::{console, run};

/// A right-to-left override, an escape sequence and a line separator.
const LABEL: &str = "a\u{202e}b\u{1b}[2Jc\u{2028}d";

#[test]
fn no_output_file_is_written_where_a_link_leads() {
    let kept = Kept::new("1");
    let (victim, link) = (kept.path("victim"), kept.path("link"));
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, &link).unwrap();
    kept.single("genSymKey -t 31 -s 32 -l wrapping").with_code(0);
    kept.single("genECCKeyPair -i 2 -l pair").with_code(0);
    for command in [
        "getAttribute -o 6 -a 512 -out",
        "getCert -s 4 -f",
        "extractMaskedObject -o 6 -out",
        "exSymKey -k 6 -w 6 -out",
        "wrapKey -k 8 -w 6 -out",
        "exportPubKey -k 7 -out",
        "exportPrivateKey -k 8 -w 6 -out",
        "getCaviumPrivKey -k 8 -out",
        "aesWrapUnwrap -f /etc/hostname -w 6 -m 1 -out",
        "sign -f /etc/hostname -k 8 -m 17 -out",
    ] {
        let refused = kept.single(&format!("{command} {link}")).with_code(1).stdout;
        assert!(refused.contains("a symbolic link; name the file itself"), "{command}: {refused}");
        assert!(refused.contains(&link), "{command}: {refused}");
    }
    let login = ["-c", "loginHSM CO admin officer123"];
    for command in [format!("findAllKeys 3 0 {link}"), format!("getToken 3 -f {link}")] {
        let dir = kept.dir();
        let arguments = [&["--dev", "1", "--dev-dir", &dir][..], &login, &["-c", &command]].concat();
        let refused = run(&mut console(&arguments), "").with_code(1).stdout;
        assert!(refused.contains("symbolic link") || refused.contains("quorum"), "{command}: {refused}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn a_label_does_not_control_the_terminal() {
    let kept = Kept::new("1");
    let (label, dump) = (kept.path("label"), kept.path("dump"));
    kept.single(&format!("genSymKey -t 31 -s 32 -l {LABEL}")).with_code(0);
    kept.single(&format!("getAttribute -o 6 -a 3 -out {label}")).with_code(0);
    kept.single(&format!("getAttribute -o 6 -a 512 -out {dump}")).with_code(0);
    let dir = kept.dir();
    let ask = |options: &[&str]| {
        let session = ["-c", "loginHSM CU alice crypto12", "-c", "getAttribute 6 3"];
        let arguments = [&["--dev", "1", "--dev-dir", &dir][..], options, &session].concat();
        run(&mut console(&arguments), "").with_code(0).stdout
    };
    let (shown, json) = (ask(&[]), ask(&["--output", "json"]));
    let content = |file: &str| fs::read_to_string(Path::new(file)).unwrap();
    for text in [&shown, &json, &content(&label), &content(&dump)] {
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{2028}']), "{text:?}");
    }
    assert!(shown.contains("a?b?[2Jc?d"), "{shown}");
    assert!(json.contains("a\\u202eb\\u001b[2Jc\\u2028d"), "{json}");
}
