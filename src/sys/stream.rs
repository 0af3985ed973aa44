//! Files that are too long to be held in memory, as streams of bytes: open(2), read(2), write(2).

use super::call::Value;
use super::file::errno;
use super::{Call, Request, ask, file, flags};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What is asked of a stream.
#[derive(Debug)]
enum Asked<'a> {
    Read { path: &'a Path, count: usize },
    Write { path: &'a Path, count: usize },
}

impl Request for Asked<'_> {
    fn name(&self) -> &'static str {
        match self {
            Asked::Read { .. } => "read",
            Asked::Write { .. } => "write",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        let (Asked::Read { path, count } | Asked::Write { path, count }) = *self;
        each("fd", Value::Path(path));
        each("count", Value::Number(count as i64));
    }

    fn only_looks(&self) -> bool {
        matches!(self, Asked::Read { .. })
    }
}

/// An open file, read or written piece by piece. An error of its `Read` or `Write` holds the crate's own [`Error`]:
/// [`refusal`] takes it out.
#[derive(Debug)]
pub struct Stream {
    file: File,
    path: PathBuf,
}

impl Stream {
    /// The file at `path`, to be read.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self::of(file::open_file(path, 0, 0)?, path))
    }

    /// A new file at `path`, to be written; `EEXIST` when there is one, be it a link.
    pub fn create(path: &Path, mode: u32) -> Result<Self> {
        let bits = flags::O_WRONLY | flags::O_CREAT | flags::O_EXCL;
        Ok(Self::of(file::open_file(path, bits, mode)?, path))
    }

    /// What this process was given as standard input.
    pub fn stdin() -> Result<Self> {
        let [(stdin, path), ..] = file::standard();
        Self::duplicate(stdin, path)
    }

    /// What this process was given as standard output.
    pub fn stdout() -> Result<Self> {
        let [_, (stdout, path), _] = file::standard();
        Self::duplicate(stdout, path)
    }

    fn duplicate(descriptor: BorrowedFd<'_>, path: &Path) -> Result<Self> {
        // Asks nothing of the kernel that anybody would want to be told of: the same file, by one more number.
        let own = descriptor.try_clone_to_owned().map_err(|error| failed(path, &error))?;
        Ok(Self::of(own, path))
    }

    /// An open file, by the name it was opened by.
    pub fn of(descriptor: OwnedFd, path: &Path) -> Self {
        Self { file: File::from(descriptor), path: path.to_owned() }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = Call::Other(&Asked::Read { path: &self.path, count: buffer.len() });
        ask(call, || self.file.read(buffer).map_err(|error| errno(&error))).map_err(interrupted)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = Call::Other(&Asked::Write { path: &self.path, count: bytes.len() });
        ask(call, || self.file.write(bytes).map_err(|error| errno(&error))).map_err(interrupted)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A refusal as what readers and writers of the standard library pass on; one that is to be asked again, they know.
fn interrupted(error: Error) -> io::Error {
    match error.is(libc::EINTR) {
        true => io::Error::from(io::ErrorKind::Interrupted),
        false => io::Error::other(error),
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let call = Call::Other(&Asked::Read { path, count: 0 });
    super::refused(&call, errno(error))
}

/// The refusal that an error of a stream, or of whatever reads from one, holds; else the error itself.
pub fn refusal(error: io::Error) -> std::result::Result<Error, io::Error> {
    error.downcast::<Error>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        Stream::create(&path, 0o600).unwrap().write_all(b"contents").unwrap();
        let mut text = String::new();
        Stream::open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "contents");
        assert!(Stream::create(&path, 0o600).unwrap_err().is(libc::EEXIST));
    }

    #[test]
    fn a_refusal_comes_through_the_standard_library() {
        let directory = tempfile::tempdir().unwrap();
        let error = Stream::open(directory.path()).unwrap().read(&mut [0; 8]).unwrap_err();
        assert!(refusal(error).unwrap().is(libc::EISDIR));
        assert!(refusal(io::Error::other("another")).is_err());
    }
}
