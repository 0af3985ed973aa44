//! What a lesson is: a table that `lessons/NAME/check.rs` fills.

use super::bench::Bench;
use super::verdict::Outcome;
use crate::error::Result;
use crate::lab::need::Need;
use crate::narrate::words::Text;
use serde_json::Value;

/// One lesson.
#[derive(Debug)]
pub struct Lesson {
    /// Its name: the directory under `lessons/`, and the word after `cargo lab`.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: Text,
    /// The functions of `lab.rs` that are the student's, each with where ours stands.
    pub parts: &'static [Part],
    /// What this machine must be able to do for any of its checks.
    pub needs: &'static [Need],
    /// What the kernel must say.
    pub checks: &'static [Check],
    /// The wrong answers that are known, each earned by a mutant in `mutants.rs`.
    pub mistakes: &'static [Mistake],
    /// What helps, one at a time, the first the least.
    pub hints: &'static [Text],
    /// What the probe can be told to do inside the container.
    pub acts: &'static [Act],
    /// The page of the book: `namespaces/uts`.
    pub page: &'static str,
}

/// A function that the student writes.
#[derive(Debug)]
pub struct Part {
    /// Its name in `lab.rs`.
    pub function: &'static str,
    /// The field of [`Parts`](crate::container::parts::Parts) that it replaces.
    pub field: &'static str,
    /// Where ours stands: a file of `src/`, and the function in it.
    pub ours: &'static [(&'static str, &'static str)],
}

/// One thing that the kernel must say.
#[derive(Debug)]
pub struct Check {
    /// Its name, unique in the lesson.
    pub name: &'static str,
    /// What must hold, as a sentence.
    pub title: Text,
    /// What it is worth.
    pub points: u32,
    /// The functions of `lab.rs` that it is about. While one of the others is `todo!()`, ours takes its place. None means
    /// all of them.
    pub about: &'static [&'static str],
    /// What this machine must be able to do, besides the lesson's needs.
    pub needs: &'static [Need],
    /// A command with which the student sees it oneself; in `cargo lab NAME --shell`, where `minidocker` is theirs.
    pub look: &'static str,
    /// Find out. Each check runs the student's program afresh, under a fresh nonce.
    pub run: fn(&Bench) -> Outcome,
}

/// A typical wrong answer.
#[derive(Debug)]
pub struct Mistake {
    /// Its name, which a check gives to a failure and a mutant earns.
    pub name: &'static str,
    /// What was done, and what the kernel makes of it.
    pub why: Text,
}

/// Something that the probe does inside the container, on behalf of a check.
#[derive(Debug)]
pub struct Act {
    /// Its name, unique in the lesson.
    pub name: &'static str,
    /// Do it. The argument and the result are JSON, since they travel; an error travels with its errno.
    pub act: fn(Value) -> Result<Value>,
}

impl Lesson {
    /// What the machine must be able to do for every one of its checks: all of them need the throw-away host.
    pub fn all_needs(&self) -> Vec<Need> {
        let of_checks = self.checks.iter().flat_map(|check| check.needs);
        [Need::UserNamespaces].iter().chain(self.needs).chain(of_checks).copied().collect()
    }

    /// Whether its program is made of the parts of all other lessons, and has none of its own.
    pub const fn is_whole(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What a lesson that is made of others takes from them; each is named `LESSON/NAME` there. A name that is not there is no
/// program: these are evaluated by the compiler.
impl Lesson {
    /// The check `full` of this lesson, for so many points. It speaks to the probe as it does here.
    #[must_use]
    pub const fn lend(&self, full: &'static str, points: u32) -> Check {
        let mut index = 0;
        while !names(full, self.name, self.checks[index].name) {
            index += 1;
        }
        let Check { title, needs, look, run, .. } = self.checks[index];
        let needs = if needs.is_empty() { self.needs } else { needs };
        Check { name: full, title, points, about: &[], needs, look, run }
    }

    /// Its mistake `name`, under the name that it has there: that is what its check says.
    #[must_use]
    pub const fn known(&self, name: &str) -> Mistake {
        let mut index = 0;
        while !same(self.mistakes[index].name.as_bytes(), name.as_bytes(), 0) {
            index += 1;
        }
        Mistake { ..self.mistakes[index] }
    }
}

/// Whether `full` is `LESSON/NAME`.
const fn names(full: &str, lesson: &str, name: &str) -> bool {
    let (full, lesson, name) = (full.as_bytes(), lesson.as_bytes(), name.as_bytes());
    let slash = lesson.len();
    full.len() == slash + 1 + name.len()
        && full[slash] == b'/'
        && begins(full, lesson)
        && same(full, name, slash + 1)
}

const fn begins(text: &[u8], with: &[u8]) -> bool {
    let mut index = 0;
    while index < with.len() {
        if text[index] != with[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether `text` is, from `at` on, `other`.
const fn same(text: &[u8], other: &[u8], at: usize) -> bool {
    let mut index = 0;
    while at + index < text.len() && index < other.len() {
        if text[at + index] != other[index] {
            return false;
        }
        index += 1;
    }
    at + index == text.len() && index == other.len()
}
