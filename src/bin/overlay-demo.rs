//! `overlay-demo`: see `minidocker::cli::overlay_demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::cli::demo::main::<minidocker::cli::overlay_demo::Demo>()
}
