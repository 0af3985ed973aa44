//! The report as JUnit XML, which most programs that run tests for others read.
//!
//! A lesson is a test suite and a check a test case. A failed check and one not yet written are failures, one that this
//! machine cannot make is skipped, and what kept a lesson from being examined is an error of a case of its own.

use super::{CheckReport, LessonReport, Report, State, words};
use crate::lab::lesson::Lesson;
use crate::lab::verdict::Verdict;
use crate::narrate::words::Lang;
use std::fmt::Write;

/// How many cases of each kind.
#[derive(Default)]
struct Count {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Count {
    fn of(report: &LessonReport) -> Self {
        let mut count = Self { tests: report.checks.len(), ..Self::default() };
        match report.state {
            State::Examined => {}
            State::Cannot(_) => (count.tests, count.skipped) = (1, 1),
            State::DoesNotBuild(_) | State::NoFile(_) => (count.tests, count.errors) = (1, 1),
        }
        for check in &report.checks {
            match check.verdict {
                Verdict::Pass => {}
                Verdict::Fail(_) | Verdict::NotYet => count.failures += 1,
                Verdict::Cannot(_) => count.skipped += 1,
                Verdict::Broken(_) => count.errors += 1,
            }
        }
        count
    }

    fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            tests: sum.tests + one.tests,
            failures: sum.failures + one.failures,
            errors: sum.errors + one.errors,
            skipped: sum.skipped + one.skipped,
        })
    }

    fn attributes(&self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

/// The report, on several lines.
pub fn render(report: &Report, lessons: &[Lesson], lang: Lang) -> String {
    let all = Count::sum(report.lessons.iter().map(Count::of));
    let took: u64 = report.lessons.iter().map(|lesson| lesson.milliseconds).sum();
    let suites: String =
        report.lessons.iter().map(|one| suite(one, words::table(lessons, one), lang)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lab\" {} time=\"{}\">\n{suites}</testsuites>\n",
        all.attributes(),
        seconds(took),
    )
}

fn suite(report: &LessonReport, table: Option<&Lesson>, lang: Lang) -> String {
    let (name, time) = (escape(&report.name), seconds(report.milliseconds));
    let mut text =
        format!("  <testsuite name=\"{name}\" {} time=\"{time}\">\n", Count::of(report).attributes());
    let (earned, points) = (report.earned(), report.points);
    text += "    <properties>\n";
    for (property, value) in [("points", earned), ("possible", points), ("cannot", report.untold())] {
        let _ = writeln!(text, "      <property name=\"{property}\" value=\"{value}\"/>");
    }
    text += "    </properties>\n";
    if let Some(reason) = words::reason(&report.state, lang) {
        let kind = words::state(&report.state);
        let first = escape(reason.lines().next().unwrap_or_default());
        let inside = match report.state {
            State::Cannot(_) => format!("<skipped message=\"{first}\"/>"),
            _ => format!("<error type=\"{kind}\" message=\"{first}\">{}</error>", escape(&reason)),
        };
        let _ = writeln!(
            text,
            "    <testcase classname=\"lab.{name}\" name=\"{kind}\" time=\"0.000\">{inside}</testcase>"
        );
    }
    text.extend(report.checks.iter().map(|one| case(&name, one, table, lang)));
    text + "  </testsuite>\n"
}

fn case(lesson: &str, report: &CheckReport, table: Option<&Lesson>, lang: Lang) -> String {
    let (name, time) = (escape(&report.name), seconds(report.milliseconds));
    let begin = format!("    <testcase classname=\"lab.{lesson}\" name=\"{name}\" time=\"{time}\"");
    let kind = words::verdict(&report.verdict);
    let (title, told) = (escape(report.title.get(lang)), escape(&words::explain(report, table, lang)));
    match report.verdict {
        Verdict::Pass => format!("{begin}/>\n"),
        Verdict::Cannot(_) => format!("{begin}><skipped message=\"{told}\"/></testcase>\n"),
        Verdict::Broken(_) => {
            format!("{begin}><error type=\"{kind}\" message=\"{title}\">{told}</error></testcase>\n")
        }
        Verdict::Fail(_) | Verdict::NotYet => {
            format!("{begin}><failure type=\"{kind}\" message=\"{title}\">{told}</failure></testcase>\n")
        }
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Text as XML has it. What XML 1.0 cannot say at all (control characters, of a program's last words) becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // In an attribute these would be read as blanks.
            '\n' => out += "&#10;",
            '\t' => out += "&#9;",
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_program_breaks_the_document() {
        assert_eq!(escape("<a b=\"c\">&\u{1b}[1m\n"), "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}[1m&#10;");
        assert_eq!(seconds(12_034), "12.034");
    }
}
