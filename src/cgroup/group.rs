//! One group, in every hierarchy concerned: made, joined, removed.

use super::devices;
use super::hierarchy::{self, Hierarchy, Version};
use super::limits::{Limits, Setting};
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::{EACCES, EBUSY, EEXIST, ENOENT, EPERM, EROFS};
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use crate::sys::{file, process};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The controllers joined on v1 even when nothing is limited: they count, freeze, and guard devices.
const V1_ALWAYS: [&str; 7] = ["memory", "cpu", "cpuacct", "pids", "devices", "freezer", "blkio"];

/// A group of one container: a directory of the same name in each hierarchy concerned.
#[derive(Debug, Default)]
pub struct Group {
    /// The directories with their hierarchies; none where this user may make none and nothing was asked.
    pub places: Vec<Place>,
}

/// The group in one hierarchy.
#[derive(Debug)]
pub struct Place {
    /// The tree it stands in.
    pub hierarchy: Hierarchy,
    /// Its directory.
    pub directory: PathBuf,
}

/// The name of the directory: it carries the container's id, so whoever finds it knows whose it is.
pub fn name(id: &str) -> String {
    format!("minidocker-{id}")
}

impl Group {
    /// Make the group for container `id` with `limits`; `device_rules` says whether devices are guarded.
    ///
    /// With CAP_SYS_ADMIN (`privileged`) the group stands at the top of each hierarchy; else inside this
    /// process's own group, if that was delegated to the user. A limit that cannot be set is an error, and the
    /// error leaves no directory behind. With no limit asked and no place to make one the group is empty.
    pub fn make(id: &str, limits: &Limits, privileged: bool, device_rules: bool) -> Result<Self> {
        let mut group = Group::default();
        let made = group.fill(id, limits, privileged, device_rules);
        if made.is_err() {
            group.remove(id)?;
        }
        made.map(|()| group)
    }

    fn fill(&mut self, id: &str, limits: &Limits, privileged: bool, device_rules: bool) -> Result<()> {
        let hierarchies = hierarchy::mounted()?;
        require_controllers(&hierarchies, limits)?;
        for hierarchy in hierarchies {
            let settings = settings_for(&hierarchy, limits);
            if settings.is_empty() && !joined_anyway(&hierarchy) {
                continue;
            }
            let parent = if privileged { hierarchy.mount.clone() } else { hierarchy.own.clone() };
            let asked = settings.first().map(|setting| setting.option);
            if hierarchy.version == Version::V2 {
                enable_controllers(&parent, &settings, id)?;
            }
            let directory = parent.join(name(id));
            match file::mkdir(&directory, 0o755) {
                Err(error) if cannot_be_made(&error) && asked.is_none() => continue,
                Err(error) if cannot_be_made(&error) => {
                    return Err(error).meaning(|| not_writable(asked, &parent));
                }
                answer => answer?,
            }
            self.places.push(Place { hierarchy, directory: directory.clone() });
            let place = &self.places[self.places.len() - 1];
            place.prepare(&parent, &settings)?;
            if device_rules && privileged {
                devices::guard(place)?;
            }
        }
        Ok(())
    }

    /// The v2 directory, opened, for clone3(2) to give birth in; `None` on v1.
    pub fn birthplace(&self) -> Result<Option<(OwnedFd, &Path)>> {
        let v2 = self.places.iter().find(|place| place.hierarchy.version == Version::V2);
        v2.map(|place| {
            Ok((file::open_file(&place.directory, O_PATH | O_DIRECTORY, 0)?, place.directory.as_path()))
        })
        .transpose()
    }

    /// Move this process into the group's v1 directories. `0` means the writer.
    ///
    /// The file is `tasks`, not `cgroup.procs`: moving a single thread need not stop all forks of the machine
    /// for an RCU grace period, which `cgroup.procs` does, and costs a fiftieth of the time.
    pub fn join(&self) -> Result<()> {
        for place in self.places.iter().filter(|place| place.hierarchy.version == Version::V1) {
            file::write(&place.directory.join("tasks"), "0")?;
        }
        Ok(())
    }

    /// Remove the group, and whoever is left in it. What is already gone is fine.
    pub fn remove(&self, id: &str) -> Result<()> {
        for place in &self.places {
            super::stop::remove_directory(self, &place.directory)?;
            if place.hierarchy.version == Version::V2 {
                undo_stepping_aside(&place.hierarchy.own, id)?;
            }
        }
        Ok(())
    }

    /// The group that container `id` left behind, wherever [`Group::make`] might have made it.
    pub fn find(id: &str) -> Result<Self> {
        let mut group = Group::default();
        for hierarchy in hierarchy::mounted()? {
            for parent in [hierarchy.mount.clone(), hierarchy.own.clone()] {
                let directory = parent.join(name(id));
                let known = group.places.iter().any(|place| place.directory == directory);
                if !known && file::exists(&directory)? {
                    group.places.push(Place { hierarchy: hierarchy.clone(), directory });
                }
            }
        }
        Ok(group)
    }

    /// The directory of the group on which `controller` acts.
    pub fn directory_of(&self, controller: &str) -> Option<(&Path, Version)> {
        let place = self.places.iter().find(|place| place.hierarchy.has(controller))?;
        Some((&place.directory, place.hierarchy.version))
    }
}

impl Place {
    /// Give a new group what it needs before a process can join, and its limits.
    fn prepare(&self, parent: &Path, settings: &[Setting]) -> Result<()> {
        if self.hierarchy.version == Version::V1 && self.hierarchy.has("cpuset") {
            // A new v1 cpuset is empty, and a process cannot live on no processor and no memory node.
            for name in ["cpuset.cpus", "cpuset.mems"] {
                let inherited = file::read_text(&parent.join(name))?;
                file::write(&self.directory.join(name), inherited.trim())?;
            }
        }
        for setting in settings {
            let path = self.directory.join(setting.file);
            match file::write(&path, &setting.value) {
                Err(error)
                    if setting.optional && (error.is(ENOENT) || error.is(EACCES) || error.is(EPERM)) => {}
                answer => answer.meaning(|| Problem::CgroupLimitRefused {
                    file: path.display().to_string(),
                    value: setting.value.clone(),
                })?,
            }
        }
        Ok(())
    }
}

/// Every limit must have a hierarchy whose controller will enforce it.
fn require_controllers(hierarchies: &[Hierarchy], limits: &Limits) -> Result<()> {
    let v2 = limits.settings(Version::V2);
    for (index, v1) in limits.settings(Version::V1).iter().enumerate() {
        let enforced = hierarchies.iter().any(|hierarchy| match hierarchy.version {
            Version::V1 => hierarchy.has(v1.controller),
            Version::V2 => hierarchy.has(v2[index].controller),
        });
        if !enforced {
            let (asked, controller) = (v1.option.to_owned(), v1.controller.to_owned());
            return Err(Error::new(Problem::CgroupNoController { asked, controller }));
        }
    }
    Ok(())
}

fn settings_for(hierarchy: &Hierarchy, limits: &Limits) -> Vec<Setting> {
    let settings = limits.settings(hierarchy.version).into_iter();
    settings.filter(|setting| hierarchy.has(setting.controller)).collect()
}

fn joined_anyway(hierarchy: &Hierarchy) -> bool {
    hierarchy.version == Version::V2 || V1_ALWAYS.iter().any(|name| hierarchy.has(name))
}

/// Switch on, for the children of `parent`, the controllers that `settings` need and that are still off.
///
/// `EBUSY` is the rule of "no internal processes": a v2 group that has processes cannot have controllers for
/// its children. If this process is the only one there, it steps aside into a leaf of its own.
fn enable_controllers(parent: &Path, settings: &[Setting], id: &str) -> Result<()> {
    let control = parent.join("cgroup.subtree_control");
    let enabled = match file::read_text(&control) {
        Ok(text) => text,
        Err(_) if settings.is_empty() => return Ok(()),
        Err(error) => return Err(error),
    };
    for setting in settings {
        if enabled.split_whitespace().any(|one| one == setting.controller) {
            continue;
        }
        let on = format!("+{}", setting.controller);
        match file::write(&control, &on) {
            Err(error) if is_denied(&error) => {
                return Err(error).meaning(|| not_writable(Some(setting.option), parent));
            }
            Err(error) if error.is(ENOENT) => {
                let (asked, controller) = (setting.option.to_owned(), setting.controller.to_owned());
                return Err(error).meaning(|| Problem::CgroupNoController { asked, controller });
            }
            Err(error) if error.is(EBUSY) => {
                step_aside(parent, id, error)?;
                file::write(&control, &on)?;
            }
            answer => answer?,
        }
    }
    Ok(())
}

fn leaf(parent: &Path, id: &str) -> PathBuf {
    parent.join(format!("{}-runtime", name(id)))
}

/// Move this process from `parent` to a leaf, if it is alone there; else `busy` is the error.
fn step_aside(parent: &Path, id: &str, busy: Error) -> Result<()> {
    let members = file::read_text(&parent.join("cgroup.procs"))?;
    if members.trim() != process::pid().to_string() {
        return Err(busy).meaning(|| Problem::CgroupBusy { path: parent.display().to_string() });
    }
    match file::mkdir(&leaf(parent, id), 0o755) {
        Err(error) if error.is(EEXIST) => {}
        answer => answer?,
    }
    file::write(&leaf(parent, id).join("cgroup.procs"), "0")
}

/// The way back from [`step_aside`]: controllers off, process back, leaf away.
fn undo_stepping_aside(parent: &Path, id: &str) -> Result<()> {
    if !file::exists(&leaf(parent, id))? {
        return Ok(());
    }
    let control = parent.join("cgroup.subtree_control");
    for controller in file::read_text(&control)?.split_whitespace() {
        file::write(&control, &format!("-{controller}"))?;
    }
    file::write(&parent.join("cgroup.procs"), "0")?;
    file::rmdir(&leaf(parent, id))
}

/// Denied; or the hierarchy is mounted, but something else is mounted over it (`ENOENT`).
fn cannot_be_made(error: &Error) -> bool {
    is_denied(error) || error.is(ENOENT)
}

fn is_denied(error: &Error) -> bool {
    [EACCES, EPERM, EROFS].iter().any(|errno| error.is(*errno))
}

fn not_writable(asked: Option<&str>, parent: &Path) -> Problem {
    Problem::CgroupNotWritable {
        asked: asked.unwrap_or_default().to_owned(),
        path: parent.display().to_string(),
    }
}
