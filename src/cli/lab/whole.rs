//! `lab all`: a program made of all the student's parts, and the project's own tests on it.

use super::{Desk, OWN_FAILURE};
use crate::error::Result;
use crate::lab::build::{self, Built};
use crate::lab::lesson::Lesson;
use crate::lab::report::State;
use crate::lab::report::human::Progress;
use crate::lab::suite::{self, Suite, Tally};
use crate::lab::{grade, source};
use crate::narrate::{Ink, text};
use crate::said;
use std::path::PathBuf;

/// The status of a lesson of which the machine cannot make some checks, and the others passed.
const CANNOT: u8 = 3;

impl Desk {
    fn others(&self) -> impl Iterator<Item = &'static Lesson> {
        self.lessons.iter().filter(|lesson| !lesson.is_whole())
    }

    /// How far the parts of all other lessons are.
    pub(super) fn progress_of_others(&self) -> Progress {
        let all: Vec<Progress> = self.others().map(|lesson| self.progress(lesson)).collect();
        let every = |wanted| all.iter().all(|progress| *progress == wanted);
        match (every(Progress::Written), every(Progress::Untouched)) {
            (true, _) => Progress::Written,
            (_, true) => Progress::Untouched,
            _ => Progress::Begun,
        }
    }

    /// The `text` of the file of a lesson that is made of all others, if none is left out, nor lets ours do the work.
    /// That of any other lesson as it is.
    pub(super) fn see_others(&self, lesson: &Lesson, text: String) -> std::result::Result<String, State> {
        if !lesson.is_whole() {
            return Ok(text);
        }
        if let Some(part) = self.others().find_map(|other| source::left_out(&text, other)) {
            let name = lesson.name;
            return Err(State::NoFile(said!(
                "lessons/{name}/lab.rs does not use `{part}`: git checkout lessons/{name}/lab.rs",
                "lessons/{name}/lab.rs 没有用到 `{part}`：git checkout lessons/{name}/lab.rs"
            )));
        }
        for other in self.others() {
            let theirs = self.text(&self.file(other)).unwrap_or_default();
            grade::own(other, theirs)?;
        }
        Ok(text)
    }

    /// What the project's own tests are, and how they are run.
    pub(super) fn tell_of_tests(&self, status: u8) {
        let line = match status {
            0 | CANNOT => text!(
                "minidocker's own tests on your program, on this machine: cargo lab all --tests",
                "用 minidocker 自己的测试来考你的程序，在这台机器上运行：cargo lab all --tests"
            ),
            _ => text!(
                "minidocker's own tests run on your program after full marks",
                "得满分之后，可以用 minidocker 自己的测试来考你的程序"
            ),
        };
        self.page.set(1, 3, &[(Ink::Faint, &line)]);
    }

    /// Grade, and after full marks run the project's own tests on the same program.
    pub(super) fn grade_and_test(&self, lesson: &'static Lesson) -> Result<u8> {
        if !lesson.is_whole() {
            let line = text!("--tests goes with the lesson `all`", "--tests 只能与课程 `all` 一起用");
            self.page.set(0, 2, &[(Ink::Refused, &line)]);
            return Ok(OWN_FAILURE);
        }
        let status = self.grade(lesson, false)?;
        if ![0, CANNOT].contains(&status) {
            return Ok(status);
        }
        let program = match &self.with {
            Some(program) => program.clone(),
            None => match build::build(&self.checkout, &format!("lab-{}", lesson.name), self.color)? {
                Built::Program(program) => program,
                Built::Broken(_) => PathBuf::new(),
            },
        };
        let line = text!(
            "The tests in tests/run, on this machine. The first time they are built: a minute or two.",
            "正在这台机器上运行 tests/run 里的测试。第一次要先编译，一两分钟。"
        );
        self.page.set(1, 3, &[(Ink::Plain, &line)]);
        let suite = suite::run(&self.checkout, &program, self.color)?;
        Ok(match self.tell_suite(&suite) {
            0 => status,
            failed => failed,
        })
    }

    /// The exit status.
    fn tell_suite(&self, suite: &Suite) -> u8 {
        let refused = |line: &str| self.page.set(1, 3, &[(Ink::Refused, "✗ "), (Ink::Plain, line)]);
        match suite {
            Suite::Broken(said) => {
                self.page.raw(said);
                refused(&text!("The tests do not build.", "测试无法编译。"));
                2
            }
            Suite::TooLong => {
                refused(&text!(
                    "They did not come to an end, and were ended.",
                    "它们没有自己结束，被终止了。"
                ));
                1
            }
            Suite::Ran(Tally { passed, skipped, failed, took }) => {
                failed.iter().for_each(|name| refused(name));
                let (count, seconds) = (failed.len(), took.as_secs());
                let line = text!(
                    "{passed} passed, {count} failed, {skipped} skipped, in {seconds} s",
                    "通过 {passed}，失败 {count}，跳过 {skipped}，用时 {seconds} 秒"
                );
                let ink = if failed.is_empty() { Ink::Granted } else { Ink::Title };
                self.page.set(1, 3, &[(ink, &*line)]);
                u8::from(!failed.is_empty())
            }
        }
    }
}
