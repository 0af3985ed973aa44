//! The matrix: each lesson's checks against ours, against the starter, and against each wrong answer.

use super::program::{self, Told, grade, grade_alone};
use crate::common::need::{self, Need};
use crate::common::space::Who;
use crate::common::{Test, test};
use crate::mutants;
use minidocker::lab::lesson::Lesson;
use minidocker::lab::lessons::LESSONS;
use minidocker::lab::mutant::Mutant;
use minidocker::lab::source;
use std::collections::BTreeSet;

/// Fewer wrong answers than these do not prove much.
const FEWEST: usize = 4;

/// How a program is graded: as who, which lesson, which program, which of its wrong answers.
type Grade = fn(Who, &str, &str, &str) -> Told;

pub fn tests() -> Vec<Test> {
    let mut tests = test(&[], every_check_is_tripped_by_some_mutant);
    for lesson in LESSONS {
        let people = [(Who::Root, Need::Root, "root"), (Who::User, Need::Rootless, "user")];
        // An ordinary user has no cgroups of her own here; that the lesson says so is another test's.
        for (who, need, person) in
            people.into_iter().filter(|(who, ..)| *who == Who::Root || !asks_for_cgroups(lesson))
        {
            let name = |what: &str| format!("matrix::{}::{what}::{person}", lesson.name);
            let mut add = |what: &str, body: Box<dyn FnOnce() + Send>| {
                tests.push(Test::named(name(what), &[need], body));
            };
            add("reference", Box::new(move || reference_passes(who, lesson)));
            add("starter", Box::new(move || starter_fails(who, lesson)));
            for mutant in of(lesson) {
                let v1 = mutants::ON_V1.contains(&&*format!("{}/{}", lesson.name, mutant.name));
                let needs: &[Need] = if v1 { &[need, Need::CgroupV1] } else { &[need] };
                let body = Box::new(move || mutant_fails(who, lesson, mutant));
                tests.push(Test::named(name(mutant.name), needs, body));
            }
        }
    }
    tests
}

/// Whether a check of the lesson needs a cgroup.
fn asks_for_cgroups(lesson: &Lesson) -> bool {
    use minidocker::lab::need::Need::{CgroupCpu, CgroupFreezer, CgroupMemory, CgroupPids};
    let needs = lesson.checks.iter().flat_map(|check| check.needs).chain(lesson.needs);
    needs.into_iter().any(|need| [CgroupCpu, CgroupFreezer, CgroupMemory, CgroupPids].contains(need))
}

fn of(lesson: &Lesson) -> &'static [Mutant] {
    let found = mutants::ALL.iter().find(|(name, _)| *name == lesson.name);
    found.map_or(&[], |(_, mutants)| *mutants)
}

/// The checks of `lesson` that could be made; the others are counted as not made.
fn made<'a>(told: &'a Told, lesson: &'a Lesson) -> impl Iterator<Item = (&'static str, String, String)> + 'a {
    lesson.checks.iter().filter_map(|check| {
        let (word, said) = told.verdict(check.name);
        if word == "cannot" {
            need::missed(&format!("{}: {}", lesson.name, said["en"].as_str().unwrap_or("cannot")));
            return None;
        }
        Some((check.name, word, format!("{said:#}")))
    })
}

fn reference_passes(who: Who, lesson: &'static Lesson) {
    let told = grade(who, lesson.name, "mutants", &format!("{}/reference", lesson.name));
    for (check, word, said) in made(&told, lesson) {
        assert_eq!(word, "pass", "{check}: {said}");
    }
    assert!([0, 3].contains(&told.status), "{}", told.status);
}

fn starter_fails(who: Who, lesson: &'static Lesson) {
    let file = program::checkout().join("lessons").join(lesson.name).join("lab.rs");
    let begun =
        source::unfinished(&std::fs::read_to_string(file).unwrap(), lesson.parts).len() < lesson.parts.len();
    if begun {
        return need::missed(&format!(
            "{}: its lab.rs is no starter any more, somebody has begun it",
            lesson.name
        ));
    }
    starter_fails_when(grade, who, lesson);
    starter_fails_when(grade_alone, who, lesson);
}

fn starter_fails_when(grade: Grade, who: Who, lesson: &'static Lesson) {
    let told = grade(who, lesson.name, &format!("lab-{}", lesson.name), "");
    for (check, word, said) in made(&told, lesson) {
        assert_eq!(word, "not-yet", "{check}: {said}");
    }
    assert_eq!(told.status, 1);
}

fn mutant_fails(who: Who, lesson: &'static Lesson, mutant: &'static Mutant) {
    let told = grade(who, lesson.name, "mutants", &format!("{}/{}", lesson.name, mutant.name));
    for (check, word, said) in made(&told, lesson) {
        let wanted = if mutant.fails.contains(&check) { "fail" } else { "pass" };
        assert_eq!(word, wanted, "{check}: {said}");
        if word == "fail" {
            let (_, said) = told.verdict(check);
            assert_eq!(said["mistake"].as_str(), mutant.mistake, "{check}: {said:#}");
        }
    }
    // Where ours takes the place of every function that a check is not about, somebody still notices.
    let told = grade_alone(who, lesson.name, "mutants", &format!("{}/{}", lesson.name, mutant.name));
    let made: Vec<_> = made(&told, lesson).collect();
    let failed: Vec<_> =
        made.iter().filter(|(_, word, _)| word == "fail").map(|(check, ..)| *check).collect();
    let could = made.iter().any(|(check, ..)| mutant.fails.contains(check));
    assert!(!could || !failed.is_empty(), "alone, it fails nothing");
    assert!(failed.iter().all(|check| mutant.fails.contains(check)), "alone, it fails {failed:?}");
}

fn every_check_is_tripped_by_some_mutant() {
    for lesson in LESSONS {
        let mutants = of(lesson);
        assert!(mutants.len() >= FEWEST, "{}: {} mutants", lesson.name, mutants.len());
        let tripped: BTreeSet<&str> =
            mutants.iter().flat_map(|mutant| mutant.fails.iter().copied()).collect();
        let checks: BTreeSet<&str> = lesson.checks.iter().map(|check| check.name).collect();
        assert_eq!(tripped, checks, "{}", lesson.name);
        let known: BTreeSet<&str> = lesson.mistakes.iter().map(|mistake| mistake.name).collect();
        let earned: BTreeSet<&str> = mutants.iter().filter_map(|mutant| mutant.mistake).collect();
        assert_eq!(earned, known, "{}: each known mistake is earned by a mutant", lesson.name);
        for part in lesson.parts {
            for (file, function) in part.ours {
                let path = program::checkout().join(file);
                let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {file}"));
                let found = source::function(&text, function);
                assert!(found.is_some(), "{}: no function {function} in {file}", lesson.name);
            }
        }
    }
}
