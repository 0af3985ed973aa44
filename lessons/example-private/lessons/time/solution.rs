//! One right answer of lab `time`, and the wrong ones: which one is played, the environment variable `LAB_MUTANT` says.
//!
//! Keep this file out of what students get.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::sys::flags::{CLONE_NEWTIME, clone};
use minidocker::sys::namespace::{setns, unshare};
use minidocker::sys::{file, process};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let time = match std::env::var("LAB_MUTANT").unwrap_or_default().as_str() {
        "time/right" => right,
        "time/no-offset" => no_offset,
        "time/one-clock" => one_clock,
        "time/nothing" => nothing,
        _ => return ExitCode::from(125),
    };
    minidocker::main(Parts { time, ..Parts::REFERENCE })
}

/// The new namespace is for the children to come, until this process joins it; its clocks can be set while nobody is
/// in it.
fn right(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWTIME))?;
    set_back("boottime monotonic")?;
    join()
}

/// A new namespace whose clocks are the old ones.
fn no_offset(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWTIME))?;
    join()
}

/// Forgets the clock that programs measure spans by.
fn one_clock(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWTIME))?;
    set_back("boottime")?;
    join()
}

/// Stays where it is.
fn nothing(_: &Spec) -> Result<()> {
    Ok(())
}

fn set_back(clocks: &str) -> Result<()> {
    let (boottime, monotonic) = process::clocks();
    let line = |clock: &str| match clock {
        "boottime" => format!("boottime -{boottime} 0\n"),
        _ => format!("monotonic -{monotonic} 0\n"),
    };
    let lines: String = clocks.split(' ').map(line).collect();
    file::write(Path::new("/proc/self/timens_offsets"), &lines)
}

fn join() -> Result<()> {
    let path = Path::new("/proc/self/ns/time_for_children");
    let namespace = file::open_file(path, 0, 0)?;
    setns(&namespace, path, CLONE_NEWTIME)
}
