//! The example of a course of one's own (`lessons/example-private`): its grader is built on this one as a library, and its
//! checks are proved by the right answer and the wrong ones, as those of the course are.

use super::program::checkout;
use crate::common::need::Need;
use crate::common::{Test, test};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

pub fn tests() -> Vec<Test> {
    [
        test(&[], its_table_has_its_lesson),
        test(&[Need::Root], the_right_answer_passes),
        test(&[Need::Root], nothing_written_is_not_yet),
        test(&[Need::Root], each_wrong_answer_fails_what_it_should),
        test(&[Need::Root], it_grades_others_too),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Its programs, built once: the one named `name`.
fn built(name: &str) -> PathBuf {
    static BUILT: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let all = BUILT.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--bins", "--examples", "--message-format=json", "--manifest-path"])
            .arg(checkout().join("lessons/example-private/lessons/Cargo.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect()
    });
    all.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("no {name}: {all:?}")).clone()
}

/// Each check with its verdict, and the mistake that it was put down to.
fn verdicts(program: &str, answer: &str) -> (i32, Vec<(String, String, String)>) {
    let output = Command::new(built("private-lab"))
        .args(["time", "--report", "json", "--with"])
        .arg(built(program))
        .env("LAB_MUTANT", answer)
        .current_dir(checkout().join("lessons/example-private"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    let each = report["lessons"][0]["checks"].as_array().unwrap().iter().map(|check| {
        let verdict = &check["verdict"];
        let word = verdict.as_str().or_else(|| verdict.as_object()?.keys().next().map(String::as_str));
        let mistake = verdict["fail"]["mistake"].as_str().unwrap_or_default();
        (check["name"].as_str().unwrap().to_owned(), word.unwrap().to_owned(), mistake.to_owned())
    });
    (output.status.code().unwrap(), each.collect())
}

fn its_table_has_its_lesson() {
    let table = Command::new(built("private-lab"))
        .current_dir(checkout().join("lessons/example-private"))
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = String::from_utf8(table.stdout).unwrap();
    assert!(text.contains("cargo lab time") && !text.contains("uts"), "{text}");
}

fn the_right_answer_passes() {
    let (status, checks) = verdicts("solution-time", "time/right");
    assert!(checks.iter().all(|(_, word, _)| word == "pass"), "{checks:?}");
    assert_eq!((status, checks.len()), (0, 3));
}

fn nothing_written_is_not_yet() {
    let (status, checks) = verdicts("lab-time", "");
    assert!(checks.iter().all(|(_, word, _)| word == "not-yet"), "{checks:?}");
    assert_eq!(status, 1);
}

/// Built against the `minidocker` that its own lessons depend on.
fn it_grades_others_too() {
    let course = checkout().join("lessons/example-private");
    let output = Command::new(built("private-lab"))
        .args(["grade", ".", "--report", "json"])
        .current_dir(&course)
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!((&report["lessons"][0]["name"], &report["points"]), (&"time".into(), &10.into()));
    assert_eq!(report["lessons"][0]["checks"][0]["verdict"], "not-yet");
}

fn each_wrong_answer_fails_what_it_should() {
    const WRONG: [(&str, &[&str], &str); 3] = [
        ("nothing", &["own-time-namespace", "booted-just-now", "monotonic-too"], "no-namespace"),
        ("no-offset", &["booted-just-now", "monotonic-too"], "no-offset"),
        ("one-clock", &["monotonic-too"], "no-offset"),
    ];
    for (answer, fails, mistake) in WRONG {
        let (_, checks) = verdicts("solution-time", &format!("time/{answer}"));
        for (name, word, why) in checks {
            let expected = if fails.contains(&name.as_str()) { ("fail", mistake) } else { ("pass", "") };
            assert_eq!((word.as_str(), why.as_str()), expected, "{answer}: {name}");
        }
    }
}
