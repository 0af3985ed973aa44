//! Pipes between the runtime and the container's first process: pipe(2), read(2), write(2).

use super::{Call, ask};
use crate::error::Result;
use std::os::fd::{BorrowedFd, OwnedFd};

/// A pipe: (reading end, writing end), both close-on-exec.
///
/// End-of-file on the reading end means that every process that held the writing end has closed it, exec'd
/// or ended; that is how a parent learns of a successful exec without being told.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    ask(Call::Pipe2, || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC))
}

/// Read until end-of-file. Blocks until every writing end is closed.
pub fn read_to_end(end: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut block = [0u8; 4096];
    loop {
        let count = ask(Call::ReadPipe, || retry(|| nix::unistd::read(end, &mut block)))?;
        if count == 0 {
            return Ok(all);
        }
        all.extend_from_slice(&block[..count]);
    }
}

/// Read what is there, or wait for it: some KiB at most; nothing at end-of-file.
pub fn read_some(end: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let mut block = [0u8; 4096];
    let count = ask(Call::ReadPipe, || retry(|| nix::unistd::read(end, &mut block)))?;
    Ok(block[..count].to_vec())
}

/// Read one byte: `Some` of it, or `None` at end-of-file. Blocks.
pub fn read_byte(end: BorrowedFd<'_>) -> Result<Option<u8>> {
    let mut byte = [0u8];
    let count = ask(Call::ReadPipe, || retry(|| nix::unistd::read(end, &mut byte)))?;
    Ok((count == 1).then_some(byte[0]))
}

/// Read what comes next into `room`; 0 at end-of-file. Blocks until something comes.
pub fn read_into(end: BorrowedFd<'_>, room: &mut [u8]) -> Result<usize> {
    ask(Call::ReadPipe, || retry(|| nix::unistd::read(end, &mut *room)))
}

/// Read one line that its writer ends with a newline and follows by nothing until it is answered; without the newline.
/// `None` at end-of-file. Blocks.
pub fn read_line(end: BorrowedFd<'_>) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut block = [0u8; 4096];
    loop {
        let count = ask(Call::ReadPipe, || retry(|| nix::unistd::read(end, &mut block)))?;
        line.extend_from_slice(&block[..count]);
        match line.last() {
            Some(b'\n') => {
                line.pop();
                return Ok(Some(line));
            }
            _ if count == 0 => return Ok(None),
            _ => {}
        }
    }
}

/// Write all of `bytes`; short writes are continued. `EPIPE` when the reader has gone.
pub fn write_all(end: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let count = ask(Call::WritePipe { bytes: bytes.len() }, || retry(|| nix::unistd::write(end, bytes)))?;
        bytes = &bytes[count..];
    }
    Ok(())
}

/// Whether any process still has the reading end of the pipe that `end` writes into: poll(2) reports `POLLERR`
/// when none has. Does not wait.
pub fn has_reader(end: BorrowedFd<'_>) -> Result<bool> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut read = true;
    ask(Call::Poll, || {
        let mut one = [PollFd::new(end, PollFlags::empty())];
        poll(&mut one, PollTimeout::ZERO)?;
        read = !one[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        Ok(())
    })?;
    Ok(read)
}

/// Make a call again for as long as a signal interrupts it.
pub(super) fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(nix::errno::Errno::EINTR) => {}
            answer => return answer,
        }
    }
}
