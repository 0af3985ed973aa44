//! What the formats for machines say in words: one check in a few lines, and one lesson that has none.

use super::{CheckReport, LessonReport, State};
use crate::lab::lesson::Lesson;
use crate::lab::verdict::Verdict;
use crate::narrate::words::Lang;

/// A word for a verdict, the same in each format.
pub fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail(_) => "fail",
        Verdict::NotYet => "not-yet",
        Verdict::Cannot(_) => "cannot",
        Verdict::Broken(_) => "broken",
    }
}

/// A word for how far a lesson came.
pub fn state(state: &State) -> &'static str {
    match state {
        State::Examined => "examined",
        State::DoesNotBuild(_) => "does-not-build",
        State::NoFile(_) => "no-file",
        State::Cannot(_) => "cannot",
    }
}

/// Why a lesson has no checks; `None` if it was examined.
pub fn reason(state: &State, lang: Lang) -> Option<String> {
    match state {
        State::Examined => None,
        State::DoesNotBuild(said) => Some(said.clone()),
        State::NoFile(why) | State::Cannot(why) => Some(why.get(lang).to_owned()),
    }
}

/// The sentence of the known mistake that `check` failed by.
pub fn why(check: &CheckReport, lesson: Option<&Lesson>, lang: Lang) -> Option<&'static str> {
    let Verdict::Fail(failure) = &check.verdict else { return None };
    let known = failure.mistake.as_deref()?;
    let mistake = lesson?.mistakes.iter().find(|mistake| mistake.name == known)?;
    Some(mistake.why.get(lang))
}

/// A check in a few lines: what was seen and wanted, why, and where to look. Nothing for one that passed.
pub fn explain(check: &CheckReport, lesson: Option<&Lesson>, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let label = |en: &'static str, chinese: &'static str| if zh { chinese } else { en };
    let mut lines = Vec::new();
    match &check.verdict {
        Verdict::Pass => {}
        Verdict::NotYet => lines.push(
            label("not yet implemented: the part is still `todo!()`", "尚未实现：这个部分还是 `todo!()`")
                .to_owned(),
        ),
        Verdict::Cannot(said) => {
            lines.push(format!(
                "{}{}",
                label("this machine cannot tell: ", "这台机器无法判断："),
                said.get(lang)
            ));
        }
        Verdict::Broken(said) => {
            let whose =
                label("the grader itself failed, this is no verdict: ", "评分程序自己出了错，这不是结论：");
            lines.push(format!("{whose}{}", said.get(lang)));
        }
        Verdict::Fail(failure) => {
            lines.push(format!("{}{}", label("saw:  ", "看到："), failure.saw.get(lang)));
            lines.push(format!("{}{}", label("want: ", "应为："), failure.want.get(lang)));
            if let Some(why) = why(check, lesson, lang) {
                lines.push(format!("{}{why}", label("why:  ", "原因：")));
            }
            lines.push(format!("{}{}", label("look: ", "自查："), check.look));
            if let Some(lesson) = lesson {
                let page = if zh { "README.zh.md" } else { "README.md" };
                lines.push(format!("{}lessons/{}/{page}", label("read: ", "阅读："), lesson.name));
            }
        }
    }
    lines.join("\n")
}

/// The lesson's table, if this grader has it.
pub fn table<'a>(lessons: &'a [Lesson], report: &LessonReport) -> Option<&'a Lesson> {
    lessons.iter().find(|lesson| lesson.name == report.name)
}
