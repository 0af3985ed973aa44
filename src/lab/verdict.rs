//! What came of a check, in the words of the kernel.

use crate::error::Error;
use crate::narrate::words::Lang;
use serde::{Deserialize, Serialize};

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Said {
    /// The half for `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// What needs no translation: a line of a file of /proc, a number, a name.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en: text.clone(), zh: text }
    }
}

/// A sentence in both languages: `said!("pid {pid}", "进程 {pid}")`.
#[macro_export]
macro_rules! said {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::lab::verdict::Said { en: format!($en), zh: format!($zh) }
    };
}

/// A check that failed: what the kernel says, and what it says of a part that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was seen.
    pub saw: Said,
    /// What was wanted.
    pub want: Said,
    /// The name of the known mistake that leaves just this trace.
    pub mistake: Option<String>,
}

/// Why a check ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// The student's part is wrong.
    Wrong(Failure),
    /// The part is still `todo!()`.
    NotYet,
    /// The check cannot be made on this machine: neither pass nor fail.
    Cannot(Said),
    /// The grader itself failed.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Broken(error)
    }
}

/// How a check ends: `Ok` is a pass.
pub type Outcome<T = ()> = Result<T, Stop>;

/// The student's part is wrong: what was seen, and what was wanted.
pub fn wrong(saw: Said, want: Said) -> Stop {
    Stop::Wrong(Failure { saw, want, mistake: None })
}

/// Go on only if the kernel says so; else `saw` and `want` tell the student why not.
pub fn ensure(holds: bool, saw: Said, want: Said) -> Outcome {
    if holds { Ok(()) } else { Err(wrong(saw, want)) }
}

/// Names the known mistake, if the check failed.
pub trait Diagnosis {
    /// A failure here is the mistake `name` of the lesson.
    #[must_use]
    fn known_as(self, name: &str) -> Self;
}

impl<T> Diagnosis for Outcome<T> {
    fn known_as(mut self, name: &str) -> Self {
        if let Err(Stop::Wrong(failure)) = &mut self {
            failure.mistake.get_or_insert_with(|| name.to_owned());
        }
        self
    }
}

/// What the student is told of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Full marks.
    Pass,
    /// No marks, and why.
    Fail(Failure),
    /// The part is still `todo!()`.
    NotYet,
    /// This machine cannot tell: no marks given, none lost.
    Cannot(Said),
    /// The grader itself failed: the sentence says how.
    Broken(Said),
}
