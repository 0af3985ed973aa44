//! A lane's other kind of work: any verb that changes something, broken at one request after the other.
//!
//! Before each attempt the ground is laid. After it, and at most one command more, everything is as it was before the
//! verb or as it is after it: then the verb is done again, which must succeed from there; what is left must be usable;
//! and when it was taken away the machine is as in the beginning.

use super::{Ended, Work};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// A verb, and what is to be known to try it. A command is a line of words; `DIR` in it is a directory of the lane's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Deed {
    /// Commands that lay the ground.
    pub ground: Vec<String>,
    /// The command that is broken.
    pub verb: String,
    /// Commands that succeed whether the verb was done or not.
    pub usable: Vec<String>,
    /// Commands that succeed when the verb was done.
    pub done: Vec<String>,
    /// Commands that take everything away. They may find nothing.
    pub undo: Vec<String>,
    /// Whether images come and go: the store is a copy of the lane's own.
    pub store: bool,
    /// Commands on the ground that lead to what is neither before nor after, but right if the verb is broken. From
    /// there `rescue` leads to what is after.
    pub between: Vec<Vec<String>>,
    /// See `between`.
    pub rescue: String,
    /// The command that clears up, and its status.
    pub next: (String, i32),
}

/// How long what goes on by itself may take: a supervisor that clears up, the kernel that takes away a network.
const MOMENT: Duration = Duration::from_secs(5);

/// All that is seen of the machine and the state, without what is at random: the same line may stand there twice.
type Seen = Vec<String>;

impl Work {
    /// Break the `at`-th request that the verb makes in `role`. False when there are not so many.
    pub fn break_deed(&mut self, deed: &Deed, at: usize, role: &str, fault: &str) -> bool {
        let label = format!("{role}:{at}:{fault}");
        self.all_succeed(&deed.ground, &format!("{label}, the ground"));
        let command = self.broken(self.words(&deed.verb), role, at, fault);
        let ended = self.await_end(command);
        let reached = self.was_reached();
        if reached {
            self.judge_deed(&ended, role, fault, &label);
            self.settle(deed, &ended, &label);
            self.all_succeed(&deed.usable, &format!("{label} ({}), afterwards", ended.err.trim_end()));
        }
        self.undo(deed, &label);
        reached
    }

    /// See what the verb changes, with nothing broken.
    pub fn learn(&mut self, deed: &Deed) {
        for _ in 0..2 {
            self.all_succeed(&deed.ground, "the ground, with nothing broken");
            self.unchanged = self.seen();
            let ended = self.await_end(self.words(&deed.verb));
            assert_eq!((ended.status, &*ended.err), (0, ""), "{}, with nothing broken", deed.verb);
            self.changed = self.seen_at_rest();
            self.all_succeed(&deed.usable, "with nothing broken");
            self.all_succeed(&deed.done, "with nothing broken");
            self.take_away(deed);
            self.await_end(self.words(&deed.next.0));
            self.before = self.watcher.take();
        }
        for way in &deed.between {
            self.all_succeed(&deed.ground, "the ground, with nothing broken");
            self.all_succeed(way, "with nothing broken");
            let seen = self.seen_at_rest();
            self.between.push(seen);
            self.undo(deed, "with nothing broken");
        }
    }

    fn judge_deed(&mut self, ended: &Ended, role: &str, fault: &str, label: &str) {
        let own = if self.has_client() { "client" } else { "runtime" };
        let lines = ended.err.lines().count();
        let right = match (fault, ended.status) {
            ("kill", status) if role == own => status == 137,
            ("kill", 0 | 137) => true,
            (_, 0) => true,
            (_, 1 | 125..=127) => lines >= 1,
            _ => false,
        };
        self.check(right, label, || format!("status {}, err {:?}", ended.status, ended.err));
    }

    /// Whether the verb leaves the work to a supervisor.
    fn has_client(&self) -> bool {
        let deed = self.lane.deed.as_ref().unwrap();
        ["run", "start", "restart"].contains(&deed.verb.split(' ').next().unwrap())
    }

    /// By itself or by the next command, all is as before or as after. From before, the verb works the second time.
    fn settle(&mut self, deed: &Deed, ended: &Ended, label: &str) {
        let mut now = self.seen();
        if !self.is_known(&now) {
            let next = self.await_end(self.words(&deed.next.0));
            self.check(next.status == deed.next.1, label, || {
                format!("{}: status {}, err {:?}", deed.next.0, next.status, next.err)
            });
            now = self.seen_settled();
        }
        let what = format!("{label} ({})", ended.err.trim_end());
        if self.between.contains(&now) {
            self.all_succeed(std::slice::from_ref(&deed.rescue), &format!("{what}, in between"));
            now = self.seen_settled();
        }
        let (before, after) = (self.unchanged.clone(), self.changed.clone());
        let as_before = now == before;
        self.check(as_before || now == after, &what, || {
            format!(
                "neither as before:{}\n    nor as after:{}",
                differences(&before, &now),
                differences(&after, &now)
            )
        });
        if as_before && before != after {
            self.check(ended.status != 0, &what, || "success, with nothing done".to_owned());
            let again = self.await_end(self.words(&deed.verb));
            let begin = Instant::now();
            let mut now = self.seen();
            while now != after && begin.elapsed() < MOMENT {
                std::thread::sleep(Duration::from_millis(2));
                now = self.seen();
            }
            // A signal may have been on its way: then it is as after by now, and cannot be done twice.
            let right = again.status == 0 || again.status == 1 && now == after;
            self.check(right, &what, || format!("again: status {}, err {:?}", again.status, again.err));
            self.check(now == after, &what, || format!("again: not as after:{}", differences(&after, &now)));
        }
        self.all_succeed(&deed.done, &format!("{what}, when it was done"));
    }

    fn undo(&mut self, deed: &Deed, label: &str) {
        self.take_away(deed);
        self.must_be_clean(&format!("{label}, when all was taken away"));
    }

    fn take_away(&mut self, deed: &Deed) {
        for words in &deed.undo {
            self.await_end(self.words(words));
        }
        for entry in std::fs::read_dir(self.files()).into_iter().flatten().flatten() {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }

    fn all_succeed(&mut self, commands: &[String], label: &str) {
        for words in commands {
            let ended = self.await_end(self.words(words));
            self.check(ended.status == 0, label, || {
                format!("{words}: status {}, err {:?}", ended.status, ended.err)
            });
        }
    }

    fn words(&self, line: &str) -> std::process::Command {
        let place = self.files().display().to_string();
        let mut command = self.minidocker();
        command.args(line.split(' ').map(|word| word.replace("DIR", &place)));
        command
    }

    /// Where files come from and go to.
    pub fn files(&self) -> std::path::PathBuf {
        self.directory.path().join("files")
    }

    /// Wait for the end of a command, and of nobody whom it may leave behind with what it writes to.
    fn await_end(&mut self, mut command: std::process::Command) -> Ended {
        self.findings.runs += 1;
        let path = |name: &str| self.directory.path().join(name);
        let made = |name: &str| File::create(path(name)).unwrap();
        let status = command.stdout(made("out")).stderr(made("err")).status().unwrap();
        let text = |name: &str| String::from_utf8_lossy(&std::fs::read(path(name)).unwrap()).into_owned();
        Ended { status: super::status_of(status), out: text("out"), err: text("err") }
    }

    /// What is seen when nothing has changed for a while.
    fn seen_at_rest(&self) -> Seen {
        let mut last = self.seen();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.seen();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// What is seen once it is as before or as after, or when a moment has passed.
    fn seen_settled(&self) -> Seen {
        let begin = Instant::now();
        loop {
            let now = self.seen();
            if self.is_known(&now) || begin.elapsed() > MOMENT {
                return now;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether it is as before, as after, or something in between that is right too.
    fn is_known(&self, seen: &Seen) -> bool {
        *seen == self.unchanged || *seen == self.changed || self.between.contains(seen)
    }

    fn seen(&self) -> Seen {
        let mut lines: Seen = self.watcher.look().lines().iter().map(|line| masked(line)).collect();
        // What a container's supervisor makes of its own.
        lines.retain(|line| !line.contains(" containers/ID/"));
        for entry in std::fs::read_dir(self.root.join("containers")).into_iter().flatten().flatten() {
            lines.push(phase(&entry.path()));
        }
        for entry in std::fs::read_dir(self.files()).into_iter().flatten().flatten() {
            // A killed one leaves its unfinished file where the person wanted the finished one; no other command looks there.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let length = entry.metadata().map_or(0, |metadata| metadata.len().next_power_of_two());
            lines.push(format!("file {} of about {length} bytes", entry.file_name().to_string_lossy()));
        }
        lines.sort();
        lines
    }
}

/// What a container's records say it is.
fn phase(directory: &Path) -> String {
    let read = |name: &str| -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(directory.join(name)).ok()?).ok()
    };
    let name = read("config.json").map(|config| config["spec"]["name"].to_string());
    let phase = read("state.json").map(|status| match &status["phase"] {
        serde_json::Value::String(phase) => phase.clone(),
        other => other.as_object().and_then(|map| map.keys().next().cloned()).unwrap_or_default(),
    });
    format!("container {name:?} {phase:?}")
}

/// A line without what is at random: ids, digests, pids.
fn masked(line: &str) -> String {
    let line = match line.strip_prefix("processes: ").and_then(|rest| rest.split_once(' ')) {
        Some((_, name)) => format!("process {name}"),
        None => line.to_owned(),
    };
    // The number by which the kernel calls the other end's namespace is any that is free.
    let line = line.split(" link-netnsid ").next().unwrap_or_default();
    // The addresses of links are made up by the kernel, those of containers given in turn.
    let is_made_up = |word: &str| {
        word.split(':').count() == 6
            || word.starts_with("172.") && !word.contains(".0.0/") && !word.ends_with(".0.1")
    };
    let words: Vec<&str> =
        line.split(' ').map(|word| if is_made_up(word) { "ADDRESS" } else { word }).collect();
    let line = words.join(" ");
    let (mut text, mut run) = (String::new(), String::new());
    for letter in line.chars().chain(['\n']) {
        if letter.is_ascii_digit() || ('a'..='f').contains(&letter) {
            run.push(letter);
            continue;
        }
        text += if run.len() >= 8 { "ID" } else { &run };
        run.clear();
        text.push(letter);
    }
    text.trim_end().to_owned()
}

/// Which lines are more often in one than in the other.
fn differences(expected: &Seen, seen: &Seen) -> String {
    let count = |lines: &Seen, line: &String| lines.iter().filter(|other| *other == line).count();
    let mut all: Vec<&String> = expected.iter().chain(seen).collect();
    all.dedup();
    all.sort();
    all.dedup();
    let mut text = String::new();
    for line in all {
        let (wanted, got) = (count(expected, line), count(seen, line));
        if wanted != got {
            let sign = if got > wanted { '+' } else { '-' };
            text += &format!("\n      {sign} {line}");
        }
    }
    text
}
