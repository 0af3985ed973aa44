//! `cargo lab NAME --shell`: a person looks around on the grader's host, where `minidocker` is the student's.
//!
//! Which processes: the grader's child is pid 1 of the host, as when it grades; the shell is its child. Nothing that is
//! done there is left when the shell ends.

use super::bench;
use super::host::{self, PLACE, STATE, STUDENT, Tools};
use super::lesson::Lesson;
use super::ration::Scope;
use crate::error::Result;
use crate::process::Forked;
use crate::process::supervise::Signals;
use crate::sys::file;
use crate::sys::process::{self, Program};
use std::path::Path;

/// The shells that are looked for, the most comfortable first, each with what makes it read no one's files.
const SHELLS: &[(&str, &[&str])] = &[("/bin/bash", &["--norc", "--noprofile"]), ("/bin/sh", &[])];

/// Let a person type commands on a new host for `student`; the exit status of the shell.
///
/// On entry this process has one thread. Signals of the terminal are the shell's from here on.
pub fn open(lesson: &Lesson, student: &Path) -> Result<u8> {
    let signals = Signals::hold()?;
    let status = host::play(student, (Scope::of(lesson), Tools::Real), || {
        let program = shell(lesson)?;
        match process::split()? {
            Forked::Child => become_shell(&signals, program),
            Forked::Parent(shell) => {
                let ended = process::wait(&shell)?;
                // What was left running in the background ends with the shell.
                bench::end_everybody()?;
                Ok(ended.status())
            }
        }
    });
    signals.unblock()?;
    status
}

/// The path of the shell, and how it is started.
fn shell(lesson: &Lesson) -> Result<(&'static str, Program)> {
    let bin = format!("{PLACE}/bin");
    file::mkdir(Path::new(&bin), 0o755)?;
    file::symlink(Path::new(STUDENT), &Path::new(&bin).join("minidocker"))?;
    let is_there = |path: &str| file::exists(Path::new(path)).unwrap_or(false);
    let (path, options) = SHELLS.iter().copied().find(|(path, _)| is_there(path)).unwrap_or(("/bin/sh", &[]));
    let argv: Vec<String> = [path].iter().chain(options).map(|word| (*word).to_owned()).collect();
    let kept = ["TERM", "LANG", "LC_ALL", "COLORTERM", "NO_COLOR"];
    let kept = kept.into_iter().filter_map(|name| Some(format!("{name}={}", std::env::var(name).ok()?)));
    let path_variable = format!("PATH={bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let prompt = format!("PS1=lab {} # ", lesson.name);
    let own = [path_variable, prompt, format!("MINIDOCKER_ROOT={STATE}"), format!("HOME={PLACE}")];
    Ok((path, Program::new(&argv, &own.into_iter().chain(kept).collect::<Vec<_>>())))
}

fn become_shell(signals: &Signals, (path, program): (&str, Program)) -> ! {
    /// As a shell says of a command that cannot be executed.
    const CANNOT_EXECUTE: i32 = 126;
    let never = file::chdir(Path::new(PLACE))
        .and_then(|()| signals.release())
        .and_then(|()| program.execve(Path::new(path)));
    match never {
        Ok(never) => match never {},
        // The person sees a shell that ended at once with this status.
        Err(_) => process::exit_now(CANNOT_EXECUTE),
    }
}
