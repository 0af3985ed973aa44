//! The controllers of version 2: switched on for the groups below a parent, and off again.
//!
//! A v2 controller acts on a group only when `cgroup.subtree_control` of its parent names it. What a limit
//! needs and is off is switched on, and off again when the last of our groups below that parent has gone.
//! Whoever switches something on notes it first, in an extended attribute of the parent: the note outlives a
//! killed process, and every minidocker finds it, wherever its state is kept. All this happens under a lock on
//! the parent, so that nobody counts on a controller that is just being switched off.

use super::group::{Group, is_denied, name};
use super::limits;
use super::stop;
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::{EAGAIN, EBUSY, EEXIST, ENODATA, ENOENT, EOPNOTSUPP, ESRCH};
use crate::sys::file;
use crate::sys::flags::O_DIRECTORY;
use crate::sys::lock::lock_file;
use crate::sys::{attribute, process};
use std::collections::BTreeSet;
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The attribute that names the controllers which were off before we came.
const NOTE: &CStr = c"user.minidocker.controllers";
const CONTROL: &str = "cgroup.subtree_control";
const MEMBERS: &str = "cgroup.procs";
/// What the name of a leaf ends in.
pub(super) const LEAF: &str = "-runtime";

/// A controller, and the option that asked for it.
pub type Asked<'a> = (&'a str, &'a str);

/// Switch on the controllers `asked` for in the groups below `parent`. What is returned keeps them on until the group
/// of container `id` stands there; from then on the group does.
///
/// A group that has processes cannot have controllers for its children. If this process is the only one there,
/// it steps aside into a leaf of its own; else the error is `CgroupBusy`. After an error, [`switch_off`] is due.
///
/// `companion` is a process of ours that steps aside too, such as the parent that attends a demo.
pub fn switch_on(
    parent: &Path,
    asked: &[Asked<'_>],
    id: &str,
    companion: Option<i32>,
) -> Result<Option<OwnedFd>> {
    if asked.is_empty() {
        return Ok(None);
    }
    let lock = lock(parent)?;
    let on = words(&file::read_text(&parent.join(CONTROL))?);
    let missing: Vec<&Asked<'_>> = asked.iter().filter(|(controller, _)| !on.contains(*controller)).collect();
    if !missing.is_empty() {
        let mut noted = words(&note(parent)?.unwrap_or_default());
        noted.extend(missing.iter().map(|(controller, _)| (*controller).to_owned()));
        attribute::setxattr(parent, NOTE, &noted.into_iter().collect::<Vec<_>>().join(" "))?;
        make_room(parent, id, companion)?;
    }
    for (controller, option) in missing {
        let answer = file::write(&parent.join(CONTROL), &format!("+{controller}"));
        let none = answer.as_ref().is_err_and(|error| error.is(ENOENT));
        let (asked, controller) = ((*option).to_owned(), (*controller).to_owned());
        if none {
            return answer.map(|()| None).meaning(|| Problem::CgroupNoController { asked, controller });
        }
        answer?;
    }
    Ok(Some(lock))
}

/// Switch on what is off of `controllers` for the groups below `group`, which is ours and has no processes.
pub(super) fn pass_on(group: &Path, controllers: &[String]) -> Result<()> {
    let control = group.join(CONTROL);
    let on = words(&file::read_text(&control)?);
    let missing: Vec<String> =
        controllers.iter().filter(|one| !on.contains(*one)).map(|one| format!("+{one}")).collect();
    if missing.is_empty() { Ok(()) } else { file::write(&control, &missing.join(" ")) }
}

/// The way back from [`switch_on`]: once no group of ours stands below `parent`, switch off what we switched on,
/// and step back from the leaf. Where there is nothing to undo, or not by us, nothing happens.
pub fn switch_off(parent: &Path, id: &str) -> Result<()> {
    match undo(parent, id) {
        Err(error) if is_denied(&error) => Ok(()),
        answer => answer,
    }
}

fn undo(parent: &Path, id: &str) -> Result<()> {
    if !was_switched(parent, id)? {
        return Ok(());
    }
    let leaf = leaf(parent, id);
    let _lock = lock(parent)?;
    let mut groups = stop::groups_below(parent)?;
    groups.retain(|group| *group != leaf);
    if groups.iter().any(|group| is_ours(group)) {
        return Ok(());
    }
    if let Some(noted) = note(parent)? {
        switch_off_noted(parent, &noted, &groups)?;
        attribute::removexattr(parent, NOTE)?;
    }
    if file::exists(&leaf)? { step_back(parent, &leaf) } else { Ok(()) }
}

fn switch_off_noted(parent: &Path, noted: &str, groups: &[PathBuf]) -> Result<()> {
    let control = parent.join(CONTROL);
    let on = words(&file::read_text(&control)?);
    for controller in words(noted).intersection(&on) {
        let mut used = false;
        for group in groups {
            used |= limits::are_set(group, controller)?;
        }
        if used {
            continue;
        }
        match file::write(&control, &format!("-{controller}")) {
            // A group below has switched it on for its own children: it has become somebody else's.
            Err(error) if error.is(EBUSY) => {}
            answer => answer?,
        }
    }
    Ok(())
}

/// Leave `parent` without processes, if it must be: the top group of the machine may have them.
///
/// The kernel would not always refuse: `pids` and `cpu` it grants to a group with processes, and makes of the
/// groups below something that no process can be born in (`domain invalid`, cgroups(7) on thread mode).
fn make_room(parent: &Path, id: &str, companion: Option<i32>) -> Result<()> {
    if !file::exists(&parent.join("cgroup.type"))? {
        return Ok(());
    }
    let members = file::read_text(&parent.join(MEMBERS))?;
    if members.is_empty() {
        return Ok(());
    }
    let ours = [Some(process::pid()), companion];
    if !members.lines().all(|member| ours.contains(&member.parse().ok())) {
        return Err(Error::new(Problem::CgroupBusy { path: parent.display().to_string() }));
    }
    match file::mkdir(&leaf(parent, id), 0o755) {
        Err(error) if error.is(EEXIST) => {}
        answer => answer?,
    }
    members.lines().try_for_each(|member| file::write(&leaf(parent, id).join(MEMBERS), member))
}

/// Out of the leaf, whoever of ours went there and still lives; and the leaf away.
fn step_back(parent: &Path, leaf: &Path) -> Result<()> {
    for member in file::read_text(&leaf.join(MEMBERS))?.lines() {
        match file::write(&parent.join(MEMBERS), member) {
            Err(error) if error.is(ESRCH) => {}
            answer => answer?,
        }
    }
    stop::remove_directory(&Group::default(), leaf)
}

/// Whether there may be something to undo in `parent`: a note of anybody's, or the leaf of `id`.
pub fn was_switched(parent: &Path, id: &str) -> Result<bool> {
    Ok(note(parent)?.is_some() || file::exists(&leaf(parent, id))?)
}

/// Where the runtime of container `id` steps aside to.
fn leaf(parent: &Path, id: &str) -> PathBuf {
    parent.join(format!("{}{LEAF}", name(id)))
}

fn is_ours(group: &Path) -> bool {
    group.file_name().is_some_and(|own| own.to_string_lossy().starts_with(&name("")))
}

fn note(parent: &Path) -> Result<Option<String>> {
    match attribute::getxattr(parent, NOTE) {
        Err(error) if [ENODATA, ENOENT, EOPNOTSUPP].iter().any(|errno| error.is(*errno)) => Ok(None),
        answer => answer.map(Some),
    }
}

/// An exclusive lock on a directory, until it is dropped. Everybody may lock this directory, so nobody is waited
/// for without end: after five seconds the answer is `EAGAIN`.
pub(super) fn lock(parent: &Path) -> Result<OwnedFd> {
    const TRIES: u32 = 5000;
    let directory = file::open_file(parent, O_DIRECTORY, 0)?;
    for _ in 0..TRIES {
        match lock_file(directory.as_fd(), parent, true, false) {
            Err(error) if error.is(EAGAIN) => process::pause_millisecond(),
            answer => return answer.map(|()| directory),
        }
    }
    lock_file(directory.as_fd(), parent, true, false).map(|()| directory)
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
