//! The report as Gradescope reads it: `/autograder/results/results.json`, gradescope-autograders.readthedocs.io/specs.
//!
//! A check that this machine cannot make is worth nothing there: no point is given, none is lost.

use super::{CheckReport, LessonReport, Report, words};
use crate::lab::lesson::Lesson;
use crate::lab::verdict::Verdict;
use crate::narrate::words::Lang;
use serde_json::{Value, json};

/// The report, on several lines.
pub fn render(report: &Report, lessons: &[Lesson], lang: Lang) -> String {
    let milliseconds: u64 = report.lessons.iter().map(|lesson| lesson.milliseconds).sum();
    let tests: Vec<Value> =
        report.lessons.iter().flat_map(|one| lesson(one, words::table(lessons, one), lang)).collect();
    let all = json!({
        "score": report.points().0,
        "execution_time": milliseconds.div_ceil(1000),
        "output": summary(report, lang),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    });
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

fn summary(report: &Report, lang: Lang) -> String {
    let (earned, possible) = report.points();
    let cannot: u32 = report.lessons.iter().map(LessonReport::untold).sum();
    let told = possible - cannot;
    match (lang, cannot) {
        (Lang::En, 0) => format!("{earned} of {told} points"),
        (Lang::Zh, 0) => format!("{told} 分中得 {earned} 分"),
        (Lang::En, _) => format!("{earned} of {told} points; {cannot} more cannot be graded on this machine"),
        (Lang::Zh, _) => format!("{told} 分中得 {earned} 分；另有 {cannot} 分在这台机器上无法评定"),
    }
}

/// One test for each check; one for the lesson if it has none.
fn lesson(report: &LessonReport, table: Option<&Lesson>, lang: Lang) -> Vec<Value> {
    let Some(reason) = words::reason(&report.state, lang) else {
        return report.checks.iter().map(|one| check(report, one, table, lang)).collect();
    };
    let worth = report.points - report.untold();
    vec![json!({
        "name": format!("{}: {}", report.name, report.title.get(lang)),
        "score": 0,
        "max_score": worth,
        "status": "failed",
        "output": reason,
        "tags": [report.name],
        "extra_data": { "state": words::state(&report.state) },
    })]
}

fn check(lesson: &LessonReport, report: &CheckReport, table: Option<&Lesson>, lang: Lang) -> Value {
    let worth = if matches!(report.verdict, Verdict::Cannot(_)) { 0 } else { report.points };
    json!({
        "name": format!("{}: {}", lesson.name, report.title.get(lang)),
        "score": report.earned(),
        "max_score": worth,
        "status": if report.verdict == Verdict::Pass { "passed" } else { "failed" },
        "output": words::explain(report, table, lang),
        "tags": [lesson.name],
        "extra_data": { "check": report.name, "verdict": words::verdict(&report.verdict) },
    })
}
