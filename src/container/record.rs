//! What is remembered of a container on disk, in two files of its directory.
//!
//! | file | what | who writes it |
//! |---|---|---|
//! | `config.json` | [`Config`]: what the container is | whoever holds the lock on the whole |
//! | `state.json` | [`Status`]: where it is in its life | whoever holds the container's own lock |
//! | `wish` | [`Wish`]: what became of it is somebody's will | whoever stops it, before any signal is sent |
//!
//! So no two processes write one file, and each file is there whole or not at all.

use super::spec::Spec;
use crate::error::{Error, Problem, Result};
use crate::process::Ended;
use crate::state::{self, CONFIG};
use serde::{Deserialize, Serialize};
use std::path::Path;

pub use crate::state::events::now;

/// The version of both formats.
const VERSION: u32 = 2;

/// What a container is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// The version of this format.
    pub version: u32,
    /// When it was created: nanoseconds since 1970.
    pub created: u64,
    /// The plan.
    pub spec: Spec,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// How often its supervisor has started it again by itself.
    #[serde(default)]
    pub restarts: u32,
    /// When its command was started last: nanoseconds since 1970.
    #[serde(default)]
    pub started_at: Option<u64>,
    /// When its command ended last.
    #[serde(default)]
    pub finished_at: Option<u64>,
    /// Its exit status, as a shell would report it; 0 before it has ended.
    #[serde(default)]
    pub exit: u8,
    /// Whether the OOM killer came in its last run.
    #[serde(default)]
    pub oom_killed: bool,
    /// Why it could not be started, if it could not.
    #[serde(default)]
    pub error: Option<Error>,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It has never been started.
    Created,
    /// It runs, or its supervisor was killed: whether the container's lock is held tells which. While it is, `pid`
    /// cannot have been given to another process, since the supervisor has not reaped it.
    Running {
        /// Its first process, by its pid on the host.
        pid: i32,
        /// When that process was started (proc_pid_stat(5), field 22): with the pid, its identity.
        started: u64,
    },
    /// It has ended, and its supervisor waits a moment before it starts it again.
    Restarting,
    /// It has ended.
    Exited,
}

/// What somebody wants to become of a container that is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It shall stay ended, whatever its restart policy says.
    Stop,
    /// The same; and it will be started again, so it is kept even with `--rm`.
    Restart,
}

impl Config {
    /// The record of a container that is created now.
    pub fn new(spec: Spec) -> Self {
        Self { version: VERSION, created: now(), spec }
    }

    /// Write it into the container's directory.
    pub fn save(&self) -> Result<()> {
        state::save(&self.spec.directory, CONFIG, self)
    }

    /// The record in this directory; `None` when none was written yet. `StateDamaged` when it is none.
    pub fn load(directory: &Path) -> Result<Option<Self>> {
        state::load(directory, CONFIG)
    }
}

impl Status {
    /// A container that has never run.
    pub fn created() -> Self {
        Self {
            phase: Phase::Created,
            restarts: 0,
            started_at: None,
            finished_at: None,
            exit: 0,
            oom_killed: false,
            error: None,
        }
    }

    /// Its command has just been started.
    pub fn run(&mut self, pid: i32, started: u64) {
        self.phase = Phase::Running { pid, started };
        self.started_at = Some(now());
        self.error = None;
        self.oom_killed = false;
    }

    /// It has just ended.
    pub fn end(&mut self, phase: Phase, ended: &Result<Ended>, oom_killed: bool) {
        self.phase = phase;
        self.finished_at = Some(now());
        self.oom_killed = oom_killed;
        match ended {
            Ok(ended) => self.exit = ended.status(),
            Err(error) => {
                self.exit = error.exit_status();
                self.error = Some(error.clone());
            }
        }
    }

    /// Write it into the container's directory, whose lock this process holds.
    pub fn save(&self, directory: &Path) -> Result<()> {
        state::save(directory, STATUS, self)
    }

    /// The status in this directory; `None` when none was written yet. `StateDamaged` when it is none.
    pub fn load(directory: &Path) -> Result<Option<Self>> {
        state::load(directory, STATUS)
    }
}

impl Wish {
    /// Write it down.
    pub fn save(self, directory: &Path) -> Result<()> {
        let word = match self {
            Wish::Stop => "stop",
            Wish::Restart => "restart",
        };
        state::put(directory, WISH, word).map(drop)
    }

    /// What was wished, if anything was.
    pub fn load(directory: &Path) -> Result<Option<Self>> {
        match state::get(directory, WISH)?.as_deref() {
            None => Ok(None),
            Some("restart") => Ok(Some(Wish::Restart)),
            Some(_) => Ok(Some(Wish::Stop)),
        }
    }

    /// Forget it: the container begins a new life.
    pub fn clear(directory: &Path) -> Result<()> {
        state::drop_file(directory, WISH)
    }
}

/// The record and the status of the container `id`; `StateDamaged` when one of them cannot be read, or was not
/// written to the end.
pub fn load(root: &state::Root, id: &str) -> Result<(Config, Status)> {
    let directory = root.container(id);
    match (Config::load(&directory)?, Status::load(&directory)?) {
        (Some(config), Some(status)) => Ok((config, status)),
        _ => {
            let path = directory.display().to_string();
            Err(Error::new(Problem::StateDamaged { path, detail: "not written to the end".to_owned() }))
        }
    }
}

const STATUS: &str = "state.json";
const WISH: &str = "wish";
