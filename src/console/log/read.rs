//! Reading the log, while it may be written.

use super::select::{Lines, Selection};
use super::{FRAME, HEADER, Stamp, numbers, parse_header, path};
use crate::console::listener;
use crate::console::message::{Message, ROOM, Stream, Wish};
use crate::error::{ConsoleProblem, Error, Problem, Result};
use crate::sys::file;
use crate::sys::inotify::Changes;
use crate::sys::ready::{Taken, Watch, read_some, wait};
use crate::sys::seqpacket::{self, Received};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// One thing that was said.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// When.
    pub stamp: Stamp,
    /// Where.
    pub stream: Stream,
    /// What.
    pub bytes: &'a [u8],
}

/// A place in a log, from which it is read on.
#[derive(Debug)]
pub(super) struct Reader {
    directory: PathBuf,
    /// The file being read, and its number; `None` while there is none.
    file: Option<(u64, OwnedFd)>,
    bytes: Vec<u8>,
    /// What of `bytes` was given out.
    given: usize,
    block: Vec<u8>,
}

impl Reader {
    /// The beginning of the log in `directory`.
    pub(super) fn new(directory: &Path) -> Self {
        let (bytes, block) = (Vec::new(), vec![0; 64 << 10]);
        Self { directory: directory.to_owned(), file: None, bytes, given: 0, block }
    }

    /// The next record; `None` when there is none yet.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        loop {
            if let Some((stamp, stream, range)) = self.whole()? {
                self.given = range.end + 1;
                return Ok(Some(Record { stamp, stream, bytes: &self.bytes[range] }));
            }
            if !self.read()? && !self.open_next()? {
                return Ok(None);
            }
        }
    }

    /// What the bytes at hand begin with, if that is a whole record.
    fn whole(&self) -> Result<Option<(Stamp, Stream, std::ops::Range<usize>)>> {
        let bytes = &self.bytes[self.given..];
        let Some(line) = bytes.get(..HEADER) else { return Ok(None) };
        let (stamp, stream, count) = parse_header(line).ok_or_else(|| self.damaged())?;
        if bytes.len() < FRAME + count {
            return Ok(None);
        }
        if bytes[HEADER + count] != b'\n' {
            return Err(self.damaged());
        }
        let start = self.given + HEADER;
        Ok(Some((stamp, stream, start..start + count)))
    }

    fn damaged(&self) -> Error {
        let number = self.file.as_ref().map_or(0, |(number, _)| *number);
        let path = path(&self.directory, number).display().to_string();
        Error::new(Problem::Console(ConsoleProblem::LogDamaged { path }))
    }

    /// Read on in the present file; whether there was something.
    fn read(&mut self) -> Result<bool> {
        let Some((_, file)) = &self.file else { return Ok(false) };
        let Taken::Bytes(count) = read_some(file.as_fd(), &mut self.block)? else { return Ok(false) };
        self.bytes.drain(..self.given);
        self.given = 0;
        self.bytes.extend_from_slice(&self.block[..count]);
        Ok(true)
    }

    /// Go to the next file, if there is one and the present one is read to its end; whether there was something.
    ///
    /// When the next one is there the present one grows no more; but it may have grown between the last look at it and
    /// now, so it is looked at once more.
    fn open_next(&mut self) -> Result<bool> {
        let numbers = match file::if_there(numbers(&self.directory))? {
            Some(numbers) => numbers,
            // The container was removed.
            None => return Ok(false),
        };
        let after = self.file.as_ref().map(|(number, _)| *number);
        let Some(next) = numbers.into_iter().find(|number| after.is_none_or(|after| *number > after)) else {
            return Ok(false);
        };
        if self.read()? {
            return Ok(true);
        }
        // It may have been removed since, as one too many; then there is another after it.
        let path = path(&self.directory, next);
        if let Some(file) = file::if_there(file::open_file(&path, 0, 0))? {
            self.file = Some((next, file));
            self.bytes.clear();
            self.given = 0;
        }
        Ok(true)
    }
}

/// Give what `selection` chooses of the log in `directory` to `out`, in its order; with `follow` also what is said from
/// now on, until the container ends. `out` says whether it wants more.
pub fn follow(
    directory: &Path,
    selection: &Selection,
    follow: bool,
    out: &mut dyn FnMut(Stream, &[u8]) -> Result<bool>,
) -> Result<()> {
    // Watched from before the first look, so that nothing said in between is missed.
    let life = if follow { Life::of(directory)? } else { None };
    let mut lines = Lines::new(selection, || count_lines(directory))?;
    let mut reader = Reader::new(directory);
    loop {
        let ended = life.as_ref().map_or(Ok(true), Life::has_ended)?;
        while let Some(record) = reader.next()? {
            if !lines.choose(record, out)? {
                return Ok(());
            }
        }
        match &life {
            Some(life) if !ended => life.wait()?,
            _ => return Ok(()),
        }
    }
}

fn count_lines(directory: &Path) -> Result<u64> {
    let mut reader = Reader::new(directory);
    let all = Selection::default();
    let mut counted = Lines::new(&all, || Ok(0))?;
    while let Some(record) = reader.next()? {
        counted.count(record);
    }
    Ok(counted.begun())
}

/// The life of a container whose log is followed: what it writes, and when it ends.
struct Life {
    changes: Changes,
    supervisor: OwnedFd,
}

impl Life {
    /// `None` when the container does not run.
    fn of(directory: &Path) -> Result<Option<Self>> {
        let changes = Changes::of(directory)?;
        let Some(supervisor) = listener::connect(directory)? else { return Ok(None) };
        // One that has just gone is found out at the first look.
        let _ = Message::Hello(Wish::default()).send(supervisor.as_fd());
        Ok(Some(Self { changes, supervisor }))
    }

    /// Whether it has ended, and everything it said is in the log. What changes after this is waited for.
    fn has_ended(&self) -> Result<bool> {
        self.changes.forget()?;
        let mut room = vec![0; ROOM];
        loop {
            match seqpacket::receive(self.supervisor.as_fd(), &mut room)? {
                Received::Nothing => return Ok(false),
                Received::End => return Ok(true),
                Received::Message(count) => {
                    if matches!(
                        Message::read(&room[..count]),
                        None | Some(Message::Exited | Message::Ended(_))
                    ) {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn wait(&self) -> Result<()> {
        let watches = [
            Watch::of(self.changes.descriptor(), true, false),
            Watch::of(self.supervisor.as_fd(), true, false),
        ];
        wait(&watches).map(drop)
    }
}
