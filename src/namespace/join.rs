//! Join namespaces that are there already: those of another process. setns(2), nsenter(1).
//!
//! A namespace has no name and no number by which it could be asked for: whoever wants in must open the file that
//! stands for it, `/proc/PID/ns/KIND`. An open file keeps the namespace alive, even when its last process has ended.

use crate::error::{Error, Problem, Result};
use crate::sys::flags::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER,
    CLONE_NEWUTS,
};
use crate::sys::namespace::setns;
use crate::sys::{errno, file, identity};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The kinds, by their names in `/proc/PID/ns`, in the order in which they are joined: the user namespace first, since
/// it gives the rights that the others ask for.
pub const ORDER: [(&str, u64); 8] = [
    ("user", CLONE_NEWUSER),
    ("cgroup", CLONE_NEWCGROUP),
    ("ipc", CLONE_NEWIPC),
    ("uts", CLONE_NEWUTS),
    ("net", CLONE_NEWNET),
    ("pid", CLONE_NEWPID),
    ("time", CLONE_NEWTIME),
    ("mnt", CLONE_NEWNS),
];

/// One namespace, held open.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// Its kind, by its name in `/proc/PID/ns`: `uts`.
    pub name: &'static str,
    /// The same as a flag: `CLONE_NEWUTS`.
    pub kind: u64,
    /// The open file that stands for it.
    pub descriptor: &'a OwnedFd,
    /// The path by which that was opened.
    pub path: &'a Path,
}

/// Namespaces of one process, held open.
#[derive(Debug)]
pub struct Doors {
    pid: i32,
    doors: Vec<(&'static str, u64, OwnedFd, PathBuf)>,
    /// By device and inode number, those that were left out too.
    identities: Vec<(&'static str, (u64, u64))>,
}

impl Doors {
    /// Open those of process `pid` of which `wanted` says yes. One that this process is in already is left out: to join
    /// one's own user namespace again is `EINVAL`.
    ///
    /// Errors: `NoSuchProcess`; `ProcessClosed` where ptrace(2) access to it is denied.
    pub fn open(pid: i32, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        let (mut doors, mut identities) = (Vec::new(), Vec::new());
        for (name, kind) in ORDER.into_iter().filter(|(name, _)| wanted(name)) {
            let path = PathBuf::from(format!("/proc/{pid}/ns/{name}"));
            let descriptor = file::open_file(&path, 0, 0).map_err(|error| closed(error, pid))?;
            let own = file::status(Path::new(&format!("/proc/self/ns/{name}")))?;
            let identity = file::status(&path).map_err(|error| closed(error, pid))?.identity;
            identities.push((name, identity));
            if identity != own.identity {
                doors.push((name, kind, descriptor, path));
            }
        }
        Ok(Self { pid, doors, identities })
    }

    /// Which namespace that of this kind is, by device and inode number; `None` when it was not wanted.
    pub fn identity(&self, kind: &str) -> Option<(u64, u64)> {
        self.identities.iter().find(|(name, _)| *name == kind).map(|(_, identity)| *identity)
    }

    /// Move this process into all of them; into a pid and a time namespace only the children to come.
    ///
    /// On entry this process has one thread. In a user namespace it becomes root, if there is one. After an error
    /// it may be in some.
    pub fn enter(&self) -> Result<()> {
        for (name, kind, descriptor, path) in &self.doors {
            setns(descriptor, path, *kind).map_err(|error| match error.errno() {
                Some(errno::EPERM) => {
                    error.meaning(Problem::NamespaceClosed { kind: (*name).to_owned(), pid: self.pid })
                }
                _ => error,
            })?;
            if *kind == CLONE_NEWUSER {
                become_root()?;
            }
        }
        Ok(())
    }

    /// Those that are to be joined, in that order.
    pub fn each(&self) -> impl Iterator<Item = Door<'_>> {
        self.doors.iter().map(|(name, kind, descriptor, path)| Door { name, kind: *kind, descriptor, path })
    }

    /// The kinds that are to be joined, in that order.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.doors.iter().map(|(name, ..)| *name)
    }
}

/// Take user and group 0 of the user namespace just joined. Where they are not mapped (`EINVAL`), stay nobody.
fn become_root() -> Result<()> {
    for answer in [identity::setresgid(0), identity::setresuid(0)] {
        match answer {
            Err(error) if error.is(errno::EINVAL) => {}
            answer => answer?,
        }
    }
    Ok(())
}

fn closed(error: Error, pid: i32) -> Error {
    match error.errno() {
        Some(errno::ENOENT | errno::ESRCH) => error.meaning(Problem::NoSuchProcess { pid }),
        Some(errno::EACCES | errno::EPERM) => error.meaning(Problem::ProcessClosed { pid }),
        _ => error,
    }
}
