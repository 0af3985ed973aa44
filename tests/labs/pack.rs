//! The instructor's pack: what can be run of it is run, and what it says of the lessons is compared with them.

use super::program::checkout;
use crate::common::need::Need;
use crate::common::space::program_named;
use crate::common::{Test, test};
use minidocker::lab::lessons::LESSONS;
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

pub fn tests() -> Vec<Test> {
    [
        test(&[], the_pages_know_every_lesson),
        test(&[], both_pages_say_the_same),
        test(&[], the_workflow_is_named_as_others_look_for_it),
        test(&[Need::Root], gradescope_gets_results),
        test(&[], gradescope_gets_results_whatever_happens),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(checkout().join("lessons").join(name)).unwrap()
}

const PAGES: [&str; 2] = ["INSTRUCTORS.md", "INSTRUCTORS.zh.md"];

fn the_pages_know_every_lesson() {
    for name in PAGES {
        let page = page(name);
        for lesson in LESSONS {
            assert!(
                page.contains(&format!("| `{}` |", lesson.name)),
                "{name} says nothing of {}",
                lesson.name
            );
        }
    }
}

/// The same headings, commands and files, in the same order.
fn both_pages_say_the_same() {
    let [en, zh] = PAGES.map(page);
    let levels = |page: &str| {
        let headings = page.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| line.chars().take_while(|character| *character == '#').count())
            .collect::<Vec<_>>()
    };
    assert_eq!(levels(&en), levels(&zh));
    let tables = |page: &str| page.lines().filter(|line| line.starts_with('|')).count();
    assert_eq!(tables(&en), tables(&zh));
    for file in ["ci/github-classroom.yml", "ci/gradescope/", "example-private", "AGENTS.md"] {
        assert!(en.contains(file) && zh.contains(file), "{file}");
        assert!(checkout().join("lessons").join(file).exists(), "{file}");
    }
}

/// The names that GitHub Classroom's documents ask for, and a command that this grader has.
fn the_workflow_is_named_as_others_look_for_it() {
    let workflow = page("ci/github-classroom.yml");
    for line in [
        "name: Autograding Tests\n",
        "\n  run-autograding-tests:\n",
        "lab grade ../student $LESSONS --report github",
    ] {
        assert!(workflow.contains(line), "{line}");
    }
    assert!(!workflow.contains('\t'), "YAML takes no tabs");
}

/// Run `run_autograder` as Gradescope does, with `lab` as the grader, on the starter of `uts`.
fn autograder(lab: &Path) -> Value {
    let place = tempfile::Builder::new().prefix("minidocker-test-").tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    for name in ["source", "submission"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    symlink(checkout(), path("source/course")).unwrap();
    std::fs::write(path("source/lessons.txt"), "uts\n").unwrap();
    // What a student uploads is just the file.
    std::fs::copy(checkout().join("lessons/uts/lab.rs"), path("submission/lab.rs")).unwrap();
    let output = Command::new(checkout().join("lessons/ci/gradescope/run_autograder"))
        .current_dir(place.path())
        .env("AUTOGRADER", place.path())
        .env("LAB", lab)
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_str(&std::fs::read_to_string(path("results/results.json")).unwrap()).unwrap()
}

fn gradescope_gets_results() {
    let results = autograder(&program_named("lab"));
    let uts = LESSONS.iter().find(|lesson| lesson.name == "uts").unwrap();
    assert_eq!(results["tests"].as_array().map(Vec::len), Some(uts.checks.len()));
    assert_eq!(results["score"], 0);
    assert!(results["tests"][0]["output"].as_str().unwrap().contains("not yet implemented"));
}

/// Without a result Gradescope shows a student an error of its own, which says nothing.
fn gradescope_gets_results_whatever_happens() {
    let results = autograder(Path::new("/bin/false"));
    assert_eq!(results["score"], 0);
    assert!(results["output"].as_str().unwrap().contains("no verdict"));
}
