//! Values sent from one process to another through a pipe, a line of JSON each.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::EPIPE;
use crate::sys::pipe;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::{AsFd, OwnedFd};

/// Send `word`. That nobody listens any more is no failure.
pub fn say(end: &OwnedFd, word: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(word).unwrap_or_default();
    line.push(b'\n');
    match pipe::write_all(end.as_fd(), &line) {
        Err(error) if error.is(EPIPE) => Ok(()),
        answer => answer,
    }
}

/// The reading end, with what has come of the next word.
#[derive(Debug)]
pub struct Listener {
    end: OwnedFd,
    heard: Vec<u8>,
}

impl Listener {
    /// On the reading end of a pipe.
    pub fn new(end: OwnedFd) -> Self {
        Self { end, heard: Vec::new() }
    }

    /// The descriptor to wait on.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.end
    }

    /// Read what is there, waiting if nothing is; all words that are complete. `None` at the end.
    pub fn hear<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>> {
        let block = pipe::read_some(self.end.as_fd())?;
        if block.is_empty() {
            return Ok(None);
        }
        self.heard.extend(block);
        let whole = self.heard.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let lines: Vec<u8> = self.heard.drain(..whole).collect();
        let words = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        words
            .map(|line| serde_json::from_slice(line).map_err(|_| Error::new(Problem::ChildVanished)))
            .collect::<Result<_>>()
            .map(Some)
    }
}
