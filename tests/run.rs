//! `minidocker run`, driven as a person drives it and looked at from outside.
//!
//! Every test runs the built program and asks the kernel, not the program, what came of it.

mod common;

mod run {
    pub mod status;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main([run::status::tests()].into_iter().flatten().collect())
}
