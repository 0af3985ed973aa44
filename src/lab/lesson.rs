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
