//! Programs that run wild: what a beginner's mistake, or a cheat, can do to a grader. Each must end in a verdict.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::sys::{command, file, process};
use std::path::Path;

/// Each by its name, with the part `uts` that does it.
pub const WILD: &[(&str, Parts)] = &[
    ("loop", Parts { uts: endless_loop, ..Parts::REFERENCE }),
    ("fork-bomb", Parts { uts: fork_bomb, ..Parts::REFERENCE }),
    ("memory-hog", Parts { uts: memory_hog, ..Parts::REFERENCE }),
    ("panic", Parts { uts: panics, ..Parts::REFERENCE }),
    ("exit", Parts { uts: exits, ..Parts::REFERENCE }),
    ("prints", Parts { uts: prints, ..Parts::REFERENCE }),
    ("shells-out", Parts { uts: shells_out, ..Parts::REFERENCE }),
    ("fills-up", Parts { uts: fills_up, ..Parts::REFERENCE }),
];

fn endless_loop(_: &Spec) -> Result<()> {
    loop {
        std::hint::spin_loop();
    }
}

fn fork_bomb(_: &Spec) -> Result<()> {
    loop {
        // Past the limit it goes on trying.
        let _ = process::fork();
    }
}

fn memory_hog(_: &Spec) -> Result<()> {
    let mut all = Vec::new();
    loop {
        all.push(vec![1_u8; 1 << 20]);
    }
}

fn panics(spec: &Spec) -> Result<()> {
    panic!("no idea how to name {}", spec.hostname)
}

fn exits(_: &Spec) -> Result<()> {
    std::process::exit(0)
}

#[allow(clippy::print_stdout, reason = "that is what it does")]
fn prints(spec: &Spec) -> Result<()> {
    println!("pass: the host name is {}", spec.hostname);
    println!("{{\"verdict\":\"pass\"}}");
    std::process::exit(0)
}

fn shells_out(spec: &Spec) -> Result<()> {
    command::run(Path::new("hostname"), &[&spec.hostname], "").map(drop)
}

fn fills_up(spec: &Spec) -> Result<()> {
    let megabyte = "x".repeat(1 << 20);
    for number in 0.. {
        let path = format!("/tmp/lab/full-{}-{number}", spec.id);
        if file::write_new(Path::new(&path), &megabyte, 0o600).is_err() {
            break;
        }
    }
    minidocker::namespace::uts::enter(&spec.hostname)
}
