//! The console of a transcript: takes its lines from the expectation, and writes down the session.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::console::{Console, Input};
use crate::protocol::Secret;

/// What surrounds the console.
pub trait Stage {
    /// Obeys a direction, and returns what it shows.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn direct(&mut self, direction: &str) -> Result<String, String>;

    /// What is typed for a line of the transcript.
    fn typed(&self, line: &str) -> String;
}

/// Plays a transcript.
pub struct Player<S> {
    lines: VecDeque<String>,
    text: Rc<RefCell<String>>,
    trouble: Rc<RefCell<Option<String>>>,
    /// Around it.
    pub stage: S,
}

impl<S: Stage> Player<S> {
    /// A transcript from its first line on.
    #[must_use]
    pub fn new(transcript: &str, stage: S) -> Self {
        Self {
            lines: transcript.lines().map(str::to_owned).collect(),
            text: Rc::default(),
            trouble: Rc::default(),
            stage,
        }
    }

    /// The session so far, shared: it can be read when somebody else has the player.
    #[must_use]
    pub fn text(&self) -> Rc<RefCell<String>> {
        Rc::clone(&self.text)
    }

    /// The first direction that was not obeyed, and why, shared as the text is.
    #[must_use]
    pub fn trouble(&self) -> Rc<RefCell<Option<String>>> {
        Rc::clone(&self.trouble)
    }

    /// The remarks before the first line of the session; directions among them are obeyed.
    pub fn read_remarks(&mut self) {
        while let Some(line) = self.lines.pop_front_if(|line| line.starts_with('#')) {
            self.remark(&line);
        }
    }

    /// What was not played.
    #[must_use]
    pub fn rest(&mut self) -> Vec<String> {
        self.lines.drain(..).collect()
    }

    fn remark(&mut self, line: &str) {
        self.text.borrow_mut().push_str(&format!("{line}\n"));
        if let Some(direction) = line.strip_prefix("#! ") {
            match self.stage.direct(direction) {
                Ok(shown) => self.text.borrow_mut().push_str(&shown),
                Err(why) => {
                    self.trouble.borrow_mut().get_or_insert_with(|| format!("#! {direction}: {why}"));
                }
            }
        }
    }

    /// What the transcript has behind the next such prompt; everything before it that is not a remark is expectation.
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

    /// `^D` is the end of input, `^C` at the end of a line abandons it.
    fn typed(&mut self, line: &str, typed: &str) -> Input<String> {
        self.text.borrow_mut().push_str(&format!("{line}\n"));
        match typed {
            "^D" => Input::Ended,
            abandoned if abandoned.ends_with("^C") => Input::Interrupted,
            line => Input::Given(self.stage.typed(line)),
        }
    }
}

impl<S: Stage> Console for Player<S> {
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
