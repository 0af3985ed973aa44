//! One group, in every hierarchy concerned: made, joined, removed.

use super::controllers::{self, Asked};
use super::devices;
use super::hierarchy::{self, Hierarchy, Version};
use super::limits::{self, Limits, Setting};
use super::stop::{self, groups_below};
use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EACCES, ENOENT, EPERM, EROFS};
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use crate::sys::{file, identity, process};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The controllers joined on v1 even when nothing is limited: they count, freeze, and guard devices.
const V1_ALWAYS: [&str; 7] = ["memory", "cpu", "cpuacct", "pids", "devices", "freezer", "blkio"];

/// A group of one container: a directory of the same name in each hierarchy concerned.
#[derive(Debug, Default)]
pub struct Group {
    /// The directories with their hierarchies; none where this user may make none and nothing was asked.
    pub places: Vec<Place>,
    /// The v2 directories in which controllers may have been switched on for it.
    pub(super) parents: Vec<PathBuf>,
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
    /// Make the group for container `id`, ready for `limits`: with the controllers that these need, and with those of
    /// [`Limits::settings`] set. `device_rules` says whether devices are guarded.
    ///
    /// With CAP_SYS_ADMIN (`privileged`) the group stands at the top of each hierarchy; else inside this
    /// process's own group, if that was delegated to the user ([`Hierarchy::ground`]). A limit that cannot be set is an error, and the
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
            let mut needed = limits.controllers(hierarchy.version);
            needed.retain(|(controller, _)| hierarchy.has(controller));
            if needed.is_empty() && !joined_anyway(&hierarchy) {
                continue;
            }
            let parent = hierarchy.ground(privileged)?.to_owned();
            let asked = needed.first().map(|(_, option)| *option);
            let directory = parent.join(name(id));
            match self.make_directory(&hierarchy, &parent, &needed, id) {
                Err(error) if cannot_be_made(&error) && asked.is_none() => continue,
                answer => answer.map_err(|error| explain(error, asked, &parent))?,
            }
            self.places.push(Place { hierarchy, directory });
            let place = &self.places[self.places.len() - 1];
            place.prepare(&parent, &limits.settings(place.hierarchy.version))?;
            if device_rules && privileged {
                devices::guard(place)?;
            }
        }
        Ok(())
    }

    /// The directory below `parent`, with the controllers that are `asked` for.
    fn make_directory(
        &mut self,
        hierarchy: &Hierarchy,
        parent: &Path,
        asked: &[Asked<'_>],
        id: &str,
    ) -> Result<()> {
        let directory = parent.join(name(id));
        if hierarchy.version == Version::V1 {
            return file::mkdir(&directory, 0o755);
        }
        self.parents.push(parent.to_owned());
        // The client that made this supervisor may be in the same group.
        let _on = controllers::switch_on(parent, asked, id, Some(process::parent()))?;
        file::mkdir(&directory, 0o755)
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

    /// A group `name` inside this one, in each hierarchy concerned, with the same v2 controllers.
    ///
    /// On return it is ready to be joined. On v2 this group must have no processes of its own.
    pub fn below(&self, name: &str) -> Result<Self> {
        let mut group = Group::default();
        for Place { hierarchy, directory: parent } in &self.places {
            if hierarchy.version == Version::V2 {
                controllers::pass_on(parent, &hierarchy.controllers)?;
            }
            let directory = parent.join(name);
            file::mkdir(&directory, 0o755)?;
            let place = Place { hierarchy: hierarchy.clone(), directory };
            place.prepare(parent, &[])?;
            group.places.push(place);
        }
        Ok(group)
    }

    /// Remove the group, and whoever is left in it. What is already gone is fine.
    pub fn remove(&self, id: &str) -> Result<()> {
        self.remove_by(id, stop::kill_all)
    }

    /// The same, with `kill` to end whoever is left in it and in groups below.
    pub fn remove_by(&self, id: &str, kill: fn(&Group) -> Result<()>) -> Result<()> {
        for place in &self.places {
            stop::remove_by(self, &place.directory, kill)?;
        }
        self.parents.iter().try_for_each(|parent| controllers::switch_off(parent, id))
    }

    /// The group that container `id` left behind, wherever [`Group::make`] might have made it.
    pub fn find(id: &str) -> Result<Self> {
        let mut group = Group::default();
        for hierarchy in hierarchy::all()? {
            let mut parents = vec![hierarchy.mount.clone(), hierarchy.own.clone()];
            // A user's stands in the group that its runtime was in, which need not be ours.
            if hierarchy.version == Version::V2 && identity::uid() != 0 {
                parents.extend(search(&hierarchy.mount, id)?);
            }
            parents.sort();
            parents.dedup();
            for directory in parents.iter().map(|parent| parent.join(name(id))) {
                if file::exists(&directory)? {
                    group.places.push(Place { hierarchy: hierarchy.clone(), directory });
                }
            }
            if hierarchy.version == Version::V2 {
                group.parents.extend(parents);
            }
        }
        Ok(group)
    }

    /// Its directories, one for each hierarchy that it is in.
    pub fn directories(&self) -> Vec<PathBuf> {
        self.places.iter().map(|place| place.directory.clone()).collect()
    }

    /// The directory of the group on which `controller` acts.
    pub fn directory_of(&self, controller: &str) -> Option<(&Path, Version)> {
        let place = self.places.iter().find(|place| place.hierarchy.has(controller))?;
        Some((&place.directory, place.hierarchy.version))
    }
}

impl Place {
    /// Give a new group what it needs before a process can join, and those of `settings` that its controllers know.
    pub(super) fn prepare(&self, parent: &Path, settings: &[Setting]) -> Result<()> {
        if self.hierarchy.version == Version::V1 && self.hierarchy.has("cpuset") {
            // A new v1 cpuset is empty, and a process cannot live on no processor and no memory node.
            for name in ["cpuset.cpus", "cpuset.mems"] {
                let inherited = file::read_text(&parent.join(name))?;
                file::write(&self.directory.join(name), inherited.trim())?;
            }
        }
        let settings = settings.iter().filter(|setting| self.hierarchy.has(setting.controller));
        settings.into_iter().try_for_each(|one| limits::set(&self.directory, one.file, &one.value))
    }
}

/// Every limit must have a hierarchy whose controller will enforce it.
fn require_controllers(hierarchies: &[Hierarchy], limits: &Limits) -> Result<()> {
    let v2 = limits.controllers(Version::V2);
    for ((v1, asked), (v2, _)) in limits.controllers(Version::V1).into_iter().zip(v2) {
        let enforced = hierarchies.iter().any(|hierarchy| match hierarchy.version {
            Version::V1 => hierarchy.has(v1),
            Version::V2 => hierarchy.has(v2),
        });
        if !enforced {
            let (asked, controller) = (asked.to_owned(), v1.to_owned());
            return Err(Error::new(Problem::CgroupNoController { asked, controller }));
        }
    }
    Ok(())
}

fn joined_anyway(hierarchy: &Hierarchy) -> bool {
    hierarchy.version == Version::V2 || V1_ALWAYS.iter().any(|name| hierarchy.has(name))
}

/// The directories, at and below `top`, where the group of container `id` stands or its runtime left a trace.
fn search(top: &Path, id: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if file::exists(&top.join(name(id)))? || controllers::was_switched(top, id)? {
        found.push(top.to_owned());
    }
    for group in groups_below(top)? {
        found.extend(search(&group, id)?);
    }
    Ok(found)
}

/// Denied; or the hierarchy is mounted, but something else is mounted over it (`ENOENT`).
fn cannot_be_made(error: &Error) -> bool {
    is_denied(error) || error.is(ENOENT)
}

/// Not allowed here, or to nobody.
pub(super) fn is_denied(error: &Error) -> bool {
    [EACCES, EPERM, EROFS].iter().any(|errno| error.is(*errno))
}

/// What it means that no group can be made in `parent`.
fn explain(error: Error, asked: Option<&str>, parent: &Path) -> Error {
    if !cannot_be_made(&error) {
        return error;
    }
    let asked = asked.unwrap_or_default().to_owned();
    error.meaning(Problem::CgroupNotWritable { asked, path: parent.display().to_string() })
}
