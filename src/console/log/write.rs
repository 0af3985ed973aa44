//! The supervisor's side of the log.

use super::{FILES, FRAME, HEADER, LARGEST, Stamp, header, numbers, parse_header, path};
use crate::console::message::Stream;
use crate::error::Result;
use crate::sys::flags::{O_APPEND, O_CREAT, O_RDWR};
use crate::sys::ready::{Taken, read_some};
use crate::sys::{append, file};
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The log of one container, open to be written.
#[derive(Debug)]
pub struct Log {
    directory: PathBuf,
    number: u64,
    file: OwnedFd,
    path: PathBuf,
    size: u64,
    largest: u64,
}

impl Log {
    /// Open the log in the container's `directory`, whose lock this process holds; go on where an earlier run of the
    /// container ended. What a writer that was killed left half written is cut off.
    pub fn open(directory: &Path) -> Result<Self> {
        Self::open_within(directory, LARGEST)
    }

    /// The same with files of at most `largest` bytes.
    pub(super) fn open_within(directory: &Path, largest: u64) -> Result<Self> {
        let number = numbers(directory)?.pop();
        let mut log = Self::at(directory, number.unwrap_or(0), largest)?;
        if number.is_some() {
            log.size = log.whole()?;
            append::truncate(log.file.as_fd(), &log.path, log.size)?;
        }
        Ok(log)
    }

    fn at(directory: &Path, number: u64, largest: u64) -> Result<Self> {
        let path = path(directory, number);
        let file = file::open_file(&path, O_RDWR | O_APPEND | O_CREAT, 0o600)?;
        Ok(Self { directory: directory.to_owned(), number, file, path, size: 0, largest })
    }

    /// The bytes of the records that are whole, from the beginning.
    fn whole(&self) -> Result<u64> {
        let mut bytes = Vec::new();
        let mut block = vec![0; 64 << 10];
        let mut whole = 0;
        while let Taken::Bytes(count) = read_some(self.file.as_fd(), &mut block)? {
            bytes.extend_from_slice(&block[..count]);
            let mut at = 0;
            while let Some((_, _, count)) = bytes.get(at..at + HEADER).and_then(parse_header) {
                if bytes.get(at + HEADER + count) != Some(&b'\n') {
                    break;
                }
                at += count + FRAME;
            }
            bytes.drain(..at);
            whole += at as u64;
        }
        Ok(whole)
    }

    /// Write down that the container has just said `bytes` on `stream`: whole, or not at all.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let length = (bytes.len() + FRAME) as u64;
        if self.size > 0 && self.size + length > self.largest {
            self.begin_next()?;
        }
        let header = header(&Stamp::now(), stream, bytes.len());
        let parts = [IoSlice::new(header.as_bytes()), IoSlice::new(bytes), IoSlice::new(b"\n")];
        let written = append::append(self.file.as_fd(), &self.path, &parts);
        match written {
            Ok(()) => self.size += length,
            // Of what the disk did not take whole nothing stays: a reader goes from record to record.
            Err(_) => append::truncate(self.file.as_fd(), &self.path, self.size)?,
        }
        written
    }

    /// Write the next file from now on, and remove those that are too many. A reader that has one open keeps it.
    fn begin_next(&mut self) -> Result<()> {
        *self = Self::at(&self.directory, self.number + 1, self.largest)?;
        for number in numbers(&self.directory)? {
            if number + FILES <= self.number {
                file::remove_file(&path(&self.directory, number))?;
            }
        }
        Ok(())
    }
}
