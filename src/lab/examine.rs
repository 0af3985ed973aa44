//! All checks of a lesson, one after the other, on one throw-away host.

use super::bench::Bench;
use super::lesson::{Check, Lesson};
use super::need::{Lack, Need};
use super::ration::Scope;
use super::report::{CheckReport, LessonReport, State};
use super::verdict::{Failure, Said, Stop, Verdict};
use super::{host, host::Tools, need, trap};
use crate::error::Result;
use crate::narrate::words::{Lang, sentence};
use crate::said;
use crate::sys::errno::ENOSPC;
use std::path::Path;
use std::time::{Duration, Instant};

/// Let the kernel say what it thinks of `student`, a program with the parts of `lesson` in it.
///
/// `unfinished` are the functions of the student's file that are still `todo!()`: in a check that is not about them, ours
/// take their place. A check whose needs are not met is neither passed nor failed; whatever else goes wrong in a check is
/// its verdict. On entry this process has one thread. Errors are of the throw-away host.
pub fn examine(
    lesson: &'static Lesson,
    student: &Path,
    seed: u64,
    unfinished: &[&str],
) -> Result<LessonReport> {
    let began = Instant::now();
    let of_all: Vec<Need> = [&[Need::UserNamespaces], lesson.needs].concat();
    let lacks = need::lacking(lesson.all_needs().into_iter().collect());
    let cannot =
        |check: &Check, lack: &Lack| CheckReport::new(check, Verdict::Cannot(lack.said()), Duration::ZERO);
    if let Some(lack) = need::first(&lacks, &of_all) {
        let checks = lesson.checks.iter().map(|check| cannot(check, lack)).collect();
        return Ok(LessonReport::new(lesson, State::Examined, checks, began.elapsed()));
    }
    let checks = host::play(student, (Scope::of(lesson), Tools::Trapped), || {
        let bench = Bench::open(lesson, seed)?;
        let one = |check: &Check| match need::first(&lacks, check.needs) {
            Some(lack) => Ok(cannot(check, lack)),
            None => {
                let begun = !check.about.iter().any(|function| unfinished.contains(function));
                bench.fill_in(&not_about(lesson, check, unfinished), begun);
                one(&bench, check)
            }
        };
        let checks = lesson.checks.iter().map(one).collect::<Result<Vec<_>>>()?;
        bench.renew()?;
        Ok(checks)
    })?;
    Ok(LessonReport::new(lesson, State::Examined, checks, began.elapsed()))
}

/// The fields of the unfinished parts that `check` is not about.
fn not_about(lesson: &Lesson, check: &Check, unfinished: &[&str]) -> Vec<&'static str> {
    let spared = |part: &&super::lesson::Part| {
        unfinished.contains(&part.function)
            && !check.about.is_empty()
            && !check.about.contains(&part.function)
    };
    lesson.parts.iter().filter(spared).map(|part| part.field).collect()
}

fn one(bench: &Bench, check: &Check) -> Result<CheckReport> {
    bench.renew()?;
    bench.speak_for(check.name);
    let began = Instant::now();
    let outcome = (check.run)(bench);
    let verdict = match trap::trapped().and(outcome) {
        Ok(()) => Verdict::Pass,
        Err(Stop::Wrong(failure)) => Verdict::Fail(failure),
        Err(Stop::NotYet) => Verdict::NotYet,
        Err(Stop::Cannot(why)) => Verdict::Cannot(why),
        Err(Stop::Broken(error)) if error.is(ENOSPC) => Verdict::Fail(Failure {
            saw: said!(
                "no space left: your program has filled the file system",
                "没有空间了：你的程序写满了文件系统"
            ),
            want: said!("a program that leaves room for others", "给别人留下空间的程序"),
            mistake: None,
        }),
        Err(Stop::Broken(error)) => {
            Verdict::Broken(Said { en: sentence(&error, Lang::En), zh: sentence(&error, Lang::Zh) })
        }
    };
    Ok(CheckReport::new(check, verdict, began.elapsed()))
}
