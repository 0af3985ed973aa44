//! Programs that run wild: each ends in a verdict with a reason, within a bound, and nothing of it is left.

use super::program::grade;
use crate::common::space::{Who, uid_of};
use crate::common::{Test, as_both};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// The longest that any program can keep the grader of five checks.
const BOUND: Duration = Duration::from_secs(60);

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], an_endless_loop_is_told_where_it_is),
        as_both(&[], a_fork_bomb_ends),
        as_both(&[], a_memory_hog_ends),
        as_both(&[], a_panic_is_told),
        as_both(&[], an_early_exit_is_no_pass),
        as_both(&[], printing_what_is_wanted_is_no_pass),
        as_both(&[], shelling_out_is_refused),
        as_both(&[], a_full_file_system_is_a_verdict),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first check's `saw`, after a look that none of its processes is left.
fn saw(who: Who, wild: &str) -> String {
    let began = Instant::now();
    let told = grade(who, "uts", "mutants", &format!("wild/{wild}"));
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert_eq!(told.status, 1);
    let mark = format!("LAB_MUTANT=wild/{wild}");
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let of_person = entry.metadata().is_ok_and(|status| status.uid() == uid_of(who));
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        of_person && String::from_utf8_lossy(&environment).contains(&mark)
    });
    assert_eq!(left.count(), 0, "processes are left");
    let (word, said) = told.verdict("own-uts-namespace");
    assert!(word == "fail" || wild == "fills-up", "{word}: {said}");
    said["saw"]["en"].as_str().unwrap_or_default().to_owned()
}

fn an_endless_loop_is_told_where_it_is(who: Who) {
    let saw = saw(who, "loop");
    assert!(saw.contains("nothing happened") && saw.contains("running"), "{saw}");
}

fn a_fork_bomb_ends(who: Who) {
    let saw = saw(who, "fork-bomb");
    assert!(saw.contains("nothing happened") || saw.contains("killed") || saw.contains("ended"), "{saw}");
}

fn a_memory_hog_ends(who: Who) {
    let saw = saw(who, "memory-hog");
    assert!(saw.contains("memory allocation") || saw.contains("killed"), "{saw}");
}

fn a_panic_is_told(who: Who) {
    let saw = saw(who, "panic");
    assert!(saw.contains("no idea how to name"), "{saw}");
}

fn an_early_exit_is_no_pass(who: Who) {
    let saw = saw(who, "exit");
    assert!(saw.contains("ended with status 0"), "{saw}");
}

fn printing_what_is_wanted_is_no_pass(who: Who) {
    let saw = saw(who, "prints");
    assert!(saw.contains("ended with status 0"), "{saw}");
}

fn shelling_out_is_refused(who: Who) {
    let saw = saw(who, "shells-out");
    assert!(saw.contains("executed `hostname`"), "{saw}");
}

fn a_full_file_system_is_a_verdict(who: Who) {
    saw(who, "fills-up");
    let told = grade(who, "uts", "mutants", "wild/fills-up");
    let (word, said) = told.verdict("exec-joins");
    assert_eq!(word, "fail", "{said}");
    assert!(
        said["saw"]["en"].as_str().unwrap().contains("ENOSPC") || said.to_string().contains("no space"),
        "{said}"
    );
}
