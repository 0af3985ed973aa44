//! Who is in the namespaces that the bridged containers of an ordinary user share: a file under a lock of its own.
//!
//! What it says of processes may be out of date, since nobody is there to strike out who was killed; pid and start
//! time tell. What it says of namespaces tells whether a process is still in them.

use super::Root;
use crate::error::{Meaning, Problem, Result};
use crate::process::detached::Known;
use crate::sys::flags::{O_CREAT, O_RDWR};
use crate::sys::{file, lock};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// The directory, in the state root.
pub(super) const DIRECTORY: &str = "shared";

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The user namespace, by device and inode number.
    pub user: (u64, u64),
    /// The network namespace.
    pub net: (u64, u64),
    /// The supervisors in them.
    pub inside: Vec<Known>,
    /// The program that leads out of them.
    pub outbound: Option<Known>,
}

/// The file, locked for as long as this value lives.
#[derive(Debug)]
pub struct Register {
    directory: PathBuf,
    _lock: OwnedFd,
}

impl Register {
    /// Whether there is anything to be read. No lock is taken.
    pub fn is_written(root: &Root) -> Result<bool> {
        file::exists(&root.path().join(DIRECTORY).join(STATE))
    }

    /// Wait for the lock, and take it.
    pub fn open(root: &Root) -> Result<Self> {
        let directory = root.path().join(DIRECTORY);
        let path = directory.join("lock");
        let unusable = || Problem::StateUnusable { path: path.display().to_string() };
        file::mkdir_all(&directory, 0o700).meaning(unusable)?;
        let lock = file::open_file(&path, O_RDWR | O_CREAT, 0o600).meaning(unusable)?;
        lock::lock_file(lock.as_fd(), &path, true, true)?;
        Ok(Self { directory, _lock: lock })
    }

    /// What it says, of those that live; `None` when nothing is written, or nothing that makes sense.
    pub fn read(&self) -> Result<Option<Shared>> {
        let Some(text) = file::if_there(file::read_text(&self.state()))? else { return Ok(None) };
        let Ok(mut shared) = serde_json::from_str::<Shared>(&text) else { return Ok(None) };
        shared.inside.retain(|known| known.lives());
        shared.outbound = shared.outbound.filter(|known| known.lives());
        Ok(Some(shared))
    }

    /// Replace what it says.
    pub fn write(&self, shared: &Shared) -> Result<()> {
        let new = self.directory.join("state.json.new");
        file::write_new(&new, &serde_json::to_string(shared).unwrap_or_default(), 0o600)?;
        file::rename(&new, &self.state())
    }

    /// Nobody is in any more.
    pub fn clear(&self) -> Result<()> {
        file::remove_file(&self.log())?;
        file::remove_file(&self.state())
    }

    /// Where the program that leads out writes what it has to say.
    pub fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// The end of what it has said, in one line.
    pub fn said(&self) -> String {
        let text = file::read_text(&self.log()).unwrap_or_default();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_about_syslog(line));
        lines.next_back().unwrap_or_default().to_owned()
    }

    fn state(&self) -> PathBuf {
        self.directory.join(STATE)
    }
}

/// On a machine without a system log, pasta(1) says of each line that it could not be logged.
fn is_about_syslog(line: &str) -> bool {
    line.starts_with("Failed to send") && line.ends_with("to syslog")
}

const STATE: &str = "state.json";
