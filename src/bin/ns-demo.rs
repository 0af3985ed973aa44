//! `ns-demo`: see `minidocker::cli::ns_demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::cli::demo::main::<minidocker::cli::ns_demo::Demo>()
}
