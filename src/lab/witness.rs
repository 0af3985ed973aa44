//! What the kernel says of a process. A witness only looks.
//!
//! The files are those of proc(5), read from where the grader is: outside the container.

use super::verdict::{Outcome, Said, Stop};
use crate::error::{Error, LabProblem, Meaning, Problem};
use crate::sys::file;
use std::path::Path;

/// The inode number of the namespace of `kind` (`uts`, `mnt`, …) that process `pid` is in.
pub fn namespace(pid: i32, kind: &str) -> Outcome<u64> {
    let link = file::readlink(Path::new(&format!("/proc/{pid}/ns/{kind}")))?;
    let text = link.display().to_string();
    let inode = text.split(['[', ']']).nth(1).and_then(|number| number.parse().ok());
    inode.ok_or_else(|| Stop::Broken(Error::new(Problem::Lab(LabProblem::Unreadable { what: text }))))
}

/// As `ls -l /proc/PID/ns` shows it: `uts:[4026531838]`.
pub fn link(kind: &str, inode: u64) -> Said {
    Said::plain(format!("{kind}:[{inode}]"))
}

/// A line of `/proc/PID/status`: what follows `FIELD:`.
pub fn status(pid: i32, field: &str) -> Outcome<String> {
    let text = file::read_text(Path::new(&format!("/proc/{pid}/status")))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    Ok(line.unwrap_or_default().trim().to_owned())
}

/// The lines of `/proc/PID/mountinfo`.
pub fn mounts(pid: i32) -> Outcome<Vec<String>> {
    let text = file::read_text(Path::new(&format!("/proc/{pid}/mountinfo")))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The host name where process `pid` is: asked by a child that goes there, setns(2).
pub fn hostname_of(pid: i32) -> Outcome<String> {
    in_namespace(pid, "uts", || file::read_text(Path::new("/proc/sys/kernel/hostname")))
        .map(|name| name.trim().to_owned())
}

/// What `look` finds in the namespace of `kind` of process `pid`: a child goes there.
pub fn in_namespace<T>(pid: i32, kind: &str, look: impl FnOnce() -> crate::error::Result<T>) -> Outcome<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let path = format!("/proc/{pid}/ns/{kind}");
    let door = file::open_file(Path::new(&path), 0, 0)?;
    let answer = crate::demo::actor::apart(crate::step::Role::Runtime, 0, || {
        crate::sys::namespace::setns(&door, Path::new(&path), 0).meaning(|| Problem::Refused)?;
        look()
    });
    answer.map_err(Stop::from)
}

/// Which file process `pid` executes: device and inode.
pub fn executable(pid: i32) -> Option<(u64, u64)> {
    file::status(Path::new(&format!("/proc/{pid}/exe"))).ok().map(|status| status.identity)
}

/// The processes of this host, but for this one.
pub fn everybody() -> Vec<i32> {
    processes_in(Path::new("/proc")).into_iter().filter(|pid| *pid != 1).collect()
}

/// The parent of process `pid`, as this host numbers it.
pub fn parent(pid: i32) -> Outcome<i32> {
    Ok(status(pid, "PPid")?.parse().unwrap_or_default())
}

/// The children of process `pid`, the zombies among them too.
pub fn children(pid: i32) -> Vec<i32> {
    everybody().into_iter().filter(|child| parent(*child).is_ok_and(|its| its == pid)).collect()
}

/// The processes that the /proc mounted at `place` lists, by the numbers that it knows them by.
pub fn processes_in(place: &Path) -> Vec<i32> {
    let names = file::list(place).unwrap_or_default().into_iter();
    let mut pids: Vec<i32> = names.filter_map(|(name, _)| name.to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}
