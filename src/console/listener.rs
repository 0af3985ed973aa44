//! The socket `attach` in the container's directory, by which others find its supervisor while it lives.

use crate::error::Result;
use crate::sys::errno::{ECONNREFUSED, ENOENT};
use crate::sys::file;
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use crate::sys::seqpacket;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

const NAME: &str = "attach";

/// The supervisor's end.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    path: PathBuf,
}

impl Listener {
    /// Listen in the container's `directory`, whose lock this process holds; so a name that is there was left by a
    /// supervisor that died.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(NAME);
        file::remove_file(&path)?;
        let above = file::open_file(directory, O_PATH | O_DIRECTORY, 0)?;
        let socket = seqpacket::listen(above.as_fd(), directory, NAME)?;
        Ok(Self { socket, path })
    }

    /// Readable when somebody has connected.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Who has connected, if anybody has.
    pub(super) fn accept(&self) -> Result<Option<OwnedFd>> {
        seqpacket::accept(self.socket.as_fd())
    }

    /// Listen no more, and take the name away.
    pub fn close(self) -> Result<()> {
        file::remove_file(&self.path)
    }
}

/// Connect to the supervisor of the container with this `directory`; `None` when there is none.
pub fn connect(directory: &Path) -> Result<Option<OwnedFd>> {
    let connected = file::open_file(directory, O_PATH | O_DIRECTORY, 0)
        .and_then(|above| seqpacket::connect(above.as_fd(), directory, NAME));
    match connected {
        Err(error) if error.is(ENOENT) || error.is(ECONNREFUSED) => Ok(None),
        answer => answer.map(Some),
    }
}
