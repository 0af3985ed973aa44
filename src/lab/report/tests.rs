//! Each form for machines has all verdicts, keeps to what its readers document, and no text of a student's breaks it.

use super::*;
use crate::lab::lesson::{Check, Mistake};
use crate::lab::verdict::{Failure, Verdict};
use serde_json::Value;

const LESSON: Lesson = Lesson {
    name: "uts",
    title: Text { en: "a name of <one's> own", zh: "自己的名字" },
    parts: &[],
    needs: &[],
    checks: &[],
    mistakes: &[Mistake { name: "too-early", why: Text { en: "named too early", zh: "改名太早" } }],
    hints: &[],
    acts: &[],
    page: "namespaces/uts",
};

/// What a student's program may have said: a command of GitHub's, markup, a colour, the end of a CDATA section.
const WILD: &str = "::notice title=Autograding complete::Points 99/9\n##[error]</failure>]]>&\u{1b}[1m\0\"";

fn check(name: &'static str, points: u32, verdict: Verdict) -> CheckReport {
    let title = Text { en: "it holds, always", zh: "总是成立" };
    let check = Check { name, title, points, about: &[], needs: &[], look: "uname -n", run: |_| Ok(()) };
    CheckReport::new(&check, verdict, Duration::from_millis(1234))
}

fn examined() -> LessonReport {
    let wrong = Failure {
        saw: Said::plain(WILD),
        want: Said { en: "another".into(), zh: "另一个".into() },
        mistake: Some("too-early".into()),
    };
    let lesson = LessonReport {
        points: 10,
        checks: vec![
            check("passed", 4, Verdict::Pass),
            check("failed", 3, Verdict::Fail(wrong)),
            check("not-written", 1, Verdict::NotYet),
            check("cannot", 1, Verdict::Cannot(Said::plain(WILD))),
            check("broken", 1, Verdict::Broken(Said::plain(WILD))),
        ],
        ..LessonReport::new(&LESSON, State::Examined, Vec::new(), Duration::from_millis(5678))
    };
    assert_eq!((lesson.earned(), lesson.untold(), lesson.status()), (4, 1, 1));
    lesson
}

fn not_examined(state: State) -> LessonReport {
    LessonReport { points: 10, ..LessonReport::new(&LESSON, state, Vec::new(), Duration::ZERO) }
}

/// A lesson in each state.
fn all() -> Report {
    let states = [
        State::DoesNotBuild(WILD.into()),
        State::NoFile(Said::plain(WILD)),
        State::Cannot(Said::plain(WILD)),
    ];
    let mut lessons = vec![examined()];
    lessons.extend(states.map(not_examined));
    Report { lessons }
}

fn rendered(format: Format) -> String {
    all().render(format, &[LESSON], Lang::En)
}

#[test]
fn the_whole_can_be_read_again_from_json() {
    let text = rendered(Format::Json);
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), all());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["earned"], &value["points"], &value["cannot"]), (&4.into(), &40.into(), &11.into()));
    assert_eq!(value["status"], 2);
    assert_eq!(value["lessons"][0]["checks"][1]["why"]["zh"], "改名太早");
    assert_eq!(value["lessons"][0]["checks"][0]["earned"], 4);
}

#[test]
fn gradescope_finds_what_it_documents() {
    let value: Value = serde_json::from_str(&rendered(Format::Gradescope)).unwrap();
    let known = |object: &Value, names: &[&str]| {
        let strange = object.as_object().unwrap().keys().find(|key| !names.contains(&key.as_str()));
        assert_eq!(strange, None);
    };
    known(
        &value,
        &[
            "score",
            "execution_time",
            "output",
            "output_format",
            "test_output_format",
            "test_name_format",
            "visibility",
            "stdout_visibility",
            "tests",
        ],
    );
    let tests = value["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 8);
    for test in tests {
        known(test, &["name", "score", "max_score", "status", "output", "tags", "extra_data"]);
        assert!(test["score"].as_u64().unwrap() <= test["max_score"].as_u64().unwrap());
        assert!(["passed", "failed"].contains(&test["status"].as_str().unwrap()));
    }
    let sum = |field: &str| tests.iter().filter_map(|test| test[field].as_u64()).sum::<u64>();
    assert_eq!((value["score"].as_u64(), sum("score")), (Some(4), 4));
    // What this machine cannot tell is neither given nor lost.
    assert_eq!(sum("max_score"), 40 - 11);
    assert!(value["output"].as_str().unwrap().contains("11 more"), "{}", value["output"]);
}

#[test]
fn github_counts_the_points_once() {
    let text = rendered(Format::Github);
    let commands: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let points = commands.iter().filter(|line| line.starts_with("::notice title=Autograding complete::"));
    let points: Vec<&str> = points.copied().collect();
    assert_eq!(points, ["::notice title=Autograding complete::Points 4/29"]);
    assert!(!text.contains("##["), "the runner takes ##[ for a command anywhere in a line");
    for line in &commands {
        let known = ["group", "endgroup", "notice", "warning", "error"];
        let name = line[2..].split([' ', ':']).next().unwrap();
        assert!(known.contains(&name), "{line}");
    }
    let errors =
        commands.iter().filter(|line| line.starts_with("::error file=lessons/uts/lab.rs,title=uts%3A"));
    assert_eq!(errors.count(), 5);
}

/// Whether `text` is one XML element with what stands before it; its elements by name, in order.
fn elements(text: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        assert!(
            open.is_empty() == before.trim().is_empty() || before.trim().is_empty(),
            "text outside: {before}"
        );
        references(before);
        // No attribute has a bare `>`: all are escaped.
        let end = tag.find('>').unwrap();
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = inside.split([' ', '/']).next().unwrap();
        attributes(inside[name.len()..].trim_end_matches('/'));
        found.push(name.to_owned());
        if !inside.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    found
}

/// `NAME="VALUE"`, each name once.
fn attributes(text: &str) {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap();
        let (value, after) = after.split_once('"').unwrap();
        assert!(!names.contains(&name) && name.chars().all(|c| c.is_ascii_alphabetic()), "{text}");
        assert!(!value.contains('<'), "{value}");
        references(value);
        names.push(name);
        rest = after.trim_start();
    }
}

fn references(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || c >= ' '), "a control character: {text:?}");
    for piece in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#10;", "#9;"];
        assert!(known.iter().any(|name| piece.starts_with(name)), "&{piece}");
    }
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let text = rendered(Format::Junit);
    let found = elements(&text);
    let count = |name: &str| found.iter().filter(|found| *found == name).count();
    assert_eq!((count("testsuites"), count("testsuite"), count("testcase")), (1, 4, 8));
    assert_eq!((count("failure"), count("error"), count("skipped")), (2, 3, 2));
    let whole =
        "<testsuites name=\"lab\" tests=\"8\" failures=\"2\" errors=\"3\" skipped=\"2\" time=\"5.678\">";
    assert!(text.contains(whole), "{text}");
}

#[test]
fn a_person_reads_it_in_either_language() {
    let text = all().render(Format::Junit, &[LESSON], Lang::Zh);
    assert!(text.contains("改名太早") && text.contains("另一个"), "{text}");
}
