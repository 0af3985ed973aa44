//! Start another program and go on: fork, execve and pidfd_open in one request.
//!
//! Unlike [`command`](super::command) this does not wait: the grader starts a student's program and then looks at what
//! the kernel says of it.
#![allow(unsafe_code)]

use super::pipe::retry;
use super::process::Child;
use super::{Call, Request, Value, ask};
use crate::error::{Error, Problem, Result};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whom a program runs as: user and group id, without other groups. If that is not root, without capabilities.
#[derive(Debug, Clone, Copy)]
pub enum Ids {
    /// These, which have a meaning in this user namespace. On entry this process may change its ids.
    Changed(u32, u32),
    /// These, in a new user namespace, where they are this process's own ids.
    Mapped(u32, u32),
}

/// A program to be started.
#[derive(Debug)]
pub struct Start<'a> {
    /// The file.
    pub program: &'a Path,
    /// Its arguments, without the name.
    pub arguments: &'a [String],
    /// Its whole environment.
    pub environment: &'a [(String, String)],
    /// The directory it starts in.
    pub directory: &'a Path,
    /// Where its standard output goes.
    pub stdout: &'a OwnedFd,
    /// Where its standard error goes.
    pub stderr: &'a OwnedFd,
    /// The most bytes of address space that it, and whoever it starts, may each have; for a program that may run wild.
    pub address_space: Option<u64>,
    /// The most processes that its user may have; root of the machine's first user namespace is not bound by it.
    pub processes: Option<u64>,
    /// As whom it runs, if not as this process.
    pub ids: Option<Ids>,
    /// In which mount namespace, if not in this process's.
    pub mounts: Option<&'a OwnedFd>,
}

impl Request for Start<'_> {
    fn name(&self) -> &'static str {
        "execve"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("path", Value::Path(self.program));
        self.arguments.iter().for_each(|argument| each("argv", Value::Text(argument)));
    }
}

/// Start it. Its standard input is `/dev/null`; it has no other descriptor of ours. Errors: those of fork(2) and execve(2).
pub fn start(what: &Start<'_>) -> Result<Child> {
    let mut pidfd = None;
    let pid = ask(Call::Other(what), || {
        let (pid, descriptor) = spawn(what)?;
        pidfd = Some(descriptor);
        Ok(pid)
    })?;
    pidfd.map(|pidfd| Child { pid, pidfd }).ok_or_else(|| Error::new(Problem::Refused))
}

fn spawn(what: &Start<'_>) -> nix::Result<(i32, OwnedFd)> {
    let duplicate = |descriptor: &OwnedFd| descriptor.as_fd().try_clone_to_owned().map_err(errno_of);
    let mut command = Command::new(what.program);
    command
        .args(what.arguments)
        .env_clear()
        .envs(what.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(what.directory)
        .stdin(Stdio::null())
        .stdout(duplicate(what.stdout)?)
        .stderr(duplicate(what.stderr)?);
    let (bytes, processes, ids) = (what.address_space, what.processes, what.ids);
    let mounts = what.mounts.map(AsRawFd::as_raw_fd);
    let map = match ids {
        Some(Ids::Mapped(uid, gid)) => Some(Map::of(uid, gid)),
        _ => None,
    };
    let prepare = move || {
        let limit = |resource, most: u64| {
            let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            // SAFETY: setrlimit reads one structure, which lives until it returns.
            Errno::result(unsafe { libc::setrlimit(resource, &raw const limit) }).map(drop)
        };
        limit(libc::RLIMIT_CORE, 0)?;
        bytes.map_or(Ok(()), |bytes| limit(libc::RLIMIT_AS, bytes))?;
        processes.map_or(Ok(()), |most| limit(libc::RLIMIT_NPROC, most))?;
        if let Some(mounts) = mounts {
            // SAFETY: the call takes two integers; the descriptor is open as long as `what` lives.
            Errno::result(unsafe { libc::setns(mounts, libc::CLONE_NEWNS) })?;
        }
        match (ids, &map) {
            (Some(Ids::Changed(uid, gid)), _) => change(uid, gid)?,
            (Some(Ids::Mapped(..)), Some(map)) => map.enter()?,
            _ => {}
        }
        Ok(())
    };
    // SAFETY: `prepare` makes system calls and allocates nothing.
    unsafe { command.pre_exec(prepare) };
    let pid = command.spawn().map_err(errno_of)?.id();
    // SAFETY: the call takes two integers; the child has not been waited for, so the pid is its.
    let pidfd = retry(|| Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }))?;
    // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
    Ok((pid as i32, pidfd))
}

/// Change all ids of this process. Between fork and exec.
fn change(uid: u32, gid: u32) -> nix::Result<()> {
    // SAFETY: three calls that take integers, and a null pointer to no groups.
    unsafe {
        Errno::result(libc::setgroups(0, std::ptr::null()))?;
        Errno::result(libc::setresgid(gid, gid, gid))?;
        Errno::result(libc::setresuid(uid, uid, uid)).map(drop)
    }
}

/// What a process writes to be in a user namespace of its own under other ids, ready before the fork.
struct Map([(&'static CStr, String); 3]);

impl Map {
    fn of(uid: u32, gid: u32) -> Self {
        let row = |inside: u32, outside: u32| format!("{inside} {outside} 1");
        Self([
            (c"/proc/self/setgroups", "deny".to_owned()),
            (c"/proc/self/uid_map", row(uid, Uid::effective().as_raw())),
            (c"/proc/self/gid_map", row(gid, Gid::effective().as_raw())),
        ])
    }

    /// Go there. Between fork and exec.
    fn enter(&self) -> nix::Result<()> {
        // SAFETY: the call takes an integer, and this process has one thread.
        Errno::result(unsafe { libc::unshare(libc::CLONE_NEWUSER) })?;
        // Who shows nobody what is theirs does not own their files in /proc. What is executed next is another program.
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) })?;
        for (path, text) in &self.0 {
            // SAFETY: the path is NUL-terminated and the text as long as is said; the descriptor is this function's.
            unsafe {
                let file = Errno::result(libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC))?;
                let written = Errno::result(libc::write(file, text.as_ptr().cast(), text.len()));
                libc::close(file);
                written?;
            }
        }
        Ok(())
    }
}

fn errno_of(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}
