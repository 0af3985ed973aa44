//! Signals: sigaction(2), sigprocmask(2), signalfd(2), poll(2), sigtimedwait(2).

use super::pipe::retry;
use super::process::Child;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The numbers of the signals that this crate names.
pub use nix::libc::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGSTOP, SIGTERM, SIGTTIN, SIGTTOU, SIGWINCH,
};

/// All signals, blocked, and a descriptor to read them from.
///
/// What is blocked stays pending instead of acting, so no signal is lost and none interrupts a half-done step.
#[derive(Debug)]
pub struct Blocked {
    before: SigSet,
    descriptor: SignalFd,
}

/// What happened first while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// This signal arrived.
    Signal(i32),
    /// The descriptor can be read.
    Ready,
}

/// Block every signal that can be blocked and open a signalfd on them.
pub fn block_all() -> Result<Blocked> {
    let mut before = SigSet::empty();
    ask(Call::Sigprocmask { block: true }, || {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))
    })?;
    let mut descriptor = None;
    ask(Call::Signalfd, || {
        descriptor =
            Some(SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?);
        Ok(())
    })?;
    descriptor.map_or_else(
        || Err(crate::error::Error::new(crate::error::Problem::Refused)),
        |descriptor| Ok(Blocked { before, descriptor }),
    )
}

impl Blocked {
    /// Give this process the mask it was started with, and SIGPIPE its default action (Rust's start-up code
    /// ignores it, and exec would hand that on).
    pub fn restore(&self) -> Result<()> {
        ask(Call::Sigaction { signal: SIGPIPE }, default_sigpipe)?;
        self.restore_mask()
    }

    /// Give this process the mask it was started with, and no more.
    pub fn restore_mask(&self) -> Result<()> {
        ask(Call::Sigprocmask { block: false }, || {
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None)
        })
    }

    /// Let the signals act by which the kernel stops who reads or sets a terminal from the background: SIGTTIN, SIGTTOU.
    pub fn allow_job_control(&self) -> Result<()> {
        let mut both = SigSet::empty();
        both.add(Signal::SIGTTIN);
        both.add(Signal::SIGTTOU);
        ask(Call::Sigprocmask { block: false }, || sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&both), None))
    }

    /// Readable when a signal has arrived.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Take a signal that has arrived; `None` when none has. Does not wait.
    pub fn take(&self) -> Option<i32> {
        self.descriptor.read_signal().ok().flatten().map(|signal| signal.ssi_signo as i32)
    }

    /// Wait until a signal arrives or `descriptor` can be read (for a pidfd: its process has ended), with no time
    /// limit and no polling in between.
    pub fn wait(&self, descriptor: BorrowedFd<'_>) -> Result<Event> {
        loop {
            let mut ready = false;
            ask(Call::Poll, || {
                let mut both = [
                    PollFd::new(descriptor, PollFlags::POLLIN),
                    PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN),
                ];
                retry(|| poll(&mut both, PollTimeout::NONE))?;
                ready = both[0].any().unwrap_or(false);
                Ok(())
            })?;
            if ready {
                return Ok(Event::Ready);
            }
            if let Ok(Some(signal)) = self.descriptor.read_signal() {
                return Ok(Event::Signal(signal.ssi_signo as i32));
            }
        }
    }
}

impl Blocked {
    /// Wait until a signal arrives, for so long at most; the signal.
    pub fn wait_at_most(&self, most: Duration) -> Result<Option<i32>> {
        wait_readable(self.descriptor.as_fd(), Some(most))?;
        Ok(self.descriptor.read_signal().ok().flatten().map(|signal| signal.ssi_signo as i32))
    }
}

#[allow(unsafe_code)]
pub(super) fn default_sigpipe() -> nix::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action replaces a handler by none; nothing of ours runs in signal context.
    unsafe { sigaction(Signal::SIGPIPE, &default) }.map(drop)
}

/// Let the signals by which a person gives up act while `wait` runs, as they would have without [`block_all`]:
/// one that came before acts at once, and by default ends this process. For the narrator, which waits for a person
/// outside of any request, so the door is not involved.
pub fn interruptible<T>(wait: impl FnOnce() -> T) -> T {
    let mut giving_up = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGQUIT, Signal::SIGHUP] {
        giving_up.add(signal);
    }
    let mut before = SigSet::empty();
    // A mask that cannot be changed leaves the signals blocked, as they were.
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&giving_up), Some(&mut before));
    let result = wait();
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    result
}

/// Wait until `process`, which need not be a child, has ended.
pub fn wait_ended(process: &Child) -> Result<()> {
    wait_readable(process.pidfd.as_fd(), None).map(drop)
}

/// The same, for so long at most if a time is given, and told as what it is; whether it has ended.
pub fn watch_end(process: &Child, most: Option<Duration>) -> Result<bool> {
    let call = Call::PollPidfd { pid: process.pid, timeout: most.map(|most| most.as_millis() as u64) };
    poll_readable(call, process.pidfd.as_fd(), most)
}

/// Wait until `descriptor` can be read, for so long at most; whether it can.
fn wait_readable(descriptor: BorrowedFd<'_>, most: Option<Duration>) -> Result<bool> {
    poll_readable(Call::Poll, descriptor, most)
}

fn poll_readable(call: Call<'_>, descriptor: BorrowedFd<'_>, most: Option<Duration>) -> Result<bool> {
    let end = most.map(|most| Instant::now() + most);
    let mut ready = false;
    ask(call, || {
        let mut one = [PollFd::new(descriptor, PollFlags::POLLIN)];
        retry(|| {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            // A rest of less than a millisecond is one, or the wait would end early.
            let limit = left.map_or(PollTimeout::NONE, |left| {
                PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
            });
            poll(&mut one, limit)
        })?;
        ready = one[0].any().unwrap_or(false);
        Ok(i32::from(ready))
    })?;
    Ok(ready)
}

/// Wait for any signal (all of them must be blocked) and take it: sigwaitinfo(2).
pub fn take_next() -> Result<i32> {
    ask(Call::Sigtimedwait, || retry(|| sigwaitinfo().map_err(|_| Errno::last())))
}

#[allow(unsafe_code)]
fn sigwaitinfo() -> std::result::Result<i32, ()> {
    let all = SigSet::all();
    // SAFETY: the set is valid and no siginfo is asked for.
    let signal = unsafe { libc::sigwaitinfo(all.as_ref(), std::ptr::null_mut()) };
    if signal < 0 { Err(()) } else { Ok(signal) }
}

/// The number of the signal called `SIGname` in signal(7).
pub fn number(name: &str) -> Option<i32> {
    if let Some(rest) = name.strip_prefix("RTMIN") {
        let offset = if rest.is_empty() { 0 } else { rest.strip_prefix('+')?.parse().ok()? };
        return Some(libc::SIGRTMIN() + offset).filter(|number| *number <= last());
    }
    format!("SIG{name}").parse::<Signal>().ok().map(|signal| signal as i32)
}

/// The name of a signal, without `SIG`; its number if it has none.
pub fn name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) => number.to_string(),
    }
}

/// The highest number of a signal.
pub fn last() -> i32 {
    libc::SIGRTMAX()
}
