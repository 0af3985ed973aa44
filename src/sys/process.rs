//! Processes: clone3(2), execve(2), waitid(2), pidfd_open(2), pidfd_send_signal(2), _exit(2).
#![allow(unsafe_code)]

use super::flags::{self, Flags};
use super::observer::{self, Role};
use super::pipe::retry;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};
use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// A child process. The descriptor names this process and no other, however pids are reused.
#[derive(Debug)]
pub struct Child {
    /// Its pid in the caller's pid namespace.
    pub pid: i32,
    /// Its pidfd: readable when the process has ended. See pidfd_open(2).
    pub pidfd: OwnedFd,
}

/// Which of the two processes that leave [`clone3`] this one is.
#[derive(Debug)]
pub enum Forked {
    /// The caller; it has a child now.
    Parent(Child),
    /// The new process.
    Child,
}

/// struct clone_args of linux/sched.h, up to the member `cgroup` (Linux 5.7).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Make a child in the new namespaces that `flags` ask for, and, with `cgroup` (an open cgroup v2 directory
/// and its path), born inside that cgroup.
///
/// The child is a copy, as after fork(2): it shares no memory with its parent and runs on from here. On entry
/// the caller must have a single thread, since a copy holds whatever locks other threads held; every binary
/// of this package keeps to one thread. Errors: `EPERM` for user namespaces forbidden by the system, `ENOSYS`
/// before Linux 5.3, `EBUSY` for a cgroup that cannot take processes, `EAGAIN` past a limit on processes.
pub fn clone3(flags: u64, cgroup: Option<(BorrowedFd<'_>, &Path)>) -> Result<Forked> {
    clone_as(Role::Init, flags, cgroup)
}

/// Make a child in the same namespaces, which goes on with this program's work as [`Role::Runtime`]. Same contract as
/// [`clone3`].
pub fn split() -> Result<Forked> {
    clone_as(Role::Runtime, 0, None)
}

fn clone_as(role: Role, flags: u64, cgroup: Option<(BorrowedFd<'_>, &Path)>) -> Result<Forked> {
    let into = if cgroup.is_some() { flags::CLONE_INTO_CGROUP } else { 0 };
    let flags: Flags = flags::clone(flags | flags::CLONE_PIDFD | into);
    let mut pidfd: i32 = -1;
    let args = CloneArgs {
        flags: flags.bits,
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        cgroup: cgroup.map_or(0, |(directory, _)| directory.as_raw_fd() as u64),
        ..CloneArgs::default()
    };
    let call = Call::Clone3 { flags, cgroup: cgroup.map(|(_, path)| path) };
    let pid = ask(call, || {
        // SAFETY: `args` has the kernel's layout and the size passed. No stack is given and CLONE_VM is not
        // set, so the child runs on a copy of this stack; the caller has one thread, as the contract says.
        let answer = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
        let pid = Errno::result(answer)? as i32;
        if pid == 0 {
            enter_child(role);
        }
        Ok(pid)
    })?;
    if pid == 0 {
        return Ok(Forked::Child);
    }
    // SAFETY: with CLONE_PIDFD and success the kernel has stored a descriptor that nobody else owns.
    Ok(Forked::Parent(Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }))
}

/// A plain copy of this process: fork(2). `None` in the child. Same contract as [`clone3`].
pub fn fork() -> Result<Option<i32>> {
    let pid = ask(Call::Fork, || {
        // SAFETY: the caller has a single thread, so no lock is held by a thread that the child lacks.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { child } => Ok(child.as_raw()),
            ForkResult::Child => Ok(0),
        }
    })?;
    Ok((pid != 0).then_some(pid))
}

fn enter_child(role: Role) {
    #[cfg(feature = "fault")]
    super::fault::forget_count();
    observer::become_role(role);
}

/// A command, ready for execve(2): every string is built before the fork.
#[derive(Debug)]
pub struct Program {
    argv: Vec<String>,
    environment: Vec<String>,
    c_argv: Vec<CString>,
    c_environment: Vec<CString>,
}

impl Program {
    /// Take arguments and environment (`NAME=value`); a string with a NUL inside is cut there, as the kernel
    /// would.
    pub fn new(argv: &[String], environment: &[String]) -> Self {
        let c = |text: &String| CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
        Self {
            argv: argv.to_vec(),
            environment: environment.to_vec(),
            c_argv: argv.iter().map(c).collect(),
            c_environment: environment.iter().map(c).collect(),
        }
    }

    /// Become the program at `path`. Returns only when the kernel refuses.
    pub fn execve(&self, path: &Path) -> Result<std::convert::Infallible> {
        let call = Call::Execve { path, argv: &self.argv, environment: &self.environment };
        let mut infallible = None;
        ask(call, || {
            use std::os::unix::ffi::OsStrExt;
            let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
            infallible = Some(nix::unistd::execve(&c_path, &self.c_argv, &self.c_environment)?);
            Ok(())
        })?;
        // execve returned Ok, which its type says is impossible.
        infallible.map_or_else(|| exit_now(125), Ok)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

impl Ended {
    /// The status a shell would report: the exit status, or 128 plus the signal.
    pub fn status(self) -> u8 {
        match self {
            Ended::Exited(status) => status as u8,
            Ended::Signaled(signal) => (128 + signal) as u8,
        }
    }
}

/// Wait for `child` to end and reap it.
pub fn wait(child: &Child) -> Result<Ended> {
    let pidfd = child.pidfd.as_raw_fd() as libc::id_t;
    wait_id((libc::P_PIDFD, pidfd), child.pid, libc::WEXITED).map(|(_, ended)| ended)
}

/// Reap one ended child, whichever; `None` when there is none just now.
pub fn reap_any() -> Result<Option<(i32, Ended)>> {
    let (pid, ended) = wait_id((libc::P_ALL, 0), -1, libc::WEXITED | libc::WNOHANG)?;
    Ok((pid != 0).then_some((pid, ended)))
}

/// Wait until some child has ended, whichever, and reap it. `ECHILD` when there is none to wait for.
pub fn wait_any() -> Result<(i32, Ended)> {
    wait_id((libc::P_ALL, 0), -1, libc::WEXITED)
}

/// Not nix's waitid, which knows no real-time signals: of a child that one has ended it says `EINVAL`, when the
/// child has been reaped already.
fn wait_id(who: (libc::idtype_t, libc::id_t), pid: i32, flags: i32) -> Result<(i32, Ended)> {
    let mut ended = (0, Ended::Exited(0));
    ask(Call::Waitid { pid }, || {
        // SAFETY: all zeroes are a valid siginfo_t; with WNOHANG and no ended child the kernel leaves si_pid 0.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is valid to write to; a pidfd among the arguments is borrowed by the caller meanwhile.
        retry(|| Errno::result(unsafe { libc::waitid(who.0, who.1, &raw mut info, flags) }))?;
        // SAFETY: waitid(2) fills in the members of a SIGCHLD, or leaves them zero.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        let exited = pid == 0 || info.si_code == libc::CLD_EXITED;
        ended = (pid, if exited { Ended::Exited(status) } else { Ended::Signaled(status) });
        Ok(pid)
    })?;
    Ok(ended)
}

/// A descriptor for the process that has `pid` now (pidfd_open(2)); `ESRCH` when there is none.
pub fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    ask(Call::PidfdOpen { pid }, || {
        // SAFETY: the call takes two integers.
        let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let descriptor = Errno::result(answer)? as i32;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    })
}

/// Send `signal` to the very process that `child` names (pidfd_send_signal(2)). `ESRCH` when it has ended.
pub fn send_signal(child: &Child, signal: i32) -> Result<()> {
    ask(Call::PidfdSendSignal { pid: child.pid, signal }, || {
        let no_info = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a null siginfo asks the kernel to fill it as kill(2) does; the descriptor is open.
        let answer = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, child.pidfd.as_raw_fd(), signal, no_info, 0)
        };
        Errno::result(answer).map(drop)
    })
}

/// Send `signal` to a child of the caller by pid; safe from reuse only while the caller has not reaped it.
pub fn kill(pid: i32, signal: i32) -> Result<()> {
    ask(Call::Kill { pid, signal }, || {
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
    })
}

/// Start a session of its own, without controlling terminal (setsid(2)): what is typed on the terminal, and
/// the ioctl TIOCSTI, no longer reach across.
pub fn setsid() -> Result<()> {
    ask(Call::Setsid, || nix::unistd::setsid().map(drop))
}

/// Mark every descriptor from `first` up close-on-exec (close_range(2)), whoever opened it.
pub fn close_on_exec_from(first: u32) -> Result<()> {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    ask(Call::CloseRange { first, on_exec: true }, || close_range(first, CLOSE_RANGE_CLOEXEC))
}

/// Close every descriptor from `first` up, whoever owns it. The caller uses none of them any more, opens no other,
/// and ends by [`exit_now`], so that no owner closes what is closed already.
pub fn close_from(first: u32) -> Result<()> {
    ask(Call::CloseRange { first, on_exec: false }, || close_range(first, 0))
}

fn close_range(first: u32, flags: libc::c_uint) -> nix::Result<()> {
    // SAFETY: with CLOSE_RANGE_CLOEXEC only flags of descriptors change; without it the contract of `close_from`
    // has the caller forget them.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) };
    Errno::result(answer).map(drop)
}

/// End at once: no destructor, no buffer flushed, no handler run (_exit(2)). The way out of a forked child.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(status) }
}

/// Let a millisecond pass, where the kernel has no event to wait for.
pub fn pause_millisecond() {
    std::thread::sleep(std::time::Duration::from_millis(1));
}

/// This process's pid, in its own pid namespace.
pub fn pid() -> i32 {
    Pid::this().as_raw()
}

/// The pid of this process's parent, in this process's pid namespace.
pub fn parent() -> i32 {
    Pid::parent().as_raw()
}

/// `length` random bytes (getrandom(2)).
pub fn random(length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0u8; length];
    ask(Call::Getrandom { length }, || {
        // SAFETY: the buffer is `length` bytes long.
        let answer = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), length, 0) };
        Errno::result(answer).map(drop)
    })?;
    Ok(bytes)
}

/// Seconds of CLOCK_BOOTTIME and CLOCK_MONOTONIC, as this process's time namespace shows them.
/// A clock is read from the vDSO without entering the kernel, so the door is not involved.
pub fn clocks() -> (i64, i64) {
    let read = |clock| {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid timespec to write to; both clocks exist on every Linux.
        unsafe { libc::clock_gettime(clock, &raw mut time) };
        time.tv_sec
    };
    (read(libc::CLOCK_BOOTTIME), read(libc::CLOCK_MONOTONIC))
}

/// Microseconds of processor time that this thread has used: CLOCK_THREAD_CPUTIME_ID, clock_gettime(2). It only tells
/// what the caller itself does, and is asked for in a loop, so the door is not involved.
pub fn cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

/// Microseconds of CLOCK_MONOTONIC, from the vDSO.
pub fn monotonic() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as above.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}
