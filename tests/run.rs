//! `minidocker run`, driven as a person drives it and looked at from outside.
//!
//! Every test runs the built program and asks the kernel, not the program, what came of it.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;

mod run {
    pub mod base;
    pub mod bridge;
    pub mod care;
    pub mod files;
    pub mod isolation;
    pub mod life;
    pub mod limits;
    pub mod machine;
    pub mod network;
    pub mod options;
    pub mod probe;
    pub mod refusals;
    pub mod rights;
    pub mod signals;
    pub mod status;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = run::probe::main() {
        return status;
    }
    let modules = [
        run::status::tests(),
        run::options::tests(),
        run::files::tests(),
        run::limits::tests(),
        run::isolation::tests(),
        run::rights::tests(),
        run::network::tests(),
        run::bridge::tests(),
        run::signals::tests(),
        run::life::tests(),
        run::care::tests(),
        run::base::tests(),
        run::refusals::tests(),
        run::machine::tests(),
    ];
    common::main(modules.into_iter().flatten().collect())
}
