//! `net-demo`: see `minidocker::cli::net_demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::cli::demo::main::<minidocker::cli::net_demo::Demo>()
}
