//! `cgroup-demo`: see `minidocker::cli::cgroup_demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::cli::demo::main::<minidocker::cli::cgroup_demo::Demo>()
}
