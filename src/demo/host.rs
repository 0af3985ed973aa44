//! The throw-away host: new namespaces of every kind, in which a demo is root and can hurt nothing.
//!
//! Which process: the program that the person started makes one child and waits for it. The child is born in new
//! user, mount, pid, UTS, IPC, network and cgroup namespaces, is root in them whoever it is outside, and plays the
//! demo. When it ends, or is killed, or its parent is, the kernel destroys them and all that was made in them.

use super::actor;
use crate::error::{Meaning, Problem, Result};
use crate::namespace::{self, pid, user};
use crate::network::{self, Network};
use crate::rootfs::tree::{self, Tree};
use crate::rootfs::virtualfs;
use crate::step::{Role, Step, take};
use crate::sys::flags::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWUTS, MS_NODEV, MS_NOSUID, MS_PRIVATE,
};
use crate::sys::process::Forked;
use crate::sys::{file, identity, mount, namespace as uts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The host name there.
pub const HOSTNAME: &str = "throw-away";

/// Where a demo may make files: an empty file system in memory, and the working directory at the start. What the
/// real host has at this place is out of sight there.
pub const SCRATCH: &str = "/tmp";

const KINDS: u64 = namespace::USER
    | namespace::PID
    | namespace::NET
    | CLONE_NEWNS
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWCGROUP;

/// Play `scene` on a throw-away host, as its pid 1, and return its result.
///
/// On entry this process has one thread. Errors: those of the scene; `NoUserNamespaces` where the system forbids
/// them; `ProcHidden` inside a container whose `/proc` is masked.
pub fn play<T: Serialize + DeserializeOwned>(scene: impl FnOnce() -> Result<T>) -> Result<T> {
    play_on(None, &[], |_| Ok(()), |_| scene())
}

/// The same with these `files` of the real host, in their order, for the scene to attach where it wants: what stands
/// below [`SCRATCH`] or /run would be out of sight there. If there are other ids to be had than the person's own, some
/// are mapped there, from 1 on. When the host is born, and before anything happens there, `born` is done on both sides;
/// only this process may fail in it.
pub fn play_with<T: Serialize + DeserializeOwned>(
    files: &[PathBuf],
    born: impl FnOnce(&Forked) -> Result<()>,
    scene: impl FnOnce(Vec<Tree>) -> Result<T>,
) -> Result<T> {
    play_on(Some(user::Map::any()?), files, born, scene)
}

/// With a `map`, it is written from outside before anything happens there; without, the person's own id is mapped alone.
fn play_on<T: Serialize + DeserializeOwned>(
    map: Option<user::Map>,
    files: &[PathBuf],
    born: impl FnOnce(&Forked) -> Result<()>,
    scene: impl FnOnce(Vec<Tree>) -> Result<T>,
) -> Result<T> {
    let ids = (identity::uid(), identity::gid());
    let birth = || {
        let forked = take(Step::ThrowAway, || pid::birth(KINDS, None))?;
        match &forked {
            Forked::Child => drop(born(&forked)),
            Forked::Parent(child) => {
                if let Some(map) = &map {
                    // Of ids that could not be had the person's own is left.
                    map.write(child.pid)?;
                }
                born(&forked)?;
            }
        }
        Ok(forked)
    };
    actor::apart_born_by(Role::Runtime, birth, || {
        if map.is_none() {
            user::map_root(ids.0, ids.1)?;
        }
        let taken = files.iter().map(|path| tree::take(path)).collect::<Result<_>>()?;
        settle()?;
        scene(taken)
    })
}

/// Play `scene` on this very machine, and return its result. Only the table of mounts is another, a copy from which
/// nothing travels back, with an empty [`SCRATCH`]: so a demo that is killed leaves no mount.
pub fn play_on_host<T: Serialize + DeserializeOwned>(scene: impl FnOnce() -> Result<T>) -> Result<T> {
    actor::apart(Role::Runtime, CLONE_NEWNS, || {
        mount::change_propagation(Path::new("/"), MS_PRIVATE)?;
        mount::mount("tmpfs", Path::new(SCRATCH), "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755"))?;
        file::chdir(Path::new(SCRATCH))?;
        scene()
    })
}

/// On entry: root in new namespaces. On return: mounts from which nothing travels back, a `/proc` that shows this
/// host's processes, empty `/tmp` and `/run`, a name, and `lo` up.
fn settle() -> Result<()> {
    mount::change_propagation(Path::new("/"), MS_PRIVATE)?;
    virtualfs::mount_proc().meaning(|| Problem::ProcHidden)?;
    for place in [SCRATCH, "/run"] {
        mount::mount("tmpfs", Path::new(place), "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755"))?;
    }
    file::chdir(Path::new(SCRATCH))?;
    uts::sethostname(HOSTNAME)?;
    network::configure::configure(&Network::None)
}
