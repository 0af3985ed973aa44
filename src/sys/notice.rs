//! Waiting for what a file or a pipe is going to say: poll(2). The kernel announces a change of `cgroup.events` by
//! `POLLPRI`, cgroups(7).

use super::pipe::retry;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

/// Milliseconds after which nobody waits any longer.
const PATIENCE: u16 = 5000;

/// Wait until the file at `path`, whose changes the kernel announces, has the line `line`. `ETIMEDOUT` when it has
/// not within five seconds.
pub fn wait_for_line(path: &Path, line: &str) -> Result<()> {
    ask(Call::Poll, || {
        let errno = |error: std::io::Error| super::file::errno(&error);
        let mut file = File::open(path).map_err(errno)?;
        loop {
            let mut text = String::new();
            file.rewind().map_err(errno)?;
            file.read_to_string(&mut text).map_err(errno)?;
            if text.lines().any(|one| one == line) {
                return Ok(());
            }
            let mut one = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
            if retry(|| poll(&mut one, PollTimeout::from(PATIENCE)))? == 0 {
                return Err(Errno::ETIMEDOUT);
            }
        }
    })
}

/// Take what is in the pipe `end` now or comes within `milliseconds`; nothing when nothing came.
pub fn take_within(end: BorrowedFd<'_>, milliseconds: u16) -> Result<Vec<u8>> {
    ask(Call::ReadPipe, || {
        let mut one = [PollFd::new(end, PollFlags::POLLIN)];
        if retry(|| poll(&mut one, PollTimeout::from(milliseconds)))? == 0 {
            return Ok(Vec::new());
        }
        // As much as a pipe holds.
        let mut block = vec![0u8; 64 << 10];
        let count = retry(|| nix::unistd::read(end, &mut block))?;
        block.truncate(count);
        Ok(block)
    })
}

/// Wait `milliseconds`, for nothing.
pub fn wait(milliseconds: u16) -> Result<()> {
    ask(Call::Poll, || retry(|| poll(&mut [], PollTimeout::from(milliseconds))).map(drop))
}

/// Wait until `end` can be read, but not longer than `time`; whether it can. (A day is longer than anybody waits.)
pub fn readable_within(end: BorrowedFd<'_>, time: Duration) -> Result<bool> {
    const DAY: i32 = 86_400_000;
    let milliseconds = i32::try_from(time.as_millis().saturating_add(1)).map_or(DAY, |time| time.min(DAY));
    ask(Call::Poll, || {
        let mut one = [PollFd::new(end, PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(milliseconds).map_err(|_| Errno::EINVAL)?;
        retry(|| poll(&mut one, timeout)).map(|ready| ready > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_pipe_is_taken_and_nothing_is_nothing() {
        let (out, into) = super::super::pipe::pipe().unwrap();
        assert_eq!(take_within(out.as_fd(), 0).unwrap(), b"");
        super::super::pipe::write_all(into.as_fd(), b"abc").unwrap();
        assert_eq!(take_within(out.as_fd(), 0).unwrap(), b"abc");
    }

    #[test]
    fn a_line_that_is_there_is_not_waited_for() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "populated 1\nfrozen 1\n").unwrap();
        wait_for_line(file.path(), "frozen 1").unwrap();
    }
}
