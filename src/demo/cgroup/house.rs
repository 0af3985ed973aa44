//! Where the demos of cgroups play: a group of their own, groups below it, and helpers that live and work there.
//!
//! A [`House`] is one group in every hierarchy that the demo needs. Processes live in its rooms only, never in the
//! house itself: on v2 a group that has processes cannot limit groups below. A helper is born in its room on v2
//! (CLONE_INTO_CGROUP), writes itself to the room's `tasks` on v1, and dies with the demo.

use crate::cgroup::group::Place;
use crate::cgroup::hierarchy::{self, Version};
use crate::cgroup::{Group, Held};
use crate::demo::actor::Actor;
use crate::error::{Error, Problem, Result};
use crate::namespace::pid;
use crate::process::Forked;
use crate::security::capabilities;
use crate::sys::process;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// A demo's own groups.
#[derive(Debug)]
pub struct House {
    held: Held,
}

/// A group of the house, with its name there.
#[derive(Debug)]
pub struct Room {
    /// Its name, which its helpers have too.
    pub name: &'static str,
    /// The group.
    pub group: Group,
}

impl House {
    /// Make the house in every hierarchy that `controllers` (by their v1 names) need. What v2 does without a controller
    /// is asked for by its v1 name too; `kill` is v2's alone.
    ///
    /// To be called in a demo that is attended: what this process's parent is, steps aside with it.
    ///
    /// Errors: `CgroupNoController` for one that this kernel or this user has not; `CgroupForDemo`, which says how to
    /// get the right. A walk that can do without tells by `stage.lacks`.
    pub fn make(controllers: &[&str]) -> Result<Self> {
        Ok(Self { held: Held::make(controllers, capabilities::is_privileged(), Some(process::parent()))? })
    }

    /// The same, and in the v2 tree too if there is one: on a hybrid machine each version can show its way.
    pub fn make_in_both(controllers: &[&str]) -> Result<Self> {
        let v2 = hierarchy::all()?.iter().any(|one| one.version == Version::V2);
        let kill = v2.then_some("kill");
        Self::make(&controllers.iter().copied().chain(kill).collect::<Vec<_>>())
    }

    /// The house's group itself.
    pub fn group(&self) -> &Group {
        self.held.group()
    }

    /// A new group `name` in the house. It goes with it.
    pub fn room(&self, name: &'static str) -> Result<Room> {
        Ok(Room { name, group: self.group().below(name)? })
    }

    /// Start a helper in `room`, which answers questions by `part`: born there on v2, its own first deed on v1.
    pub fn helper<Q, A>(&self, room: &Room, part: impl FnMut(Q) -> Result<A>) -> Result<Actor<Q, A>>
    where
        Q: Serialize + DeserializeOwned,
        A: Serialize + DeserializeOwned,
    {
        let birthplace = room.group.birthplace()?;
        let birth = || {
            let born = pid::birth(0, birthplace.as_ref().map(|(directory, path)| (directory, *path)))?;
            if matches!(born, Forked::Child) {
                self.held.let_go();
            }
            Ok(born)
        };
        Actor::born_by(room.name, birth, || room.group.join(), part)
    }

    /// Remove the house, with everything and everybody in it.
    pub fn remove(self) -> Result<()> {
        self.held.remove()
    }
}

impl Room {
    /// A new group `name` inside this room, in which there must be no helper (v2).
    pub fn room(&self, name: &'static str) -> Result<Room> {
        Ok(Room { name, group: self.group.below(name)? })
    }

    /// The v1 group that has `controller`, if there is one.
    pub fn v1(&self, controller: &str) -> Option<&Place> {
        let v1 = |place: &&Place| place.hierarchy.version == Version::V1;
        self.group.places.iter().filter(v1).find(|place| place.hierarchy.has(controller))
    }

    /// The v2 group, if there is one.
    pub fn v2(&self) -> Option<&Place> {
        self.group.places.iter().find(|place| place.hierarchy.version == Version::V2)
    }

    /// The directory on which the v1 controller `controller` acts, or what took its place on v2; `CgroupNoController`
    /// if the house was not made for it.
    pub fn directory_of(&self, controller: &str) -> Result<(PathBuf, Version)> {
        directory_of(&self.group, controller).ok_or_else(|| lacking(controller))
    }
}

/// The error of a house that was not made for `controller`.
pub(super) fn lacking(controller: &str) -> Error {
    let (asked, controller) = ("cgroup-demo".to_owned(), controller.to_owned());
    Error::new(Problem::CgroupNoController { asked, controller })
}

/// The directory of `group` on which the v1 controller `controller` acts, or what took its place on v2.
pub fn directory_of(group: &Group, controller: &str) -> Option<(PathBuf, Version)> {
    let mut places = group.places.iter();
    let v1 = |place: &&Place| place.hierarchy.version == Version::V1 && place.hierarchy.has(controller);
    let place = places.clone().find(v1);
    let place = place.or_else(|| places.find(|place| place.hierarchy.version == Version::V2))?;
    Some((place.directory.clone(), place.hierarchy.version))
}
