//! Where a student's program is graded: a throw-away host in which the grader is root, and pid 1.
//!
//! Whatever the program does there, it does to a host that exists for it alone; when the grader ends, or is killed, the
//! kernel destroys that host and all that lives in it. The real host's files are seen there, and cannot be written to.
//!
//! ```text
//! /tmp/lab/student       the program that is graded
//! /tmp/lab/door/probe    our own, to run in the container; the directory is the container's volume /lab
//! /tmp/lab/door/socket   where the grader listens
//! /tmp/lab/state         the state root, with the image `lab`
//! /tmp/lab/person        that of an ordinary user, once a check asks for one: see [`person`](super::person)
//! ```

use super::ration::{self, Ration, Scope};
use super::trap;
use crate::demo::host;
use crate::error::Result;
use crate::image::{Name, Store, build_around};
use crate::observe;
use crate::process::Forked;
use crate::rootfs::tree::Tree;
use crate::sys::errno::{EINVAL, ENOENT};
use crate::sys::flags::{MOUNT_ATTR_RDONLY, MS_NODEV, MS_NOSUID, O_PATH};
use crate::sys::{file, mount, security};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The grader's directory there.
pub const PLACE: &str = "/tmp/lab";
/// The program that is graded.
pub const STUDENT: &str = "/tmp/lab/student";
/// What the container sees as `/lab`.
pub const DOOR: &str = "/tmp/lab/door";
/// The program that runs in the container.
pub const PROBE: &str = "/tmp/lab/door/probe";
/// The state root.
pub const STATE: &str = "/tmp/lab/state";
/// The image whose containers are graded.
pub const IMAGE: &str = "lab";

/// What that image has besides the libraries of the probe, for those who look around in it.
pub const TOOLS: &[&str] = &["sh", "cat", "ls", "id"];

/// So much may be written before the grader's own file system is full, in bytes.
const ROOM: &str = "mode=755,size=256m";

/// Whether the programs that would do a student's work are in their places there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// They are: somebody looks around.
    Real,
    /// [Traps](trap) are in their places: somebody is graded.
    Trapped,
}

/// Play `scene` on a new host for `student`, the program that is graded, and return its result.
///
/// Its cgroups are of this `scope`. On entry this process has one thread. Errors: those of the scene, and of a host that
/// cannot be made.
pub fn play<T: Serialize + DeserializeOwned>(
    student: &Path,
    (scope, tools): (Scope, Tools),
    scene: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let own = file::readlink(Path::new("/proc/self/exe"))?;
    let programs: [PathBuf; 2] = [student.to_owned(), own];
    ration::play(scope, |ration| {
        let born = |side: &Forked| ration.map_or(Ok(()), |ration| ration.part(side));
        host::play_with(&programs, born, |taken| {
            furnish(&taken, ration, tools)?;
            scene()
        })
    })
}

fn furnish(taken: &[Tree], ration: Option<&Ration>, tools: Tools) -> Result<()> {
    file::mkdir(Path::new(PLACE), 0o755)?;
    mount::mount("tmpfs", Path::new(PLACE), "tmpfs", MS_NOSUID | MS_NODEV, Some(ROOM))?;
    for directory in [DOOR, STATE] {
        file::mkdir(Path::new(directory), 0o755)?;
    }
    // Whoever the container's command runs as may come to the door.
    file::chmod(Path::new(DOOR), 0o777)?;
    for (tree, place) in taken.iter().zip([STUDENT, PROBE]) {
        let place = Path::new(place);
        file::write_new(place, "", 0o755)?;
        tree.attach_on(&file::open_file(place, O_PATH, 0)?, place)?;
    }
    let own_groups = ration.map_or(Ok(false), Ration::furnish)?;
    if !own_groups && file::exists(Path::new("/sys/fs/cgroup"))? {
        // The cgroups that are seen here are those of whoever runs the grader.
        mount::add_attributes(Path::new("/sys/fs/cgroup"), MOUNT_ATTR_RDONLY, true)?;
    }
    let name = Name::parse(IMAGE).unwrap_or_else(Name::base);
    build_around(&Store::open(Path::new(STATE)), &name, Path::new(PROBE), TOOLS)?;
    if tools == Tools::Trapped {
        trap::set(Path::new(PROBE))?;
        // The program that is graded is root here, too. In /proc/1 it would find the grader's memory, what the grader
        // tells its parent through, and a way to the real host's files.
        security::set_dumpable(false)?;
    }
    protect()
}

/// Let nobody here write to what is the real host's: whoever grades is root here over one's own files there, and so is
/// the program that is graded.
fn protect() -> Result<()> {
    const OURS: [&str; 5] = ["/tmp", "/run", "/proc", "/sys", "/dev"];
    let is_real = |point: &PathBuf| !OURS.iter().any(|place| point.starts_with(place));
    for point in observe::mount_points().into_iter().filter(is_real) {
        match mount::add_attributes(&point, MOUNT_ATTR_RDONLY, false) {
            // Something is mounted over it, so that nobody can come there.
            Err(error) if error.is(ENOENT) || error.is(EINVAL) => {}
            answer => answer?,
        }
    }
    Ok(())
}
