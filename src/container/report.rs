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
    /// Why not all that it said is in its log, if not all is.
    #[serde(default)]
    pub unlogged: Option<Error>,
}

impl Outcome {
    /// As the last message to who is attached.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Only a status.
    pub fn of(status: u8) -> Self {
        Self { status, out_of_memory: None, unlogged: None }
    }
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
    /// What is the person's is still open here.
    holds: bool,
}

impl Reporter {
    /// On the writing end of a pipe; with `detach` the client leaves when the container has started.
    pub fn new(end: OwnedFd, detach: bool) -> Self {
        Self { end: Some(end), detach, holds: true }
    }

    /// The command runs. This process lets go of all that is the person's: it may outlive the client, and whoever reads
    /// what the client writes must not wait for it. Where requests are told of it goes on telling, without `detach`.
    pub fn started(&mut self, id: &str) -> Result<()> {
        let let_go = if self.detach { command::let_go } else { command::let_go_but_tell };
        self.let_go_once(let_go)?;
        // A client to whom this could not be said would wait for it, or take what it does not hear for a failure.
        let Some(end) = &self.end else { return Ok(()) };
        words::say(end, &Word::Started { id: id.to_owned() })?;
        if self.detach {
            self.end = None;
        }
        Ok(())
    }

    fn let_go_once(&mut self, let_go: fn() -> Result<()>) -> Result<()> {
        if std::mem::replace(&mut self.holds, false) {
            let_go()?;
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

    /// The last word; the supervisor's exit status, which says the least of it should the word not arrive.
    pub fn end(self, result: Result<Outcome>) -> u8 {
        match result {
            Ok(outcome) => {
                let status = outcome.status;
                self.say(&Word::Ended(outcome));
                status
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
