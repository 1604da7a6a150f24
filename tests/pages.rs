//! README.md, CONTRIBUTING.md, SECURITY.md and docs/ are true: every command in a block runs as it stands there, the
//! output that a page shows is what was printed, and links lead somewhere.
//!
//! A page is a story: its `sh` blocks run in order, in one shell. A `text` block is what the block above it prints,
//! where a line `…` stands for lines that are left out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "pages/page.rs"]
mod page;
#[path = "pages/play.rs"]
mod play;

use std::collections::BTreeSet;
use std::process::Command;

use cloudhsm::transcript::diff;
use libtest_mimic::{Arguments, Failed, Trial};
use page::Page;

/// Lines that do not run, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo build --release", "cargo has built the programs under test"),
    ("export PATH=\"$PWD/target/release:$PATH\"", "the programs under test are in the path already"),
    ("tests/run", "runs this test"),
    (".ci/run", "runs this test"),
    ("cargo test --test transcripts -- create_user", "a test"),
    ("cargo test --test soak", "a test"),
    ("cargo test --release --test soak -- --seconds 600 --seed 7", "takes minutes"),
    ("TRANSCRIPTS=overwrite cargo test --test transcripts", "would make any output the expected one"),
    ("DOCS=overwrite cargo test --test docs", "would make any help the expected one"),
    ("cargo bench --bench speed", "takes minutes, and programs that this test does not install"),
    ("cargo install --path . --root /opt/cloudhsm", "changes the machine"),
    ("packaging/build-deb", "takes minutes and root; .ci/run runs it"),
    ("packaging/build-image", "takes minutes and root; .ci/run runs it"),
    ("docker load --input cloudhsm-mgmt-util-image.tar", "packaging/try-image does this with podman"),
    (
        "docker run --detach --name account --network host localhost/cloudhsm-mgmt-util:0.1.0",
        "packaging/try-image does this with podman",
    ),
    (
        "until docker exec account hsmd service --check; do sleep 1; done",
        "packaging/try-image does this with podman",
    ),
    (
        "docker run --detach --name account --volume /tmp/credentials:/credentials:ro --publish 127.0.0.1:4225:4225 \\",
        "packaging/try-image does this with podman",
    ),
    (
        "    --publish 127.10.1.4:2225:20000 --publish 127.10.1.5:2225:20001 --publish 127.11.1.4:2225:20100 \\",
        "packaging/try-image does this with podman",
    ),
    (
        "    localhost/cloudhsm-mgmt-util:0.1.0 service --dir /var/lib/hsmd/account \\",
        "packaging/try-image does this with podman",
    ),
    (
        "    --listen 0.0.0.0:4225 --credentials /credentials --hsm-ports 20000-20199",
        "packaging/try-image does this with podman",
    ),
    ("/opt/cloudhsm/bin/hsmd cluster init --dir /var/lib/hsmd", "packaging/try-installed runs it"),
    ("systemctl enable --now hsmd", "packaging/try-installed runs it"),
    ("cargo install cargo-fuzz --locked", "changes the machine"),
    ("pip install awscli", "tests/run installs it"),
    ("examples/recovery/with-aws.sh", "tests/aws.rs runs it"),
    ("fuzz/run wire -max_total_time=240", "takes minutes"),
    ("cargo install cargo-mutants --locked", "changes the machine"),
    ("cargo mutants --re hsm/quorum.rs", "takes an hour"),
    ("git diff main >target/change.diff", "a clone for tests has no main"),
    ("cargo mutants --in-diff target/change.diff", "takes minutes"),
];

/// A page, and what holds of its output.
type Output = (&'static str, fn(&str));

/// What holds of the output, besides what the pages show of it.
const MORE: &[Output] = &[
    ("docs/configuration.md", all_hsms_are_configured),
    ("docs/monitoring.md", both_hsms_are_up),
    ("docs/quorum.md", the_quorum_creates_a_user),
    ("docs/recovery.md", all_hashes_are_equal),
];

/// What holds of all pages, and its check.
type Claim = (&'static str, fn(&[Page]));

fn main() {
    let pages = Page::all();
    let stories = pages.iter().enumerate().filter(|(_, page)| !page.blocks.is_empty());
    let mut trials: Vec<_> = stories.map(|(number, page)| story(number, page.clone())).collect();
    let claims: [Claim; 6] = [
        ("every exception is needed", every_exception_is_needed),
        ("links lead somewhere", links_lead_somewhere),
        ("the readme leads to every page", the_readme_leads_to_every_page),
        ("programs have the options that pages name", programs_have_the_options),
        ("lines are short", lines_are_short),
        ("exit codes are those of the help", exit_codes_are_those_of_the_help),
    ];
    for (name, check) in claims {
        let pages = pages.clone();
        trials.push(Trial::test(name, move || {
            check(&pages);
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn story(number: usize, page: Page) -> Trial {
    Trial::test(page.path.clone(), move || {
        let printed = play::play(number, &page, |line| NOT_RUN.iter().all(|(except, _)| *except != line));
        for (block, printed) in page.blocks.iter().zip(&printed) {
            if let Some(shown) = &block.shown {
                shows(shown, printed)?;
            }
        }
        for (_, holds) in MORE.iter().filter(|(path, _)| *path == page.path) {
            holds(&printed.concat());
        }
        Ok(())
    })
}

/// All of what was printed, but for what is left out.
fn shows(shown: &str, printed: &str) -> Result<(), Failed> {
    let mut rest = Some(printed);
    for (number, part) in shown.split("…\n").enumerate() {
        rest = match (number, rest) {
            (0, Some(rest)) => rest.strip_prefix(part),
            // A part begins where a line does.
            (_, Some(rest)) => {
                format!("\n{rest}").find(&format!("\n{part}")).map(|at| &rest[at + part.len()..])
            }
            (_, None) => None,
        };
    }
    let ends_the_same = |rest: &str| rest.is_empty() || shown.ends_with("…\n");
    if rest.is_some_and(ends_the_same) {
        return Ok(());
    }
    Err(diff(shown, printed, "page").into())
}

fn every_exception_is_needed(pages: &[Page]) {
    let lines: Vec<&str> =
        pages.iter().flat_map(|page| &page.blocks).flat_map(|block| block.script.lines()).collect();
    for (line, reason) in NOT_RUN {
        assert!(lines.contains(line), "{line}: is on no page ({reason})");
    }
    for (path, _) in MORE {
        assert!(pages.iter().any(|page| page.path == *path), "{path}");
    }
}

fn links_lead_somewhere(pages: &[Page]) {
    for page in pages {
        for link in page.links() {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            assert!(std::path::Path::new(path).exists(), "{}: {link}", page.path);
            let target = pages.iter().find(|page| page.path == path);
            let is_there = anchor.is_empty() || target.is_some_and(|page| page.anchors().contains(anchor));
            assert!(is_there, "{}: {link}", page.path);
        }
    }
}

fn the_readme_leads_to_every_page(pages: &[Page]) {
    let links: BTreeSet<String> = pages[0].links().collect();
    for page in &pages[1..] {
        assert!(links.contains(&page.path), "{}", page.path);
    }
}

fn programs_have_the_options(pages: &[Page]) {
    for program in play::PROGRAMS {
        let manual = play::program(program).args(["--generate", "man"]).output().unwrap().stdout;
        let manual = String::from_utf8(manual).unwrap().replace("\\-", "-");
        for page in pages {
            let spans =
                page.code_spans().into_iter().filter(|span| span.split_whitespace().next() == Some(program));
            for option in spans.flat_map(str::split_whitespace).filter(|word| word.starts_with("--")) {
                assert!(manual.contains(option), "{}: {program} {option}", page.path);
            }
        }
    }
}

/// What may be longer are tables and what programs print.
fn lines_are_short(pages: &[Page]) {
    for page in pages {
        let lines = page.by_hand().lines().filter(|line| !line.starts_with('|'));
        let long: Vec<_> = lines.filter(|line| line.chars().count() > 120).collect();
        assert!(long.is_empty(), "{}: {long:#?}", page.path);
    }
}

fn exit_codes_are_those_of_the_help(pages: &[Page]) {
    for (program, count, paths) in [
        ("cloudhsm_mgmt_util", 6, &["README.md", "docs/scripts.md"][..]),
        ("key_mgmt_util", 4, &["docs/key_mgmt_util.md"]),
    ] {
        let help = String::from_utf8(Command::output(play::program(program).arg("--help")).unwrap().stdout);
        let help = help.unwrap();
        let codes: Vec<_> = help.lines().filter_map(|line| line.trim().split_once("  ")).collect();
        let codes: Vec<_> = codes.into_iter().filter(|(code, _)| code.parse::<u8>().is_ok()).collect();
        assert_eq!(codes.len(), count, "{help}");
        for page in pages.iter().filter(|page| paths.contains(&page.path.as_str())) {
            for (code, meaning) in &codes {
                assert!(
                    page.text.contains(&format!("| {code} | {meaning}")),
                    "{}: {code} {meaning}",
                    page.path
                );
            }
        }
    }
}

fn the_quorum_creates_a_user(printed: &str) {
    assert_eq!(printed.matches("approveToken success on server").count(), 2, "{printed}");
    let (_, created) = printed.split_once("Creating User alice(CU) on 2 nodes\n").unwrap();
    assert_eq!(created.matches("createUser success on server").count(), 2, "{printed}");
    assert_eq!(created.matches("Num of tokens = 0\n").count(), 2, "{printed}");
}

fn all_hashes_are_equal(printed: &str) {
    let hashes: Vec<&str> = printed.split("Key Hash:\n").skip(1).map(|rest| &rest[..64]).collect();
    assert_eq!(hashes.len(), 4, "{printed}");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    assert_eq!(printed.matches("\n6(o),7(o)\n").count(), 4, "{printed}");
}

fn both_hsms_are_up(printed: &str) {
    let up = printed.lines().filter(|line| line.starts_with("hsmd_up{") && line.ends_with(" 1"));
    assert_eq!(up.count(), 2, "{printed}");
}

fn all_hsms_are_configured(printed: &str) {
    assert_eq!(printed.matches("Updating server config in cloudhsm_mgmt_util.cfg\n").count(), 3, "{printed}");
    for node in 1..=3 {
        assert!(printed.contains(&format!("Connected to server '127.0.3.{node}'")), "{printed}");
    }
}
