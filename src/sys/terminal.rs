//! What the terminal is: isatty(3) and TIOCGWINSZ (ioctl_tty(2)). Only looks, and mostly before an observer
//! exists, so the door is not involved.
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Whether `descriptor` is a terminal (isatty(3)).
pub fn is_terminal(descriptor: BorrowedFd<'_>) -> Result<bool> {
    ask(Call::Isatty { descriptor: descriptor.as_raw_fd() }, || Ok(descriptor.is_terminal()))
}

/// The width in columns of the terminal behind `descriptor`; `None` when it is none or does not say.
pub fn width(descriptor: BorrowedFd<'_>) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: `size` is a valid winsize to write to.
    let answer = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (answer == 0 && size.ws_col > 0).then_some(size.ws_col.into())
}
