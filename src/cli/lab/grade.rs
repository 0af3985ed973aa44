//! `lab grade DIR`: somebody else's files.

use super::Desk;
use crate::error::Result;
use crate::lab::grade::shadow::Shadow;
use crate::lab::grade::{self, chosen};
use crate::lab::report::{Report, human};
use clap::Args;
use std::path::PathBuf;

/// The options.
#[derive(Debug, Args)]
pub struct Grade {
    /// A directory with lessons/NAME/lab.rs; nothing else of it is taken
    dir: PathBuf,
    /// The lessons to grade [default: all]
    lesson: Vec<String>,
}

impl Grade {
    /// Grade them, tell, and report; the exit status.
    pub(super) fn grade(&self, desk: &Desk) -> Result<u8> {
        let lessons = match chosen(desk.lessons, &self.lesson) {
            Ok(lessons) => lessons,
            Err(strange) => return Ok(desk.unknown(strange)),
        };
        let shadow = Shadow::make(&desk.checkout, &lessons)?;
        let mut report = Report { lessons: Vec::new() };
        for lesson in lessons {
            let of = (desk.lessons, &*desk.checkout);
            let taken = grade::take_whole(&self.dir, lesson, of, |one, text| shadow.put(one, text))?;
            let build = |text: &str| {
                shadow.put(lesson, text)?;
                shadow.build(lesson, desk.color)
            };
            let one = grade::examine(lesson, taken, desk.seed, build)?;
            if !desk.form.is_silent() {
                human::tell(&desk.page, lesson, &one);
            }
            report.lessons.push(one);
        }
        if report.lessons.len() > 1 && !desk.form.is_silent() {
            human::total(&desk.page, &report);
        }
        desk.form.write(&report, desk.lessons)?;
        Ok(report.status())
    }
}
