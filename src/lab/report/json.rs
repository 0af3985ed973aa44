//! The report as one JSON object: everything that is known, in both languages.
//!
//! It has the fields of [`Report`], from which they can be read again, and what follows from them: the points earned, and
//! those that this machine cannot tell, of each check, of each lesson, and in all.

use super::{LessonReport, Report, words};
use crate::lab::lesson::Lesson;
use crate::lab::verdict::Said;
use crate::narrate::words::Lang;
use serde_json::{Value, json};

/// The number of this form. It changes when a field changes its meaning or goes; new ones may come at any time.
const VERSION: u32 = 1;

/// The report, on one line.
pub fn render(report: &Report, lessons: &[Lesson]) -> String {
    let (earned, points) = report.points();
    let untold: u32 = report.lessons.iter().map(LessonReport::untold).sum();
    let all = json!({
        "version": VERSION,
        "status": report.status(),
        "earned": earned,
        "points": points,
        "cannot": untold,
        "lessons": report.lessons.iter().map(|one| lesson(one, words::table(lessons, one))).collect::<Vec<_>>(),
    });
    serde_json::to_string(&all).unwrap_or_default() + "\n"
}

fn lesson(report: &LessonReport, table: Option<&Lesson>) -> Value {
    let mut all = json!(report);
    all["earned"] = json!(report.earned());
    all["cannot"] = json!(report.untold());
    for (index, check) in report.checks.iter().enumerate() {
        all["checks"][index]["earned"] = json!(check.earned());
        let why = |lang| words::why(check, table, lang).map(str::to_owned);
        if let (Some(en), Some(zh)) = (why(Lang::En), why(Lang::Zh)) {
            all["checks"][index]["why"] = json!(Said { en, zh });
        }
    }
    all
}
