//! Pseudo-terminals: pty(7), ioctl_tty(2), tcsetpgrp(3), setpgid(2).
//!
//! Whoever opens `/dev/ptmx` gets the *master* of a new pair; what is written to it, the *slave* reads as if it were
//! typed, and what the slave says, the master reads. The slave is a file of that devpts in which the ptmx lies.
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

#[derive(Debug)]
enum Pty {
    Fstatfs { descriptor: i32 },
    Unlock { master: i32 },
    Peer { master: i32 },
    Controlling { slave: i32 },
    GetSize { terminal: i32 },
    SetSize { terminal: i32, size: Size },
    Setpgid,
    Foreground { terminal: i32 },
}

impl Request for Pty {
    fn name(&self) -> &'static str {
        match self {
            Pty::Setpgid => "setpgid",
            Pty::Fstatfs { .. } => "fstatfs",
            _ => "ioctl",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        let (descriptor, operation) = match *self {
            Pty::Setpgid => {
                each("pid", Value::Number(0));
                return each("pgid", Value::Number(0));
            }
            Pty::Fstatfs { descriptor } => return each("fd", Value::Number(descriptor.into())),
            Pty::Unlock { master } => (master, "TIOCSPTLCK"),
            Pty::Peer { master } => (master, "TIOCGPTPEER"),
            Pty::Controlling { slave } => (slave, "TIOCSCTTY"),
            Pty::GetSize { terminal } => (terminal, "TIOCGWINSZ"),
            Pty::SetSize { terminal, .. } => (terminal, "TIOCSWINSZ"),
            Pty::Foreground { terminal } => (terminal, "TIOCSPGRP"),
        };
        each("fd", Value::Number(descriptor.into()));
        each("op", Value::Symbol(operation));
        if let Pty::SetSize { size, .. } = *self {
            each("ws_row", Value::Number(size.rows.into()));
            each("ws_col", Value::Number(size.columns.into()));
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Pty::GetSize { .. } | Pty::Fstatfs { .. })
    }
}

/// Whether an open file lies in a devpts: fstatfs(2). A file system of any other kind may have a node with the number
/// of a terminal, too.
pub fn is_in_devpts(descriptor: BorrowedFd<'_>) -> Result<bool> {
    const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;
    ask(Call::Other(&Pty::Fstatfs { descriptor: descriptor.as_raw_fd() }), || {
        // SAFETY: all zeroes are a valid statfs.
        let mut about: libc::statfs = unsafe { std::mem::zeroed() };
        // SAFETY: `about` is valid to write to.
        Errno::result(unsafe { libc::fstatfs(descriptor.as_raw_fd(), &raw mut about) })?;
        #[allow(clippy::unnecessary_cast, reason = "its type differs between machines")]
        let kind = about.f_type as i64;
        Ok(kind == DEVPTS_SUPER_MAGIC)
    })
}

/// Let the slave of `master` be opened.
pub fn unlock(master: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Pty::Unlock { master: master.as_raw_fd() }), || {
        let locked: libc::c_int = 0;
        // SAFETY: the request reads an int.
        Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const locked) })
            .map(drop)
    })
}

/// Open the slave of `master` itself, whatever may stand at its path by now. It does not become the controlling
/// terminal of the caller by that.
pub fn open_peer(master: BorrowedFd<'_>) -> Result<OwnedFd> {
    ask(Call::Other(&Pty::Peer { master: master.as_raw_fd() }), || {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
        // SAFETY: the request takes the flags themselves.
        let answer = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) };
        let descriptor = Errno::result(answer)?;
        // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    })
}

/// Make `slave` the controlling terminal of the session that the caller leads, which has none yet.
pub fn become_controlling(slave: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Pty::Controlling { slave: slave.as_raw_fd() }), || {
        // SAFETY: the request takes the number 0: steal it from nobody.
        Errno::result(unsafe { libc::ioctl(slave.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
    })
}

/// How large `terminal` is; `ENOTTY` when it is none.
pub fn size(terminal: BorrowedFd<'_>) -> Result<Size> {
    let mut size = Size::default();
    ask(Call::Other(&Pty::GetSize { terminal: terminal.as_raw_fd() }), || {
        let mut kernel = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: `kernel` is a valid winsize to write to.
        Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut kernel) })?;
        size = Size { rows: kernel.ws_row, columns: kernel.ws_col };
        Ok(())
    })?;
    Ok(size)
}

/// Say how large a terminal is, by either side of it. The processes in its foreground get SIGWINCH, if it changes.
pub fn set_size(terminal: BorrowedFd<'_>, size: Size) -> Result<()> {
    ask(Call::Other(&Pty::SetSize { terminal: terminal.as_raw_fd(), size }), || {
        let kernel = libc::winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the request reads a winsize.
        Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const kernel) })
            .map(drop)
    })
}

/// Put this process in a group of its own, in the foreground of `terminal`, the controlling one of its session: the keys
/// that send signals send them to it and its children alone. On entry SIGTTOU is blocked, for who is not in the
/// foreground yet would be stopped.
pub fn lead_foreground(terminal: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Pty::Setpgid), || {
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::setpgid(0, 0) }).map(drop)
    })?;
    ask(Call::Other(&Pty::Foreground { terminal: terminal.as_raw_fd() }), || {
        // SAFETY: the call takes nothing.
        let group = unsafe { libc::getpgrp() };
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::tcsetpgrp(terminal.as_raw_fd(), group) }).map(drop)
    })
}

/// The name of the multiplexer in the devpts that the container has for itself.
pub fn multiplexer() -> &'static Path {
    Path::new("/dev/pts/ptmx")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{file, flags, pipe};
    use std::os::fd::AsFd;

    #[test]
    fn what_is_said_on_one_side_is_read_on_the_other() {
        let Ok(master) = file::open_file(Path::new("/dev/ptmx"), flags::O_RDWR | flags::O_NOCTTY, 0) else {
            return;
        };
        unlock(master.as_fd()).unwrap();
        let slave = open_peer(master.as_fd()).unwrap();
        assert!(is_in_devpts(slave.as_fd()).unwrap());
        let size = Size { rows: 7, columns: 31 };
        set_size(master.as_fd(), size).unwrap();
        assert_eq!(super::size(slave.as_fd()).unwrap(), size);
        pipe::write_all(master.as_fd(), b"typed\n").unwrap();
        assert_eq!(pipe::read_line(slave.as_fd()).unwrap().unwrap(), b"typed");
    }
}
