//! What came of it all: one structure, told to people and to machines.
//!
//! | module | for whom |
//! |---|---|
//! | [`human`] | the student, on a terminal |
//! | [`json`] | programs of one's own: all that is known |
//! | [`junit`] | whatever reads the results of tests |
//! | [`gradescope`] | Gradescope's `results.json` |
//! | [`github`] | GitHub Actions: annotations, and `Points X/Y` |
//! | [`words`] | what these say in words |

pub mod github;
pub mod gradescope;
pub mod human;
pub mod json;
pub mod junit;
#[cfg(test)]
mod tests;
pub mod words;

use super::lesson::{Check, Lesson};
use super::verdict::{Said, Verdict};
use crate::error::Result;
use crate::narrate::words::{Lang, Text};
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// Everything that one command has found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// One for each lesson that was graded.
    pub lessons: Vec<LessonReport>,
}

/// How far a lesson came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its checks were made.
    Examined,
    /// The student's file does not compile: what the compiler said.
    DoesNotBuild(String),
    /// There is no such file, or it cannot be taken: why.
    NoFile(Said),
    /// This machine cannot run the lesson: why.
    Cannot(Said),
}

/// One lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LessonReport {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub title: Said,
    /// How far it came.
    pub state: State,
    /// Its checks, in order. None when it was not examined.
    pub checks: Vec<CheckReport>,
    /// What it is worth.
    pub points: u32,
    /// Milliseconds that the checks took, with their host.
    pub milliseconds: u64,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// What must hold.
    pub title: Said,
    /// What it is worth.
    pub points: u32,
    /// What came of it.
    pub verdict: Verdict,
    /// A command to see it oneself.
    pub look: String,
    /// The line of the student's file where the function stands that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Milliseconds that it took.
    pub milliseconds: u64,
}

impl CheckReport {
    /// Of `check`.
    pub fn new(check: &Check, verdict: Verdict, took: Duration) -> Self {
        Self {
            name: check.name.to_owned(),
            title: said(check.title),
            points: check.points,
            verdict,
            look: check.look.to_owned(),
            line: None,
            milliseconds: took.as_millis() as u64,
        }
    }

    /// What it earned.
    pub fn earned(&self) -> u32 {
        if self.verdict == Verdict::Pass { self.points } else { 0 }
    }
}

impl LessonReport {
    /// Of `lesson`.
    pub fn new(lesson: &Lesson, state: State, checks: Vec<CheckReport>, took: Duration) -> Self {
        Self {
            name: lesson.name.to_owned(),
            title: said(lesson.title),
            state,
            checks,
            points: lesson.checks.iter().map(|check| check.points).sum(),
            milliseconds: took.as_millis() as u64,
        }
    }

    /// What it earned.
    pub fn earned(&self) -> u32 {
        self.checks.iter().map(CheckReport::earned).sum()
    }

    /// What of it this machine cannot tell: neither given nor lost.
    pub fn untold(&self) -> u32 {
        match self.state {
            State::Cannot(_) => self.points,
            _ => {
                let cannot = |check: &&CheckReport| matches!(check.verdict, Verdict::Cannot(_));
                self.checks.iter().filter(cannot).map(|check| check.points).sum()
            }
        }
    }

    /// The exit status that says so: 0 full marks, 1 a check failed, 2 it does not build, 3 this machine cannot.
    pub fn status(&self) -> u8 {
        match &self.state {
            State::DoesNotBuild(_) => 2,
            State::NoFile(_) => 1,
            State::Cannot(_) => 3,
            State::Examined => {
                let any = |what: fn(&Verdict) -> bool| self.checks.iter().any(|check| what(&check.verdict));
                if any(|one| matches!(one, Verdict::Fail(_) | Verdict::NotYet | Verdict::Broken(_))) {
                    1
                } else if any(|one| matches!(one, Verdict::Cannot(_))) {
                    3
                } else {
                    0
                }
            }
        }
    }
}

impl Report {
    /// The exit status of the whole: the gravest of what the lessons say. What does not build comes first, then what
    /// failed, then what this machine cannot.
    pub fn status(&self) -> u8 {
        let statuses: Vec<u8> = self.lessons.iter().map(LessonReport::status).collect();
        [2, 1, 3].into_iter().find(|status| statuses.contains(status)).unwrap_or(0)
    }

    /// What was earned, and what could be.
    pub fn points(&self) -> (u32, u32) {
        (
            self.lessons.iter().map(LessonReport::earned).sum(),
            self.lessons.iter().map(|lesson| lesson.points).sum(),
        )
    }
}

/// A form for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object.
    Json,
    /// JUnit XML.
    Junit,
    /// Gradescope's `results.json`.
    Gradescope,
    /// Commands of GitHub Actions.
    Github,
}

impl Report {
    /// The report in a form for machines; its sentences in `lang`, where the form has but one language.
    pub fn render(&self, format: Format, lessons: &[Lesson], lang: Lang) -> String {
        match format {
            Format::Json => json::render(self, lessons),
            Format::Junit => junit::render(self, lessons, lang),
            Format::Gradescope => gradescope::render(self, lessons, lang),
            Format::Github => github::render(self, lessons, lang),
        }
    }
}

/// Put a report into a file, new or not.
pub fn save(path: &Path, text: &str) -> Result<()> {
    file::write_new(path, text, 0o644)
}

/// A fixed text as a sentence that can travel.
pub fn said(text: Text) -> Said {
    Said { en: text.en.to_owned(), zh: text.zh.to_owned() }
}
