//! What is remembered on disk: one directory for each container under one root.
//!
//! ```text
//! ROOT/lock                  held while containers are claimed, reclaimed or removed
//! ROOT/containers/ID/lock    held by the container's supervisor for as long as it lives
//! ROOT/containers/ID/config.json, state.json, wish, upper/, work/, merged/, hosts, hostname, resolv.conf
//! ROOT/unfinished/ID         while the container has not ended properly: what a reclaimer must look at
//! ROOT/unfinished/ID.rename  while the container is being renamed
//! ROOT/names/NAME -> ID
//! ROOT/images/, ROOT/blobs/, ROOT/layers/ see `image`;  ROOT/network/  see `network`
//! ```
//!
//! The kernel drops a lock when its holder dies, however it dies. So a directory whose lock can be taken
//! belongs to nobody, and whoever notices may clear up. A container's `lock` is locked in both of the kernel's
//! ways: by fcntl(2), which says that the runtime lives, and by flock(2), which its child inherits. When the
//! runtime has been killed and the child is about to die too, the first is free already; the second is then
//! waited for, so that nobody clears up beside the dying child's last requests.

pub mod events;
mod files;
mod names;
pub mod shared;

pub use files::{drop_file, get, load, new_id, put, save};

use crate::error::{Error, Meaning, Problem, Result};
use crate::process::apart;
use crate::sys::errno::{EAGAIN, EBUSY, EEXIST, ENOENT, ENOTEMPTY, ESRCH};
use crate::sys::file::{self, Kind};
use crate::sys::flags::{O_CREAT, O_RDWR};
use crate::sys::process::Child;
use crate::sys::remove::remove_all;
use crate::sys::{identity, lock, process};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The root of all state.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
}

/// Holding this keeps others from claiming or reclaiming containers.
#[derive(Debug)]
pub struct RootLock(#[allow(dead_code, reason = "held for its lock")] OwnedFd);

/// A container's directory, locked by this process.
#[derive(Debug)]
pub struct Claim {
    /// The container's id.
    pub id: String,
    /// Its directory.
    pub directory: PathBuf,
    #[allow(dead_code, reason = "held for its lock")]
    lock: OwnedFd,
}

impl Root {
    /// The root to use: `$MINIDOCKER_ROOT`; else `/var/lib/minidocker` for root, `$XDG_DATA_HOME/minidocker` or
    /// `~/.local/share/minidocker` for others. The directories are made if missing.
    pub fn open() -> Result<Self> {
        let root = Self { path: Self::place()? };
        // The records of the containers name paths in it, and are text.
        if root.path.to_str().is_none() {
            return Err(Error::new(Problem::StateNotUtf8 { path: root.path.display().to_string() }));
        }
        let unusable = || Problem::StateUnusable { path: root.path.display().to_string() };
        root.make_directories().meaning(unusable)?;
        Ok(root)
    }

    /// Make what is missing; `unfinished` comes last, so where it is the rest is too. What is in `containers` is
    /// for its owner alone: the upper layers hold set-user-id programs that containers made, and whoever could
    /// reach one would be root (CVE-2021-41091).
    fn make_directories(&self) -> Result<()> {
        if file::exists(&self.unfinished_directory())? {
            return Ok(());
        }
        file::mkdir_all(&self.path, 0o711)?;
        file::mkdir_all(&self.names(), 0o700)?;
        file::mkdir_all(&self.containers(), 0o700)?;
        if file::status(&self.containers())?.mode & 0o077 != 0 {
            file::chmod(&self.containers(), 0o700)?;
        }
        file::mkdir_all(&self.unfinished_directory(), 0o700)
    }

    fn place() -> Result<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = variable("MINIDOCKER_ROOT") {
            return std::path::absolute(&path).map_err(|_| Error::new(Problem::NoHome));
        }
        if identity::uid() == 0 {
            return Ok("/var/lib/minidocker".into());
        }
        let data = variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
        data.map(|data| data.join("minidocker")).ok_or_else(|| Error::new(Problem::NoHome))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn containers(&self) -> PathBuf {
        self.path.join("containers")
    }

    fn names(&self) -> PathBuf {
        self.path.join("names")
    }

    fn unfinished_directory(&self) -> PathBuf {
        self.path.join("unfinished")
    }

    /// The directory of the container with this id.
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    /// Wait for, and take, the lock on the whole.
    ///
    /// While this process waited, `prune --all` may have removed the file it waits for, and with it the
    /// directories: then they are made again, and the lock is another.
    pub fn lock(&self) -> Result<RootLock> {
        let path = self.path.join(LOCK);
        let unusable = || Problem::StateUnusable { path: path.display().to_string() };
        loop {
            let lock = match file::open_file(&path, O_RDWR | O_CREAT, 0o600) {
                Err(error) if error.is(ENOENT) => {
                    self.make_directories().meaning(unusable)?;
                    continue;
                }
                lock => lock.meaning(unusable)?,
            };
            lock::lock_file(lock.as_fd(), &path, true, true)?;
            let held = file::descriptor_status(lock.as_fd(), &path)?.identity;
            match file::status(&path) {
                Ok(status) if status.identity == held => return Ok(RootLock(lock)),
                Err(error) if !error.is(ENOENT) => return Err(error),
                _ => {}
            }
        }
    }

    /// A new container's directory, under `held`, with `name` for it. `NameTaken` when another container has that name.
    /// On failure nothing of it is left.
    pub fn claim(&self, held: &RootLock, id: &str, name: &str) -> Result<Claim> {
        let directory = self.container(id);
        let unusable = || Problem::StateUnusable { path: directory.display().to_string() };
        let claimed = self.make_claim(held, id).meaning(unusable)?;
        match self.add_name(held, id, name) {
            Ok(()) => Ok(claimed),
            Err(error) => {
                self.forget(&claimed, None)?;
                Err(error).meaning(unusable)
            }
        }
    }

    /// The mark goes first: whoever dies after it leaves something that a reclaimer looks at.
    fn make_claim(&self, held: &RootLock, id: &str) -> Result<Claim> {
        file::symlink(Path::new(id), &self.unfinished_directory().join(id))?;
        let made = file::mkdir(&self.container(id), 0o700).and_then(|()| self.adopt(held, id));
        match made {
            Ok(Some(claim)) => Ok(claim),
            // Nobody else can hold the lock in a directory that has just been made.
            Ok(None) => Err(Error::new(Problem::Refused)),
            Err(error) => {
                remove(&self.container(id))?;
                self.finish(id)?;
                Err(error)
            }
        }
    }

    /// The container `id` has ended properly: nobody need look at it any more.
    pub fn finish(&self, id: &str) -> Result<()> {
        file::remove_file(&self.unfinished_directory().join(id))
    }

    /// The ids of the containers that have not ended properly: those that run, and those whose runtime died.
    pub fn unfinished(&self) -> Result<Vec<String>> {
        self.names_in(&self.unfinished_directory())
    }

    fn names_in(&self, directory: &Path) -> Result<Vec<String>> {
        let unusable = || Problem::StateUnusable { path: self.path.display().to_string() };
        let names = file::list(directory).meaning(unusable)?;
        Ok(names.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect())
    }

    /// The directory of `id`, locked, if nobody else holds it.
    pub fn adopt(&self, _held: &RootLock, id: &str) -> Result<Option<Claim>> {
        let directory = self.container(id);
        let lock = lock_directory(&directory)?;
        Ok(lock.map(|lock| Claim { id: id.to_owned(), directory, lock }))
    }

    /// The supervisor of the container `id`, if one holds its lock at this moment: the kernel says who it is, and it is
    /// asked again when the descriptor is there, since the pid may have been given to another process in between.
    pub fn supervisor(&self, id: &str) -> Result<Option<Child>> {
        let path = self.container(id).join(LOCK);
        let Some(lock) = file::if_there(file::open_file(&path, O_RDWR, 0))? else { return Ok(None) };
        loop {
            let Some(pid) = lock::holder(lock.as_fd(), &path)? else { return Ok(None) };
            match process::pidfd_open(pid) {
                Ok(pidfd) if lock::holder(lock.as_fd(), &path)? == Some(pid) => {
                    return Ok(Some(Child { pid, pidfd }));
                }
                Err(error) if !error.is(ESRCH) => return Err(error),
                _ => {}
            }
        }
    }

    /// Whether a supervisor holds the container `id` at this moment. Nobody's lock is touched to find out.
    pub fn is_running(&self, id: &str) -> Result<bool> {
        let path = self.container(id).join(LOCK);
        match file::if_there(file::open_file(&path, O_RDWR, 0))? {
            Some(lock) => Ok(lock::holder(lock.as_fd(), &path)?.is_some()),
            None => Ok(false),
        }
    }

    /// Whether the container `id` must be left alone: a runtime holds it, or it cannot be found out whether one
    /// does. The lock on the whole is held.
    pub fn is_held(&self, held: &RootLock, id: &str) -> bool {
        match self.adopt(held, id) {
            Ok(claim) => claim.is_none(),
            Err(error) => !error.is(ENOENT),
        }
    }

    /// The ids of all containers there are. A name that is no text is nobody's id.
    pub fn ids(&self) -> Result<Vec<String>> {
        self.names_in(&self.containers())
    }

    /// The id that `word` means: a name, an id, or the beginning of exactly one id.
    pub fn find(&self, word: &str) -> Result<String> {
        let unknown = || Error::new(Problem::NoSuchContainer { name: word.to_owned() });
        if word.is_empty() || word.contains('/') {
            return Err(unknown());
        }
        if let Some(id) = self.resolve_name(word)? {
            return Ok(id);
        }
        let mut matching = self.ids()?.into_iter().filter(|id| id.starts_with(word));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id),
            _ => Err(unknown()),
        }
    }

    /// Mark the container `id`, whose lock this process holds, as one that a reclaimer must look at.
    pub fn begin(&self, id: &str) -> Result<()> {
        match file::symlink(Path::new(id), &self.unfinished_directory().join(id)) {
            Err(error) if error.is(EEXIST) => Ok(()),
            answer => answer,
        }
    }

    /// Remove a container's directory and its names, of which `known` is the one it should have.
    ///
    /// With its name it ceases to be a container: whoever dies after that leaves something that a reclaimer looks at, and
    /// removes. The lock file goes last: as long as something is left, the next to come can see by the lock whether
    /// somebody is still at it.
    pub fn forget(&self, claim: &Claim, known: Option<&str>) -> Result<()> {
        let names = match known {
            Some(name) if self.resolve_name(name)?.as_deref() == Some(&claim.id) => vec![name.to_owned()],
            _ => self.names_of(&claim.id)?,
        };
        self.begin(&claim.id)?;
        for name in names {
            file::remove_file(&self.names().join(name))?;
        }
        file::remove_file(&claim.directory.join(CONFIG))?;
        for (name, kind) in file::list(&claim.directory)? {
            let path = claim.directory.join(&name);
            match kind {
                Kind::Directory => remove(&path)?,
                _ if name == LOCK => {}
                _ => file::remove_file(&path)?,
            }
        }
        file::remove_file(&claim.directory.join(LOCK))?;
        file::rmdir(&claim.directory)?;
        self.finish(&claim.id)
    }

    /// Remove everything that is minidocker's, the lock last. On entry no container is left, and no image.
    /// Something of the person's own in the directory keeps it in place.
    pub fn erase(&self, _held: &RootLock) -> Result<()> {
        let kept = [
            "containers",
            "unfinished",
            "names",
            "network",
            shared::DIRECTORY,
            "layers",
            "blobs",
            "images",
            "volumes",
        ];
        for directory in kept {
            remove(&self.path.join(directory))?;
        }
        for file in [events::FILE, events::OLD, LOCK] {
            file::remove_file(&self.path.join(file))?;
        }
        match file::rmdir(&self.path) {
            Err(error) if error.is(ENOTEMPTY) || error.is(EEXIST) || error.is(EBUSY) => Ok(()),
            answer => answer,
        }
    }
}

/// Remove a directory and all below it, whomever of this user's containers it belongs to.
fn remove(path: &Path) -> Result<()> {
    apart::when_refused("remover", || remove_all(path))
}

/// Lock the directory of a container; `None` when a runtime holds it. Waits for the dying child of one that does
/// so no more.
fn lock_directory(directory: &Path) -> Result<Option<OwnedFd>> {
    let path = directory.join(LOCK);
    let lock = file::open_file(&path, O_RDWR | O_CREAT, 0o600)?;
    match lock::lock_for_process(lock.as_fd(), &path) {
        Err(error) if error.is(EAGAIN) => return Ok(None),
        answer => answer?,
    }
    lock::lock_file(lock.as_fd(), &path, true, true)?;
    Ok(Some(lock))
}

const LOCK: &str = "lock";

/// The file that says what a container is.
pub const CONFIG: &str = "config.json";
