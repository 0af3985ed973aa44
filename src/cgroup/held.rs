//! Groups of which nobody keeps a record: those that a demo or the grader makes. A lock tells whether their maker still
//! lives.
//!
//! Each of their directories is named `minidocker-demo-ID` or `minidocker-lab-ID` and is locked (flock(2)) by the process that made it. The
//! kernel drops the lock with the last copy of the descriptor, however the process ends; so a directory that can be
//! locked is a dead one's, and whoever finds it takes it away. A helper must let go of its copy at once, since a
//! frozen one would outlive its maker: [`Held::let_go`].

use super::controllers::{self, Asked};
use super::group::{Group, Place, is_denied, name};
use super::hierarchy::{self, Hierarchy, Version};
use super::stop::{self, groups_below, unless_gone};
use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EAGAIN, ENOENT};
use crate::sys::flags::O_DIRECTORY;
use crate::sys::lock::lock_file;
use crate::sys::{file, identity, process};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What the name of such a group begins with, in place of a container's id.
const DEMO: &str = "demo-";
/// The same for one that the grader made.
const LAB: &str = "lab-";
/// Who asks, in an error.
const ASKED: &str = "cgroup-demo";

/// A group of this process's, for as long as this process lives.
#[derive(Debug)]
pub struct Held {
    id: String,
    group: Group,
    locks: RefCell<Vec<OwnedFd>>,
    removed: Cell<bool>,
}

impl Held {
    /// Make one in every hierarchy that is needed for `controllers`, which are named as on v1; on v2 each is switched
    /// on under its name there. What v2 does without a controller (`freezer`, `devices`, `net_cls`, `kill`) needs only
    /// the tree.
    ///
    /// With CAP_SYS_ADMIN (`privileged`) it stands at the top of each hierarchy; else inside this process's own group.
    /// Errors: `CgroupNoController`; `CgroupForDemo` where none may be made.
    ///
    /// `companion` is the parent of this process, if it attends: in a delegated group both must step aside.
    pub fn make(controllers: &[&str], privileged: bool, companion: Option<i32>) -> Result<Self> {
        let mut held = Self::named(DEMO)?;
        for hierarchy in needed(controllers)? {
            held.add_to(hierarchy, privileged, companion)?;
        }
        Ok(held)
    }

    /// Make one for the grader in each of `hierarchies` in which one may be made, with those of their controllers that
    /// limit something and are to be had there.
    pub fn make_where_allowed(
        hierarchies: Vec<Hierarchy>,
        privileged: bool,
        companion: Option<i32>,
    ) -> Result<Self> {
        const LIMIT: [&str; 5] = ["memory", "pids", "cpu", "cpuset", "io"];
        let mut held = Self::named(LAB)?;
        for mut hierarchy in hierarchies {
            if hierarchy.version == Version::V2 {
                let above = if privileged { &hierarchy.mount } else { &hierarchy.own };
                let offered = file::read_text(&above.join("cgroup.controllers"))?;
                let offered: Vec<&str> = offered.split_whitespace().collect();
                hierarchy.controllers.retain(|one| LIMIT.contains(&&**one) && offered.contains(&&**one));
            }
            match held.add_to(hierarchy, privileged, companion) {
                Err(Error { problem: Problem::CgroupForDemo { .. }, .. }) => {}
                answer => answer?,
            }
        }
        Ok(held)
    }

    fn named(prefix: &str) -> Result<Self> {
        let random = process::random(4)?.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(Self {
            id: format!("{prefix}{random}"),
            group: Group::default(),
            locks: RefCell::default(),
            removed: Cell::new(false),
        })
    }

    fn add_to(&mut self, hierarchy: Hierarchy, privileged: bool, companion: Option<i32>) -> Result<()> {
        let parent = if privileged { hierarchy.mount.clone() } else { hierarchy.own.clone() };
        self.add(hierarchy, &parent, companion).map_err(|error| explain(error, &parent))
    }

    /// Make the directory below `parent`, locked before anybody could think it a dead one's.
    fn add(&mut self, hierarchy: Hierarchy, parent: &Path, companion: Option<i32>) -> Result<()> {
        let asked: Vec<Asked<'_>> = match hierarchy.version {
            Version::V1 => Vec::new(),
            Version::V2 => hierarchy.controllers.iter().map(|one| (one.as_str(), ASKED)).collect(),
        };
        if hierarchy.version == Version::V2 {
            self.group.parents.push(parent.to_owned());
        }
        let on = controllers::switch_on(parent, &asked, &self.id, companion)?;
        let _parent = on.map_or_else(|| controllers::lock(parent), Ok)?;
        let directory = parent.join(name(&self.id));
        file::mkdir(&directory, 0o755)?;
        let place = Place { hierarchy, directory };
        self.locks.get_mut().push(hold(&place.directory)?);
        let prepared = place.prepare(parent, &[]);
        self.group.places.push(place);
        prepared
    }

    /// The group, for processes to join and for groups below it.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// In a child of the maker, first of all: leave the locks to the maker alone.
    pub fn let_go(&self) {
        self.locks.take();
    }

    /// Leave the group to whoever [reclaims](reclaim) it when this process has ended: it is going there itself.
    pub fn leave(&self) {
        self.removed.set(true);
    }

    /// Kill whoever is left in the group and in those below, remove them, and switch off what was switched on.
    pub fn remove(&self) -> Result<()> {
        let inside = |place: &Place| stop::remove_below(&self.group, &place.directory);
        let removed = self.group.places.iter().try_for_each(inside);
        let removed = removed.and_then(|()| self.group.remove(&self.id));
        self.removed.set(removed.is_ok());
        removed
    }
}

impl Drop for Held {
    /// A demo that fails in the middle leaves no group. What cannot be removed now is found by the next command.
    fn drop(&mut self) {
        if !self.removed.get() {
            let _ = self.remove();
        }
    }
}

/// The hierarchies in which `controllers` act, each v2 one with just those of its controllers that are needed.
fn needed(controllers: &[&str]) -> Result<Vec<Hierarchy>> {
    let all = hierarchy::all()?;
    let mut needed: BTreeMap<PathBuf, Hierarchy> = BTreeMap::new();
    for controller in controllers {
        let v1 = all.iter().find(|one| one.version == Version::V1 && one.has(controller));
        let v2 = all.iter().find(|one| one.version == Version::V2);
        let there = hierarchy::name_on_v2(controller);
        let (found, named) = match (v1, v2) {
            (Some(v1), _) => (v1, None),
            (None, Some(v2)) if there.is_none_or(|there| v2.has(there)) => (v2, there),
            _ => {
                let (asked, controller) = (ASKED.to_owned(), (*controller).to_owned());
                return Err(Error::new(Problem::CgroupNoController { asked, controller }));
            }
        };
        let entry = needed.entry(found.mount.clone()).or_insert_with(|| {
            let controllers = if v1.is_some() { found.controllers.clone() } else { Vec::new() };
            Hierarchy { controllers, ..found.clone() }
        });
        entry.controllers.extend(named.filter(|named| !entry.has(named)).map(str::to_owned));
    }
    Ok(needed.into_values().collect())
}

/// Lock a directory for this process. `EAGAIN` when somebody else holds it.
fn hold(directory: &Path) -> Result<OwnedFd> {
    let descriptor = file::open_file(directory, O_DIRECTORY, 0)?;
    lock_file(descriptor.as_fd(), directory, true, false)?;
    Ok(descriptor)
}

/// Clear away what dead demos and graders left: at the top of each hierarchy and in this process's own group; for an ordinary user
/// with `everywhere`, in all groups of the machine.
///
/// Somebody else's, whom this user may not touch, are left alone. Every `minidocker run` asks for this, so it looks at
/// no more than it must.
pub fn reclaim(everywhere: bool) -> Result<()> {
    let user = identity::uid();
    let mut dead = BTreeMap::new();
    let empty =
        without_groups(&file::if_there(file::read_text(Path::new("/proc/cgroups")))?.unwrap_or_default());
    for hierarchy in hierarchy::all()? {
        if hierarchy.version == Version::V1 && empty.iter().any(|one| hierarchy.has(one)) {
            continue;
        }
        let mut parents = vec![hierarchy.mount.clone()];
        if user != 0 || everywhere {
            parents.push(hierarchy.own.clone());
        }
        if everywhere && user != 0 && hierarchy.version == Version::V2 {
            parents.extend(parents_below(&hierarchy.mount)?);
        }
        parents.sort();
        parents.dedup();
        for parent in &parents {
            find_dead(parent, user, &mut dead)?;
        }
        if hierarchy.version == Version::V2 && dead.is_empty() {
            // Whoever was killed before it had made a directory has left a note.
            parents.iter().try_for_each(|parent| controllers::switch_off(parent, DEMO))?;
        }
    }
    dead.into_iter().try_for_each(|(id, _held)| Group::find(&id)?.remove(&id))
}

/// The v1 controllers in whose hierarchy there is no group but the top, from the text of `/proc/cgroups`.
fn without_groups(text: &str) -> Vec<String> {
    // NAME HIERARCHY NUMBER-OF-GROUPS ENABLED; hierarchy 0 is v2's.
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let top_only = lines.filter(|fields| fields.len() == 4 && fields[1] != "0" && fields[2] == "1");
    top_only.map(|fields| fields[0].to_owned()).collect()
}

/// The groups at and below `top` that have a demo's right below them.
fn parents_below(top: &Path) -> Result<Vec<PathBuf>> {
    let below = groups_below(top)?;
    let mut found = Vec::new();
    if below.iter().any(|group| id_of(group).is_some()) {
        found.push(top.to_owned());
    }
    for group in below {
        found.extend(parents_below(&group)?);
    }
    Ok(found)
}

/// The ids of the dead whose groups stand right below `parent`, each with the locks that make them ours.
fn find_dead(parent: &Path, user: u32, dead: &mut BTreeMap<String, Vec<OwnedFd>>) -> Result<()> {
    let demos = |groups: Vec<PathBuf>| -> Vec<PathBuf> {
        groups.into_iter().filter(|group| id_of(group).is_some()).collect()
    };
    if demos(groups_below(parent)?).is_empty() {
        return Ok(());
    }
    // While this is held nobody makes one, and it is either locked or dead.
    let _parent = controllers::lock(parent)?;
    for directory in demos(groups_below(parent)?) {
        let Some(id) = id_of(&directory) else { continue };
        let Some(status) = unless_gone(file::status(&directory))? else { continue };
        if user != 0 && status.uid != user {
            continue;
        }
        if is_leaf(&directory) {
            // The maker is in it unless it is dead; and this process, if it attended the maker.
            let own = process::pid().to_string();
            let members = unless_gone(file::read_text(&directory.join("cgroup.procs")))?;
            if members.is_some_and(|members| members.lines().all(|member| member == own))
                && !dead.contains_key(&id)
            {
                let house = parent.join(name(&id));
                if !file::exists(&house)? {
                    dead.insert(id, Vec::new());
                }
            }
            continue;
        }
        match hold(&directory) {
            Ok(lock) => dead.entry(id).or_default().push(lock),
            Err(error) if error.is(EAGAIN) || error.is(ENOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `demo-1a2b3c4d` of `…/minidocker-demo-1a2b3c4d`, so for the grader's, and of the leaf beside it.
fn id_of(directory: &Path) -> Option<String> {
    let own = directory.file_name()?.to_str()?;
    let id = own.strip_prefix(&name(""))?;
    let id = id.strip_suffix(controllers::LEAF).unwrap_or(id);
    [DEMO, LAB].iter().any(|prefix| id.starts_with(prefix)).then(|| id.to_owned())
}

fn is_leaf(directory: &Path) -> bool {
    directory.to_string_lossy().ends_with(controllers::LEAF)
}

/// What it means that no group can be made in `parent`.
fn explain(error: Error, parent: &Path) -> Error {
    let path = parent.display().to_string();
    match error.problem {
        Problem::CgroupBusy { .. } => Error { problem: Problem::CgroupForDemo { path }, ..error },
        _ if is_denied(&error) || error.is(ENOENT) => error.meaning(Problem::CgroupForDemo { path }),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_without_groups_are_not_looked_at() {
        let text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t4\t43\t1\nnet_cls\t0\t1\t1\n";
        assert_eq!(without_groups(text), ["cpu"]);
    }

    #[test]
    fn a_group_of_which_no_record_is_kept_is_known_by_its_name() {
        let id = |path: &str| id_of(Path::new(path));
        assert_eq!(id("/sys/fs/cgroup/minidocker-demo-12ab").as_deref(), Some("demo-12ab"));
        assert_eq!(id("/sys/fs/cgroup/minidocker-demo-12ab-runtime").as_deref(), Some("demo-12ab"));
        assert_eq!(id("/sys/fs/cgroup/minidocker-lab-12ab").as_deref(), Some("lab-12ab"));
        assert_eq!(id("/sys/fs/cgroup/minidocker-12ab34cd56ef"), None);
        assert_eq!(id("/sys/fs/cgroup/process_api"), None);
    }
}
