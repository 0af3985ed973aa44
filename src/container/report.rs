//! What a supervisor tells the client that made it: words of one line each, on a pipe.

use crate::cgroup::accounting::Memory;
use crate::error::{Error, Result};
use crate::process::{command, words};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;

/// How a container ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// The exit status of `minidocker run`.
    pub status: u8,
    /// What its memory was, if the OOM killer came.
    pub out_of_memory: Option<Memory>,
}

/// One word.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Word {
    /// The container's command runs.
    Started {
        /// The container's id.
        id: String,
    },
    /// What of earlier containers could not be cleared away.
    Left(Vec<Error>),
    /// What is lacking of what an ordinary user could have.
    Lacking(Error),
    /// The end: there was a container, and it ended so.
    Ended(Outcome),
    /// The end: this went wrong.
    Failed(Error),
}

/// The supervisor's end.
#[derive(Debug)]
pub struct Reporter {
    end: Option<OwnedFd>,
    /// Nobody waits for the end of the container.
    detach: bool,
}

impl Reporter {
    /// On the writing end of a pipe; with `detach` the client leaves when the container has started.
    pub fn new(end: OwnedFd, detach: bool) -> Self {
        Self { end: Some(end), detach }
    }

    /// The command runs. With `detach`, this process lets go of all that is the person's.
    pub fn started(&mut self, id: &str) -> Result<()> {
        self.say(&Word::Started { id: id.to_owned() });
        if self.detach && self.end.take().is_some() {
            command::let_go()?;
            command::stand_at_root()?;
        }
        Ok(())
    }

    /// What could not be cleared away.
    pub fn left(&self, left: Vec<Error>) {
        if !left.is_empty() {
            self.say(&Word::Left(left));
        }
    }

    /// What is lacking of what an ordinary user could have.
    pub fn lacking(&self, why: Error) {
        self.say(&Word::Lacking(why));
    }

    /// The last word; the supervisor's exit status.
    pub fn end(self, result: Result<Outcome>) -> u8 {
        match result {
            Ok(outcome) => {
                self.say(&Word::Ended(outcome));
                0
            }
            Err(error) => {
                let status = error.exit_status();
                self.say(&Word::Failed(error));
                status
            }
        }
    }

    /// A client that has gone is not missed.
    fn say(&self, word: &Word) {
        if let Some(end) = &self.end {
            let _ = words::say(end, word);
        }
    }
}
