//! `--shell`: the equivalent shell commands, as a script that can be saved and run.
//!
//! The calls of two processes become one script, in the order in which they are made: what the runtime does
//! before the clone; the clone, as an unshare(1) whose child reads the rest from a here-document; inside it
//! what the container's first process does, each of its own unshares as a nested here-document; then what the
//! runtime does when the command has ended. What the runtime does just *after* the clone, while the child
//! waits, is kept and printed behind the here-document; there the two shells wait for each other by fifos.

mod commands;
mod mounts;
mod quote;
mod rights;
#[cfg(test)]
mod tests;

use super::evidence::Change;
use super::line::Out;
use super::narrator::{Place, Sink};
use super::words::{self, Label, Lang};
use crate::sys::observer::{Role, Step};
use crate::sys::{Answer, Call};
use commands::{Said, Scene};
pub use quote::word;
use std::path::{Path, PathBuf};

/// Where in the script this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The runtime, before the clone.
    Before,
    /// The runtime, after the clone, while the child waits.
    Attach,
    /// The runtime, while the child prints its part.
    Hold,
    /// The child, before it has read the runtime's go: what it says is kept.
    Wait,
    /// The child, inside the here-document.
    Inside,
    /// The runtime, when the command runs or has ended.
    After,
    /// The script is complete, or broken off, as far as this process is concerned.
    Done,
}

/// Prints the script.
pub struct Shell {
    lang: Lang,
    out: Out,
    part: Part,
    begun: bool,
    scene: Scene,
    /// The step whose title is due before the next command.
    step: Option<Step>,
    /// The command that stands for the clone.
    clone: String,
    /// What the runtime did between the clone and its go, or the child before that go.
    kept: String,
    /// What the clean-up removed.
    removed: Vec<PathBuf>,
    /// Marks of the open here-documents, the innermost last.
    marks: Vec<String>,
    /// Text to be printed: room for the last words, after which no memory may be asked for.
    text: String,
}

/// Bytes of text that are printed without asking for memory.
const ROOM: usize = 64 * 1024;

/// (pivot_root(8), and elsewhere iptables-restore(8), stand where an ordinary user's shell does not look.)
const HEAD: &str = "#!/bin/sh\nset -eu\nPATH=$PATH:/usr/sbin:/sbin\nexec 3<&0\nstatus=0\n";
const HANDSHAKE: &str = "run=$(mktemp -d)\nexport run\nmkfifo \"$run/born\" \"$run/go\"\n";
const CHILD_WAITS: &str = "echo > \"$run/born\"\nread -r _ < \"$run/go\"\n";
const PARENT_WAITS: &str = "init=$!\nread -r _ < \"$run/born\"\n";
const PARENT_GOES: &str = "echo > \"$run/go\"\nwait \"$init\" || status=$?\nrm -r \"$run\"\n";
const TAIL: &str = "trap 'exit \"$status\"' EXIT\n";

impl Shell {
    /// A script on standard error.
    pub fn new(lang: Lang) -> Self {
        Self {
            lang,
            out: Out::Stderr,
            part: Part::Before,
            begun: false,
            scene: Scene::default(),
            step: None,
            clone: String::new(),
            kept: String::new(),
            removed: Vec::new(),
            marks: Vec::new(),
            text: String::with_capacity(ROOM),
        }
    }

    /// Print text, or keep it while the child waits.
    fn print(&mut self, text: &str) {
        if matches!(self.part, Part::Attach | Part::Wait) {
            return self.kept.push_str(text);
        }
        self.text.clear();
        if !std::mem::replace(&mut self.begun, true) {
            self.text.push_str(HEAD);
        }
        self.text.push_str(text);
        self.out.write(self.text.as_bytes());
    }

    /// The title of the step as a comment, once.
    fn titled(&mut self, text: &str) -> String {
        match self.step.take().map(words::step) {
            Some(words) => format!("\n# {}: {}\n{text}\n", words.word, words.title.get(self.lang)),
            None => format!("{text}\n"),
        }
    }

    fn say(&mut self, said: Said) {
        let text = match said {
            Said::Nothing => return,
            Said::Commands(commands) => commands,
            Said::Remark(remark) => format!("# {}: {remark}", Label::NoCommand.get(self.lang)),
            Said::Covered(what) => format!("# {}: {what}", Label::Covered.get(self.lang)),
            Said::Within(command, mark) => {
                let mark = self.unused(mark);
                let text = format!("{command} <<'{mark}'");
                self.marks.push(mark);
                text
            }
            Said::Last(command) => {
                let marks = std::mem::take(&mut self.marks);
                marks.iter().rev().fold(command, |all, mark| all + "\n" + mark)
            }
        };
        let text = self.titled(&text);
        self.print(&text);
    }

    /// A new time namespace whose offsets nobody wrote.
    fn say_new_time(&mut self) {
        let said = self.scene.take_new_time();
        self.say(said);
    }

    /// A mark that no open here-document has.
    fn unused(&self, mut mark: String) -> String {
        while self.marks.contains(&mark) {
            mark.push('_');
        }
        mark
    }

    /// The runtime lets the child go: print the clone, behind which the child prints its part.
    fn go(&mut self) {
        self.part = Part::Hold;
        let (before, after) = match self.kept.is_empty() {
            true => ("", " || status=$?\n".to_owned()),
            false => (HANDSHAKE, format!(" &\n{CHILD_WAITS}")),
        };
        let text = format!("{before}{} <<'{INIT}'{after}", self.clone);
        self.step = Some(Step::Clone);
        let text = self.titled(text.trim_end());
        self.print(&text);
    }

    /// The runtime has given its go: its part is printed, and the child's can follow.
    fn enter(&mut self) {
        self.part = Part::Inside;
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            self.print(&kept);
        }
    }

    /// The command has begun: its here-documents are closed, and the rest of the runtime's part follows.
    fn resume(&mut self) {
        self.part = Part::After;
        let attach = std::mem::take(&mut self.kept);
        let text = match attach.is_empty() {
            true => TAIL.to_owned(),
            false => format!("{PARENT_WAITS}{attach}\n{PARENT_GOES}{TAIL}"),
        };
        self.print(&text);
    }

    /// Whether a call concerns what minidocker keeps of its containers, which a script has no use for. What it
    /// removes of this one is kept, to be said in few words when all is gone.
    fn is_housekeeping(&mut self, place: &Place, call: &Call<'_>) -> bool {
        match (place.step, *call) {
            // What passes between the supervisor, its client and the container is nothing that a command makes.
            (_, Call::Other(_) | Call::Setsid) if place.role != Role::Init => true,
            (Some(Step::Reclaim | Step::Record), _) => true,
            (_, Call::Write { path, .. } | Call::Rename { from: path, .. } | Call::Unlink { path })
                if is_ledger(path) =>
            {
                true
            }
            (Some(Step::Cleanup), Call::Rmdir { path } | Call::Unlink { path })
                if !path.starts_with("/sys") =>
            {
                self.removed.push(path.into());
                true
            }
            _ => false,
        }
    }

    /// Say what was removed: the roots of the trees, since what another run leaves in them may differ.
    fn say_removed(&mut self) {
        let removed = std::mem::take(&mut self.removed);
        let is_root =
            |path: &&PathBuf| !removed.iter().any(|other| other != *path && path.starts_with(other));
        for root in removed.iter().filter(is_root) {
            self.say(Said::Commands(format!("rm -rf {}", quote::path(root))));
        }
    }

    fn answered_in_runtime(&mut self, call: &Call<'_>, answer: &Answer<'_>) -> bool {
        match (self.part, call, answer) {
            (Part::Before, Call::Clone3 { flags, cgroup }, Answer::Number(pid)) => {
                self.clone = commands::clone(*flags, *cgroup);
                self.scene.init = Some(*pid as i32);
                self.part = Part::Attach;
            }
            (Part::Hold, Call::ReadPipe, Answer::Number(0)) => self.resume(),
            // The child has sent an error: its part is incomplete, and so is the script.
            (Part::Hold, Call::ReadPipe, _) => {
                self.print(&format!("# {}\n", Label::Incomplete.get(self.lang)));
                self.part = Part::Done;
            }
            _ => return false,
        }
        true
    }
}

/// Whether a file is one in which minidocker writes down what it has done: `NAME.json`, first made as
/// `NAME.json.new`.
fn is_ledger(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".json") || name.ends_with(".json.new")
}

/// The mark of the here-document that the container's first process reads.
const INIT: &str = "INIT";

impl Sink for Shell {
    fn begins(&mut self, place: &Place) {
        self.step = place.step;
    }

    fn ends(&mut self, _place: &Place) {
        self.say_removed();
        self.step = None;
    }

    fn asking(&mut self, place: &Place, call: &Call<'_>) {
        match *call {
            Call::WritePipe { .. } if self.part == Part::Attach && place.role == Role::Runtime => self.go(),
            // Success does not return, so this is said before it is known.
            Call::Execve { path, argv, environment } if matches!(self.part, Part::Wait | Part::Inside) => {
                self.enter();
                self.say_new_time();
                let last = self.scene.exec(path, argv, environment);
                self.say(last);
                self.part = Part::Done;
            }
            _ => {}
        }
    }

    fn answered(&mut self, place: &Place, call: &Call<'_>, answer: &Answer<'_>, _: &[Change]) {
        if self.part == Part::Done || matches!(answer, Answer::Refused(..)) {
            return;
        }
        if place.step == Some(Step::Supervise) {
            // What comes after the clone is the supervisor's to say.
            if place.role == Role::Client && matches!(call, Call::Clone3 { .. }) {
                self.part = Part::Done;
            }
            return;
        }
        if place.role == Role::Runtime && self.answered_in_runtime(call, answer) {
            return;
        }
        if let (Role::Init, Call::Fork, Answer::Number(pid)) = (place.role, call, answer) {
            // Pid 1 stays behind to reap; its child goes on to the command.
            self.scene.forked = true;
            self.part = if *pid == 0 { Part::Inside } else { Part::Done };
            return;
        }
        if self.is_housekeeping(place, call) {
            return;
        }
        if self.part == Part::Wait && matches!(call, Call::ReadPipe) {
            self.enter();
        }
        let waiting = self.scene.has_new_time();
        let said = self.scene.say(call, answer);
        if waiting && said != Said::Nothing {
            self.say_new_time();
        }
        self.say(said);
    }

    fn became(&mut self, place: &Place) {
        // A supervisor goes on with the script that its client began.
        if place.role != Role::Init {
            return;
        }
        self.part = Part::Wait;
        self.begun = true;
        self.kept.clear();
        self.marks = vec![INIT.to_owned()];
    }
}
