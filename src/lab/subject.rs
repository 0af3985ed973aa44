//! The student's program while it runs.

use super::stuck;
use super::witness;
use crate::error::Result;
use crate::process::Ended;
use crate::sys::flags::{O_CREAT, O_RDWR, O_TRUNC};
use crate::sys::process::{self, Child};
use crate::sys::program::{self, Ids, Start};
use crate::sys::{file, signal};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit status; 128 plus the signal if one ended it.
    pub status: u8,
    /// Its standard output, or the beginning of it.
    pub stdout: String,
    /// Its standard error, or the beginning of it.
    pub stderr: String,
}

/// A program that was started, and what it writes.
#[derive(Debug)]
pub struct Program {
    child: Child,
    out: [PathBuf; 2],
}

/// How a program is started.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// The file.
    pub program: &'a Path,
    /// Where its output is kept.
    pub place: &'a Path,
    /// Variables besides the usual ones.
    pub environment: &'a [(&'a str, &'a str)],
    /// As whom, if not as root of this host.
    pub ids: Option<Ids>,
    /// In which mount namespace, if not in the grader's.
    pub mounts: Option<&'a OwnedFd>,
}

/// So much address space may a student's process have: more than any lesson needs, and less than the machine has.
const ADDRESS_SPACE: u64 = 1 << 30;
/// So many processes may there be on the grader's host.
const PROCESSES: u64 = 1000;

impl Program {
    /// Start it.
    pub fn start(manner: &Manner<'_>, arguments: &[String]) -> Result<Self> {
        let out = ["stdout", "stderr"].map(|name| manner.place.join(name));
        let flags = O_RDWR | O_CREAT | O_TRUNC;
        let [stdout, stderr] =
            [file::open_file(&out[0], flags, 0o600)?, file::open_file(&out[1], flags, 0o600)?];
        let usual =
            [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("LANG", "C.UTF-8")];
        let environment: Vec<(String, String)> = usual
            .iter()
            .chain(manner.environment)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let child = program::start(&Start {
            program: manner.program,
            arguments,
            environment: &environment,
            directory: Path::new("/"),
            stdout: &stdout,
            stderr: &stderr,
            address_space: Some(ADDRESS_SPACE),
            processes: Some(PROCESSES),
            ids: manner.ids,
            mounts: manner.mounts,
        })?;
        Ok(Self { child, out })
    }

    /// The process.
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// Wait for its end, so long at most; `None` when it runs on.
    pub fn wait(&self, most: Duration) -> Result<Option<Finished>> {
        if !signal::watch_end(&self.child, Some(most))? {
            return Ok(None);
        }
        self.end().map(Some)
    }

    /// What it left; it has ended, or does at once.
    fn end(&self) -> Result<Finished> {
        let status = process::wait(&self.child).map(Ended::status)?;
        let [stdout, stderr] = self.said()?;
        Ok(Finished { status, stdout, stderr })
    }

    /// What it has written so far.
    pub fn said(&self) -> Result<[String; 2]> {
        Ok([file::read_text(&self.out[0])?, file::read_text(&self.out[1])?])
    }

    /// Where those who execute the same file are, each by its pid: in which system call.
    pub fn places(&self) -> Vec<(i32, String)> {
        let own = witness::executable(self.child.pid);
        let all = witness::everybody().into_iter().filter(|pid| witness::executable(*pid) == own);
        all.map(|pid| (pid, stuck::place(pid))).collect()
    }
}
