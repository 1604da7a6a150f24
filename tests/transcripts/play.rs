//! The console of a story: takes its lines from the expectation, and writes down the session.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use cloudhsm::cluster::Cluster;
use cloudhsm::cmu::Session;
use cloudhsm::console::{Console, Input};
use cloudhsm::interrupt::Interrupt;
use cloudhsm::kmu::{self, Single};
use cloudhsm::outcome::Outcome;
use cloudhsm::protocol::Secret;
use cloudhsm::shell::{self, OnError, Unreachable};
use tokio::runtime::{Handle, Runtime};

use crate::stage::{Stage, Tool};

/// Plays a story and returns it as it should read.
pub(crate) fn play(story: &str) -> String {
    let runtime = Runtime::new().unwrap();
    let interrupt = Interrupt::default();
    let (title, rest) = story.split_once('\n').unwrap();
    assert!(title.starts_with("# "), "the first line says what the story shows");
    let mut script = Script {
        lines: rest.lines().map(str::to_owned).collect(),
        text: Rc::new(RefCell::new(format!("{title}\n"))),
        stage: Stage::new(runtime.handle().clone(), interrupt.clone()),
    };
    script.set_the_scene();
    let cluster = script.stage.console();
    match script.stage.tool.clone() {
        Tool::Console => operate(&mut script, cluster, interrupt, runtime.handle().clone()),
        tool => make_keys(&mut script, &tool, cluster, interrupt, runtime.handle().clone()),
    }
    let rest: Vec<String> = script.lines.drain(..).filter(|line| line.starts_with('#')).collect();
    assert!(rest.is_empty(), "never reached: {rest:?}");
    script.stage.without_paths(&script.text.take())
}

fn operate(script: &mut Script, cluster: Cluster, interrupt: Interrupt, runtime: Handle) {
    let text = Rc::clone(&script.text);
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

fn make_keys(script: &mut Script, tool: &Tool, cluster: Cluster, interrupt: Interrupt, runtime: Handle) {
    let text = Rc::clone(&script.text);
    let (shows_start, minimum_nodes) = (script.stage.shows_start, script.stage.minimum_nodes);
    let login = script.stage.login.clone();
    let before = text.borrow().len();
    let mut session = kmu::Session::new(script, cluster, minimum_nodes, interrupt, runtime);
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

struct Script {
    lines: VecDeque<String>,
    text: Rc<RefCell<String>>,
    stage: Stage,
}

impl Script {
    /// Obeys the directions before the first line of the session.
    fn set_the_scene(&mut self) {
        while self.lines.front().is_some_and(|line| line.starts_with('#')) {
            let line = self.lines.pop_front().unwrap();
            self.remark(&line);
        }
    }

    fn remark(&mut self, line: &str) {
        self.text.borrow_mut().push_str(&format!("{line}\n"));
        if let Some(direction) = line.strip_prefix("#! ") {
            let shown = self.stage.direct(direction);
            self.text.borrow_mut().push_str(&shown);
        }
    }

    /// What the story has behind the next such prompt; everything before it that is not a remark is expectation.
    fn ask(&mut self, prompt: &str) -> Input<String> {
        while let Some(line) = self.lines.pop_front() {
            if line.starts_with('#') {
                self.remark(&line);
            } else if let Some(typed) = line.strip_prefix(prompt).or(line.strip_prefix(prompt.trim_end())) {
                let typed = typed.strip_prefix(' ').unwrap_or(typed);
                let shown = if prompt.ends_with(' ') { format!("{prompt}{typed}") } else { line.clone() };
                return self.typed(&shown, typed);
            }
        }
        self.text.borrow_mut().push_str(&format!("{prompt}^D\n"));
        Input::Ended
    }

    fn typed(&mut self, line: &str, typed: &str) -> Input<String> {
        if typed == "^D" {
            self.text.borrow_mut().push_str(&format!("{line}\n"));
            return Input::Ended;
        }
        self.text.borrow_mut().push_str(&format!("{line}\n"));
        if typed.ends_with("^C") { Input::Interrupted } else { Input::Given(self.stage.with_paths(typed)) }
    }
}

impl Console for Script {
    fn line(&mut self, prompt: &str) -> Input<String> {
        self.ask(prompt)
    }

    fn answer(&mut self, question: &str) -> Input<String> {
        self.ask(question)
    }

    fn secret(&mut self, prompt: &str) -> Input<Secret> {
        match self.ask(prompt) {
            Input::Given(line) => Input::Given(Secret::new(line)),
            Input::Interrupted => Input::Interrupted,
            Input::Ended => Input::Ended,
        }
    }

    fn print(&mut self, text: &str) {
        self.text.borrow_mut().push_str(text);
    }

    fn is_lost(&self) -> bool {
        false
    }
}
