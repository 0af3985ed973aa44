//! The container's side of its console: what its first process does to have 0, 1 and 2 lead to the supervisor.
//!
//! Which process: pid 1 of the container, in all its namespaces, as root there; its root file system is entered, `/dev`
//! and `/dev/pts` are mounted, and no program of the container's has run yet.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EINVAL, ENOENT, EPERM};
use crate::sys::file::{self, Kind};
use crate::sys::flags::{O_NOCTTY, O_PATH, O_RDWR};
use crate::sys::pty::{self, Size};
use crate::sys::{descriptor, mount, observer, seqpacket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The ends that the container's first process has, all close-on-exec.
#[derive(Debug)]
pub enum Inside {
    /// Pipes; without one for input the command reads `/dev/null`.
    #[allow(missing_docs, reason = "named after the standard three")]
    Pipes { stdin: Option<OwnedFd>, stdout: OwnedFd, stderr: OwnedFd },
    /// The way on which the terminal's master goes out, and how large it is to be.
    #[allow(missing_docs, reason = "as said")]
    Terminal { socket: OwnedFd, size: Option<Size> },
}

impl Inside {
    /// Make the ends this process's standard three, for a command that will run as `uid`.
    ///
    /// On entry this process leads a session without a terminal, has CAP_CHOWN and CAP_SYS_ADMIN in the container, and
    /// may still open what it likes.
    pub fn take(&self, uid: u32) -> Result<()> {
        self.take_beside(uid)?;
        match self {
            Inside::Pipes { .. } => Ok(()),
            Inside::Terminal { .. } => show_as_console(file::standard()[0].0),
        }
    }

    /// The same for a command beside the container's first process, whose the console is. CAP_SYS_ADMIN is not needed.
    pub fn take_beside(&self, uid: u32) -> Result<()> {
        observer::keep_stderr();
        match self {
            Inside::Pipes { stdin, stdout, stderr } => {
                for end in [stdin.as_ref(), Some(stdout), Some(stderr)].into_iter().flatten() {
                    hand_over(end.as_fd(), uid)?;
                }
                match stdin {
                    Some(end) => descriptor::become_standard(end, Path::new("/dev/stdin"), 0)?,
                    None => descriptor::become_standard(open_null()?, Path::new(NULL), 0)?,
                }
                descriptor::become_standard(stdout, Path::new("/dev/stdout"), 1)?;
                descriptor::become_standard(stderr, Path::new("/dev/stderr"), 2)
            }
            Inside::Terminal { socket, size } => take_terminal(socket.as_fd(), *size, uid),
        }
    }
}

impl Inside {
    /// In a command that is not the container's first process itself: put it in the foreground of the terminal, if there
    /// is one, so that keys send their signals to it alone. On entry all signals are blocked.
    pub fn lead_foreground(&self) -> Result<()> {
        match self {
            Inside::Pipes { .. } => Ok(()),
            Inside::Terminal { .. } => pty::lead_foreground(file::standard()[0].0),
        }
    }
}

/// Give an end to the user that the command will be. Whoever opens `/dev/stdout` opens the pipe anew and is asked for
/// permission anew: one that belongs to root, with mode 0600, is closed to the user who can write to it by descriptor 1.
fn hand_over(end: BorrowedFd<'_>, uid: u32) -> Result<()> {
    if uid == 0 {
        return Ok(());
    }
    match file::chown_descriptor(end, uid) {
        // One of the two has no id in this user namespace: then it stays as it is.
        Err(error) if error.is(EPERM) || error.is(EINVAL) => Ok(()),
        answer => answer,
    }
}

const NULL: &str = "/dev/null";

/// What the container has for `/dev/null`, if it is that: an image or a volume may have laid something else there.
fn open_null() -> Result<OwnedFd> {
    let path = Path::new(NULL);
    let null = file::open_file(path, O_RDWR | O_NOCTTY, 0)?;
    let status = file::descriptor_status(null.as_fd(), path)?;
    if status.kind == Kind::Character && status.device == (1, 3) {
        return Ok(null);
    }
    Err(Error::new(Problem::NotTheDevice { path: NULL.to_owned() }))
}

/// Make a terminal in the container's own devpts, send its master out, and live with its slave.
fn take_terminal(socket: BorrowedFd<'_>, size: Option<Size>, uid: u32) -> Result<()> {
    let path = pty::multiplexer();
    let master = file::open_file(path, O_RDWR | O_NOCTTY, 0)?;
    let status = file::descriptor_status(master.as_fd(), path)?;
    if status.device != (5, 2) || !pty::is_in_devpts(master.as_fd())? {
        return Err(Error::new(Problem::NotTheDevice { path: path.display().to_string() }));
    }
    pty::unlock(master.as_fd())?;
    let slave = pty::open_peer(master.as_fd())?;
    if let Some(size) = size {
        pty::set_size(master.as_fd(), size)?;
    }
    hand_over(slave.as_fd(), uid)?;
    seqpacket::send_descriptor(socket, master.as_fd())?;
    pty::become_controlling(slave.as_fd())?;
    (0..3).try_for_each(|number| descriptor::become_standard(&slave, Path::new(TERMINAL), number))
}

/// What the slave is called for people.
const TERMINAL: &str = "/dev/tty";
const CONSOLE: &str = "/dev/console";

/// Let the terminal be seen at `/dev/console` too. What is bound there is the open slave, not what stands at its path by
/// now, and it is bound on the very place that was found (CVE-2025-52565).
fn show_as_console(slave: BorrowedFd<'_>) -> Result<()> {
    let path = Path::new(CONSOLE);
    let find = || file::open_in_root(file::HERE, Path::new("/"), path, O_PATH);
    let place = match find() {
        Err(error) if error.is(ENOENT) => {
            let dev = file::open_in_root(file::HERE, Path::new("/"), Path::new("/dev"), O_PATH)?;
            file::create_at(dev.as_fd(), Path::new("/dev"), Path::new("console"), 0o600)?;
            find()?
        }
        answer => answer?,
    };
    let name = file::path_of(slave)?;
    let tree = mount::open_tree_clone_of(slave, &name)?;
    let same = file::descriptor_status(tree.as_fd(), &name)?.identity
        == file::descriptor_status(slave, &name)?.identity;
    if !same {
        return Err(Error::new(Problem::NotTheDevice { path: name.display().to_string() }));
    }
    mount::move_mount(tree.as_fd(), &name, place.as_fd(), path)
}
