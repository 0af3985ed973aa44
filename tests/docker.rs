//! The verbs of `minidocker` beside `run`, driven as a person drives them and looked at from outside.
//!
//! Every test runs the built program and asks the kernel, or a program that others wrote, what came of it.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;
#[path = "run/probe.rs"]
#[allow(dead_code, reason = "each test file uses a part of this")]
mod probe;

mod docker {
    pub mod attach;
    pub mod commit;
    pub mod console;
    pub mod cp;
    pub mod crowd;
    pub mod diff;
    pub mod events;
    pub mod exec;
    pub mod exec_terminal;
    pub mod images;
    pub mod inspect;
    pub mod life;
    pub mod load;
    pub mod logs;
    pub mod names;
    pub mod network;
    pub mod ps;
    pub mod publish;
    pub mod rootless;
    pub mod save;
    pub mod shared;
    pub mod stats;
    pub mod tarball;
    pub mod terminal;
    pub mod top;
    pub mod unpack;
    pub mod volumes;
    pub mod wire;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(probed) = probe::main() {
        return probed;
    }
    let modules = [
        // One a line.
        docker::life::tests(),
        docker::inspect::tests(),
        docker::ps::tests(),
        docker::stats::tests(),
        docker::console::tests(),
        docker::attach::tests(),
        docker::logs::tests(),
        docker::exec::tests(),
        docker::exec_terminal::tests(),
        docker::cp::tests(),
        docker::events::tests(),
        docker::top::tests(),
        docker::diff::tests(),
        docker::images::tests(),
        docker::commit::tests(),
        docker::save::tests(),
        docker::load::tests(),
        docker::unpack::tests(),
        docker::rootless::tests(),
        docker::shared::tests(),
        docker::volumes::tests(),
        docker::network::tests(),
        docker::publish::tests(),
        docker::names::tests(),
        docker::crowd::tests(),
    ];
    common::main(modules.into_iter().flatten().collect())
}
