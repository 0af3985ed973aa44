//! What the tests that drive the built `minidocker` share.
//!
//! | module | what |
//! |---|---|
//! | [`need`] | what the machine must have, found out by trying; a test whose need is lacking is skipped and counted |
//! | [`space`] | a place to run in: a state root of its own, a person, a throw-away host |
//! | [`container`] | a `minidocker` that was started, and its container as the kernel shows it from outside |
//!
//! A test file with `harness = false` lists its [`Test`]s, made by [`as_root`], [`as_user`] and [`as_both`], and hands
//! them to [`main`].

#![allow(dead_code, reason = "each test file uses a part of this")]
pub mod container;
pub mod need;
pub mod space;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use need::Need;
use space::Who;
use std::process::ExitCode;

/// One test: its name, what it needs of the machine, and what it does, where a panic is a failure.
pub struct Test {
    name: String,
    needs: Vec<Need>,
    body: Box<dyn FnOnce() + Send>,
}

impl Test {
    /// A test called `name`, which need not be that of a function.
    pub fn named(name: String, needs: &[Need], body: Box<dyn FnOnce() + Send>) -> Self {
        Self { name, needs: needs.to_vec(), body }
    }
}

/// The test that `body` is, named after that function; skipped unless all `needs` are met.
pub fn test<F: FnOnce() + Send + 'static>(needs: &[Need], body: F) -> Vec<Test> {
    vec![Test { name: name_of::<F>(), needs: needs.to_vec(), body: Box::new(body) }]
}

/// The same for a test that only root can do.
pub fn as_root<F: FnOnce() + Send + 'static>(needs: &[Need], body: F) -> Vec<Test> {
    test(&[&[Need::Root], needs].concat(), body)
}

/// The same for a test of what an ordinary user gets.
pub fn as_user<F: FnOnce() + Send + 'static>(needs: &[Need], body: F) -> Vec<Test> {
    test(&[&[Need::Rootless], needs].concat(), body)
}

/// Two tests of what everybody gets: root in one, an ordinary user in the other.
pub fn as_both<F: FnOnce(Who) + Copy + Send + 'static>(needs: &[Need], body: F) -> Vec<Test> {
    let one = |who: Who, need: Need, suffix: &str| Test {
        name: format!("{}::{suffix}", name_of::<F>()),
        needs: [&[need], needs].concat(),
        body: Box::new(move || body(who)),
    };
    vec![one(Who::Root, Need::Root, "root"), one(Who::User, Need::Rootless, "user")]
}

/// `MODULE::FUNCTION`, without the crate.
fn name_of<F>() -> String {
    let path: Vec<&str> = std::any::type_name::<F>().split("::").collect();
    path[path.len().saturating_sub(2)..].join("::")
}

/// Run `tests` as the command line asks, clear up what they shared, and say what the machine lacked.
pub fn main(tests: Vec<Test>) -> ExitCode {
    let conclusion = libtest_mimic::run(&Arguments::from_args(), tests.into_iter().map(trial).collect());
    space::remove_shared();
    need::report();
    conclusion.exit_code()
}

fn trial(test: Test) -> Trial {
    Trial::ignorable_test(test.name, move || match need::first_lacking(&test.needs) {
        None => {
            (test.body)();
            Ok(Completion::Completed)
        }
        Some(skip) if need::strict() => Err(Failed::from(skip)),
        Some(skip) => Ok(Completion::ignored_with(skip)),
    })
}
