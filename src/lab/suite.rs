//! The project's own tests, run on a student's program: `tests/run` with `MINIDOCKER_UNDER_TEST`.
//!
//! Unlike the checks, which have a throw-away host, these run on the person's machine, as the person: they are what every
//! change to `minidocker` must pass. Each makes what it needs and takes it away, and none waits longer than a minute.

use super::build;
use crate::error::Result;
use crate::sys::command::{self, Output};
use std::path::Path;
use std::time::{Duration, Instant};

/// Names the program that is tested in the place of the product.
const UNDER_TEST: &str = "MINIDOCKER_UNDER_TEST";
/// The file of tests: `tests/run.rs`.
const TESTS: &str = "run";
/// So many seconds may they take together. On a quiet machine it is half a minute.
const PATIENCE: &str = "600";
/// What timeout(1) answers when they took longer.
const TOO_LONG: i32 = 124;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suite {
    /// The tests do not build: what cargo said.
    Broken(String),
    /// They were ended before their end.
    TooLong,
    /// They ran.
    Ran(Tally),
}

/// How many tests did what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many passed.
    pub passed: u32,
    /// How many were skipped, for want of something that the machine does not have.
    pub skipped: u32,
    /// The names of those that failed.
    pub failed: Vec<String>,
    /// How long they took, without their build.
    pub took: Duration,
}

/// Build the tests of `checkout`, and run them on `program`.
pub fn run(checkout: &Path, program: &Path, color: bool) -> Result<Suite> {
    let manifest = checkout.join("Cargo.toml").display().to_string();
    let arguments = ["test", "--no-run", "--quiet", "--manifest-path", &manifest, "--test", TESTS];
    let tests = match build::cargo(&arguments, color)? {
        build::Built::Program(tests) => tests.display().to_string(),
        build::Built::Broken(said) => return Ok(Suite::Broken(said)),
    };
    let variable = format!("{UNDER_TEST}={}", program.display());
    let began = Instant::now();
    let arguments = ["timeout", "--foreground", "--kill-after=5", PATIENCE, &tests];
    let Output { status, stdout, .. } =
        command::run(Path::new("/usr/bin/env"), &[&[&*variable], &arguments[..]].concat(), "")?;
    Ok(match tally(&stdout) {
        Some(tally) if status != TOO_LONG => Suite::Ran(Tally { took: began.elapsed(), ..tally }),
        _ => Suite::TooLong,
    })
}

/// Read what libtest-mimic writes: a line for each test, and one in the end.
fn tally(stdout: &str) -> Option<Tally> {
    let last = stdout.lines().rev().find(|line| line.starts_with("test result: "))?;
    let count = |word: &str| {
        let (before, _) = last.split_once(word)?;
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    let failed = |line: &str| {
        let (name, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
        (verdict == "FAILED").then(|| name.trim_end().to_owned())
    };
    Some(Tally {
        passed: count(" passed")?,
        skipped: count(" ignored")?,
        failed: stdout.lines().filter_map(failed).collect(),
        took: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_and_the_others_name() {
        let said = "running 3 tests\ntest bridge::one    ... ok\ntest life::two::root ... FAILED\n\
                    test machine::three ... ignored\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; \
                    0 filtered out; finished in 0.10s\n";
        let expected =
            Tally { passed: 1, skipped: 1, failed: vec!["life::two::root".into()], took: Duration::ZERO };
        assert_eq!(tally(said), Some(expected));
        assert_eq!(tally("running 3 tests\n"), None);
    }
}
