//! `lab`: see `minidocker::cli::lab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::cli::lab::main(minidocker::lab::lessons::LESSONS)
}
