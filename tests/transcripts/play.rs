//! The console of a story: takes its lines from the expectation, and writes down the session.

use cloudhsm::cluster::Cluster;
use cloudhsm::cmu::Session;
use cloudhsm::interrupt::Interrupt;
use cloudhsm::kmu::{self, Single};
use cloudhsm::outcome::Outcome;
use cloudhsm::shell::{self, OnError, Unreachable};
use cloudhsm::transcript::Player;
use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::stage::{Stage, Tool};

/// Plays a story and returns it as it should read.
pub(crate) fn play(story: &str) -> String {
    let runtime = Rc::new(Runtime::new().unwrap());
    let interrupt = Interrupt::default();
    let (title, _) = story.split_once('\n').unwrap();
    assert!(title.starts_with("# "), "the first line says what the story shows");
    let mut script = Player::new(story, Stage::new(Rc::clone(&runtime), interrupt.clone()));
    script.read_remarks();
    let cluster = script.stage.console();
    match script.stage.tool.clone() {
        Tool::Console => operate(&mut script, cluster, interrupt, Rc::clone(&runtime)),
        tool => make_keys(&mut script, &tool, cluster, interrupt, Rc::clone(&runtime)),
    }
    let rest: Vec<String> = script.rest().into_iter().filter(|line| line.starts_with('#')).collect();
    assert!(rest.is_empty(), "never reached: {rest:?}");
    script.stage.without_paths(&script.text().take())
}

fn operate(script: &mut Player<Stage>, cluster: Cluster, interrupt: Interrupt, runtime: Rc<Runtime>) {
    let text = script.text();
    let (shows_start, unreachable) = (script.stage.shows_start, script.stage.unreachable);
    let before = text.borrow().len();
    let mut session = Session::new(script, cluster, interrupt, runtime);
    let started = shell::start_up(&mut session, true, unreachable);
    if !shows_start {
        assert!(started || unreachable == Unreachable::GiveUp);
        text.borrow_mut().truncate(before);
    }
    if started {
        shell::run(&mut session, OnError::Continue);
    }
}

fn make_keys(
    script: &mut Player<Stage>,
    tool: &Tool,
    cluster: Cluster,
    interrupt: Interrupt,
    runtime: Rc<Runtime>,
) {
    let text = script.text();
    let (shows_start, minimum_nodes) = (script.stage.shows_start, script.stage.minimum_nodes);
    let (login, build) = (script.stage.login.clone(), script.stage.build);
    let before = text.borrow().len();
    let mut session = kmu::Session::new(script, cluster, minimum_nodes, interrupt, runtime);
    session.build = build;
    let started = kmu::start_up(&mut session);
    if let Some(login) = login {
        assert_eq!(kmu::run_line(&mut session, &login), Outcome::Done);
    }
    if !shows_start {
        assert!(started);
        text.borrow_mut().truncate(before);
    }
    match tool {
        Tool::Single(words) => {
            let single = Single::parse(words).unwrap();
            let outcome = single.run(&mut session);
            text.borrow_mut().push_str(&format!("\nended: {outcome:?}\n"));
        }
        Tool::Console | Tool::Keys if !started => {}
        Tool::Console | Tool::Keys => {
            shell::run(&mut session, OnError::Continue);
        }
    }
}
