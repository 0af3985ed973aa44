//! The report as commands of GitHub Actions: an annotation for each failed check, and the points.
//!
//! The two notices at the end are those that GitHub Classroom's own reporter made, and that tools in its tradition read.
//! GitHub shows ten annotations of a kind for each step; so everything is also in the log, one group a lesson.

use super::{CheckReport, LessonReport, Report, State, words};
use crate::lab::lesson::Lesson;
use crate::lab::verdict::Verdict;
use crate::narrate::words::Lang;
use serde_json::json;
use std::fmt::Write;

/// The report, one command a line.
pub fn render(report: &Report, lessons: &[Lesson], lang: Lang) -> String {
    let mut text = String::new();
    for lesson in &report.lessons {
        text += &group(lesson, words::table(lessons, lesson), lang);
    }
    let (earned, possible) = report.points();
    let cannot: u32 = report.lessons.iter().map(LessonReport::untold).sum();
    let told = possible - cannot;
    if cannot > 0 {
        let said = match lang {
            Lang::En => format!("{cannot} points cannot be graded on this machine: see `cargo lab doctor`"),
            Lang::Zh => format!("有 {cannot} 分在这台机器上无法评定：见 `cargo lab doctor`"),
        };
        text += &command("warning", &[("title", "lab")], &said);
    }
    text += &command("notice", &[("title", "Autograding complete")], &format!("Points {earned}/{told}"));
    let summary = json!({ "totalPoints": earned, "maxPoints": told }).to_string();
    text + &command("notice", &[("title", "Autograding report")], &summary)
}

fn group(report: &LessonReport, table: Option<&Lesson>, lang: Lang) -> String {
    let (name, earned, points) = (&report.name, report.earned(), report.points);
    let mut text = format!("::group::{name}: {earned}/{points}\n");
    let mut commands = String::new();
    let file = format!("lessons/{name}/lab.rs");
    if let Some(reason) = words::reason(&report.state, lang) {
        text += &plain(&reason);
        let kind = if matches!(report.state, State::Cannot(_)) { "warning" } else { "error" };
        let title = format!("{name}: {}", words::state(&report.state));
        let mut properties = vec![("file", &*file)];
        let line = line_in(&reason, &file);
        properties.extend(line.map(|line| ("line", line)));
        properties.push(("title", &title));
        commands += &command(kind, &properties, &reason);
    }
    for check in &report.checks {
        let told = words::explain(check, table, lang);
        let kind = words::verdict(&check.verdict);
        let _ = writeln!(text, "{kind:<8} {} ({}/{})", check.title.get(lang), check.earned(), check.points);
        text += &plain(&told);
        commands += &annotation(name, &file, check, &told, lang);
    }
    text + "::endgroup::\n" + &commands
}

/// The line of `file` that the compiler speaks of first: `--> FILE:LINE:COLUMN`.
fn line_in<'a>(said: &'a str, file: &str) -> Option<&'a str> {
    let (_, place) = said.split_once(&format!("--> {file}:"))?;
    place.split(|sign: char| !sign.is_ascii_digit()).next().filter(|line| !line.is_empty())
}

/// The annotation of one check, if it has any.
fn annotation(lesson: &str, file: &str, check: &CheckReport, told: &str, lang: Lang) -> String {
    let kind = match check.verdict {
        Verdict::Pass => return String::new(),
        Verdict::Cannot(_) => "warning",
        _ => "error",
    };
    let title = format!("{lesson}: {}", check.title.get(lang));
    let line = check.line.map(|line| line.to_string());
    let mut properties = vec![("file", file)];
    properties.extend(line.as_deref().map(|line| ("line", line)));
    properties.push(("title", &title));
    command(kind, &properties, told)
}

/// Text for the log, marked so that no line of it is a command: the runner looks behind blanks, and for `##[` anywhere.
fn plain(text: &str) -> String {
    text.replace("##[", "# #[").lines().map(|line| format!("  | {line}\n")).collect()
}

/// `::NAME PROPERTY=VALUE,…::MESSAGE`, escaped as the runner's toolkit does.
fn command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let escape = |text: &str| {
        text.replace("##[", "# #[").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
    };
    let property = |(key, value): &(&str, &str)| {
        format!("{key}={}", escape(value).replace(':', "%3A").replace(',', "%2C"))
    };
    let properties: Vec<String> = properties.iter().map(property).collect();
    format!("::{name} {}::{}\n", properties.join(","), escape(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_command() {
        let text = command("error", &[("file", "a,b"), ("title", "uts: x")], "saw: 5%\nwant: 6");
        assert_eq!(text, "::error file=a%2Cb,title=uts%3A x::saw: 5%25%0Awant: 6\n");
        assert_eq!(plain("::error::x\n##[error]y"), "  | ::error::x\n  | # #[error]y\n");
    }
}
