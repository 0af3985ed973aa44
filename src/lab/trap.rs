//! The programs that would do the student's work: on the grader's host each of them is the grader's own, which tells.
//!
//! The names lead to our own program there, which leaves a mark and fails. A mark is no crime of the container's
//! command: inside the container these names do not exist.

use super::host::{DOOR, PROBE, STUDENT};
use super::verdict::{Outcome, Stop, wrong};
use super::witness;
use crate::error::Result;
use crate::said;
use crate::sys::file::{self, Kind};
use crate::sys::flags::MS_BIND;
use crate::sys::mount;
use std::path::{Path, PathBuf};

/// Each of these does what some lesson asks for.
const NAMES: &[&str] = &[
    "unshare",
    "nsenter",
    "setpriv",
    "capsh",
    "chroot",
    "pivot_root",
    "mount",
    "umount",
    "hostname",
    "ip",
    "brctl",
    "bridge",
    "ifconfig",
    "route",
    "cgexec",
    "cgcreate",
    "docker",
    "podman",
    "nerdctl",
    "ctr",
    "runc",
    "crun",
    "youki",
    "bwrap",
    "lxc-execute",
    "systemd-run",
    "systemd-nspawn",
    "ns-demo",
    "minidocker",
];

/// Where programs stand.
const DIRECTORIES: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// How the name of a mark begins.
const MARK: &str = "trapped-";

/// Put `own` in the place of all of them, in this process's mount namespace, where it is root.
pub fn set(own: &Path) -> Result<()> {
    for directory in DIRECTORIES {
        for name in NAMES {
            let path = Path::new(directory).join(name);
            // A link leads to a program of many names, which others need.
            let is_file = file::if_there(file::link_status(&path))?.is_some_and(|one| one.kind == Kind::File);
            if is_file {
                mount::mount(&own.display().to_string(), &path, "", MS_BIND, None)?;
            }
        }
    }
    Ok(())
}

/// Whether a program of this name is one of them.
pub fn is_one(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Said by such a program: it was started.
pub fn mark(name: &str) -> Result<()> {
    file::write_new(&Path::new(DOOR).join(format!("{MARK}{name}")), "", 0o644)
}

/// Who was started since the last call.
pub fn sprung() -> Result<Option<String>> {
    let names = file::list(Path::new(DOOR))?.into_iter().map(|(name, _)| name.to_string_lossy().into_owned());
    let marks: Vec<String> = names.filter(|name| name.starts_with(MARK)).collect();
    let paths: Vec<PathBuf> = marks.iter().map(|name| Path::new(DOOR).join(name)).collect();
    paths.iter().try_for_each(|path| file::unlink(path))?;
    Ok(marks.first().map(|name| name[MARK.len()..].to_owned()))
}

/// Refused if another program did the student's work, whatever the kernel says of the container.
pub fn trapped() -> Outcome {
    let Some(name) = sprung()? else { return Ok(()) };
    Err(another_program(&name))
}

/// The student's program let another one do its work.
fn another_program(name: &str) -> Stop {
    wrong(
        said!("your program executed `{name}`", "你的程序执行了 `{name}`"),
        said!(
            "system calls of its own: that program may not do your work",
            "自己发起的系统调用：不能让别的程序替你做"
        ),
    )
}

/// Refused if the probe, process `pid`, was made by somebody else's program: a `minidocker` that stands somewhere else,
/// say. All who are above it execute the student's.
pub fn made_by_the_student(pid: i32) -> Outcome {
    let own = [STUDENT, PROBE].map(|path| file::status(Path::new(path)).ok().map(|status| status.identity));
    let mut above = witness::parent(pid)?;
    while above > 1 {
        let its = witness::executable(above);
        if its.is_some() && !own.contains(&its) {
            let path = file::readlink(Path::new(&format!("/proc/{above}/exe")))?;
            return Err(another_program(&path.display().to_string()));
        }
        above = witness::parent(above)?;
    }
    Ok(())
}
