//! How a terminal treats what is typed: termios(3). *Raw*, every key goes to who reads, at once, and none sends a signal.
//!
//! A terminal that was left raw is of no use to a person, and belongs to somebody else again when this process has
//! ended. So what it was is kept here until it is put back, and put back by a panic too.
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::{Mutex, Once, PoisonError};

#[derive(Debug)]
enum Termios {
    Tcgetattr { terminal: i32 },
    Tcsetattr { terminal: i32, raw: bool },
}

impl Request for Termios {
    fn name(&self) -> &'static str {
        match self {
            Termios::Tcgetattr { .. } => "tcgetattr",
            Termios::Tcsetattr { .. } => "tcsetattr",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        let (Termios::Tcgetattr { terminal } | Termios::Tcsetattr { terminal, .. }) = *self;
        each("fd", Value::Number(terminal.into()));
        if let Termios::Tcsetattr { raw, .. } = *self {
            each("optional_actions", Value::Symbol("TCSANOW"));
            each("termios", Value::Symbol(if raw { "raw" } else { "as it was" }));
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Termios::Tcgetattr { .. })
    }
}

/// What the terminal was before it became raw, for as long as it is.
static BEFORE: Mutex<Option<(RawFd, libc::termios)>> = Mutex::new(None);

fn set(terminal: RawFd, attributes: &libc::termios) -> nix::Result<()> {
    // SAFETY: `attributes` came from tcgetattr; of a descriptor that is none, the kernel says so.
    retry(|| Errno::result(unsafe { libc::tcsetattr(terminal, libc::TCSANOW, attributes) })).map(drop)
}

/// Make `terminal` raw until [`restore`]. `ENOTTY` when it is none. One at a time.
pub fn make_raw(terminal: BorrowedFd<'_>) -> Result<()> {
    let descriptor = terminal.as_raw_fd();
    // SAFETY: all zeroes are a valid termios.
    let mut attributes: libc::termios = unsafe { std::mem::zeroed() };
    ask(Call::Other(&Termios::Tcgetattr { terminal: descriptor }), || {
        // SAFETY: `attributes` is valid to write to.
        Errno::result(unsafe { libc::tcgetattr(descriptor, &raw mut attributes) }).map(drop)
    })?;
    put_back_in_a_panic();
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((descriptor, attributes));
    ask(Call::Other(&Termios::Tcsetattr { terminal: descriptor, raw: true }), || {
        // SAFETY: `attributes` is a termios that the kernel has filled in.
        unsafe { libc::cfmakeraw(&raw mut attributes) };
        set(descriptor, &attributes)
    })
}

/// Make the terminal what it was, if [`make_raw`] changed it. Twice does no harm.
pub fn restore() -> Result<()> {
    let Some((terminal, before)) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Ok(());
    };
    ask(Call::Other(&Termios::Tcsetattr { terminal, raw: false }), || set(terminal, &before))
}

/// With `panic = "abort"` no destructor runs; the hook does.
fn put_back_in_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if let Some((terminal, before)) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = set(terminal, &before);
            }
            next(panic);
        }));
    });
}
