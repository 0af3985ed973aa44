//! What `minidocker` says: the explanation, the trace, the script, the steps, in both languages.
//!
//! Every test runs the built program. What is only typography is compared with what was said before
//! (`tests/snapshots/`, renewed by `INSTA_UPDATE=always cargo test --test narration` and then read by a person);
//! what is claimed about the kernel is compared with the kernel, with strace(1), or with a shell that does the same.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;

mod narration {
    pub mod explain;
    pub mod lang;
    pub mod limits;
    pub mod readme;
    pub mod shell;
    pub mod snapshots;
    pub mod step;
    pub mod text;
    pub mod trace;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    common::space::OWN_IDS_ALONE.store(true, std::sync::atomic::Ordering::Relaxed);
    let modules = [
        narration::snapshots::tests(),
        narration::explain::tests(),
        narration::limits::tests(),
        narration::shell::tests(),
        narration::trace::tests(),
        narration::step::tests(),
        narration::lang::tests(),
        narration::readme::tests(),
    ];
    common::main(modules.into_iter().flatten().collect())
}
