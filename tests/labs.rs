//! The course, proved by mutation: ours passes every check; what nobody has begun fails every check, and says so; each
//! wrong answer fails exactly the checks it should, by the right diagnosis; and no check is there that catches nothing.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;

/// The wrong answers, as the program that plays them knows them.
#[path = "../lessons/mutants.rs"]
#[allow(dead_code, reason = "its main is another program's")]
mod mutants;

mod labs {
    pub mod doctor;
    pub mod grade;
    pub mod matrix;
    pub mod pack;
    pub mod private;
    pub mod program;
    pub mod ration;
    pub mod wild;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    let modules = [
        labs::matrix::tests(),
        labs::wild::tests(),
        labs::doctor::tests(),
        labs::grade::tests(),
        labs::private::tests(),
        labs::pack::tests(),
        labs::ration::tests(),
    ];
    common::main(modules.into_iter().flatten().collect())
}
