//! The names of containers: `names/NAME -> ID` is the truth, and a container's own record repeats it.
//!
//! Names are given, changed and taken under the lock on the whole. A new name is given by rename(2): there is no instant at
//! which a container has none, or two.

use super::{Root, RootLock};
use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EEXIST, ENOENT};
use crate::sys::file;
use std::path::Path;

/// How the mark ends of a container that is being renamed.
const RENAME: &str = ".rename";

impl Root {
    /// Whether a container has this name.
    pub fn has_name(&self, name: &str) -> Result<bool> {
        self.resolve_name(name).map(|id| id.is_some())
    }

    pub(super) fn resolve_name(&self, name: &str) -> Result<Option<String>> {
        match file::readlink(&self.names().join(name)) {
            Err(error) if error.is(ENOENT) => Ok(None),
            target => Ok(target?.into_os_string().into_string().ok()),
        }
    }

    /// Give the container `id` another name, in one step: `NameTaken` when some container has it. It stays marked
    /// until its record says the same ([`renamed`](Self::renamed)).
    pub fn change_name(&self, held: &RootLock, id: &str, new: &str) -> Result<()> {
        if let Some(holder) = self.resolve_name(new)? {
            return Err(Error::new(Problem::NameTaken { name: new.to_owned(), id: holder }));
        }
        self.begin(&format!("{id}{RENAME}"))?;
        match self.name_of(id)? {
            // Names are given and taken under the lock on the whole: nobody has taken this one meanwhile.
            Some(old) => file::rename(&self.names().join(old), &self.names().join(new)),
            None => self.add_name(held, id, new),
        }
    }

    /// The record of the container `id` says what it is called.
    pub fn renamed(&self, _held: &RootLock, id: &str) -> Result<()> {
        self.finish(&format!("{id}{RENAME}"))
    }

    /// Whether a mark says that a container is being renamed.
    pub fn is_renaming(mark: &str) -> bool {
        mark.ends_with(RENAME)
    }

    /// The containers that somebody was renaming when he died.
    pub fn being_renamed(marks: &[String]) -> impl Iterator<Item = &str> {
        marks.iter().filter_map(|mark| mark.strip_suffix(RENAME))
    }

    /// What the container `id` is called, if it is called anything.
    pub fn name_of(&self, id: &str) -> Result<Option<String>> {
        Ok(self.names_of(id)?.pop())
    }

    /// Give a new container `id` the name `name`. `NameTaken` when another container has it.
    pub fn add_name(&self, _held: &RootLock, id: &str, name: &str) -> Result<()> {
        match file::symlink(Path::new(id), &self.names().join(name)) {
            Err(error) if error.is(EEXIST) => match self.resolve_name(name)? {
                Some(holder) if holder == id => Ok(()),
                holder => Err(error
                    .meaning(Problem::NameTaken { name: name.to_owned(), id: holder.unwrap_or_default() })),
            },
            answer => answer,
        }
    }

    /// The names that `id` goes by: one, if it was claimed to the end.
    pub(super) fn names_of(&self, id: &str) -> Result<Vec<String>> {
        let mut own = Vec::new();
        for (name, _) in file::list(&self.names())? {
            let Ok(name) = name.into_string() else { continue };
            if self.resolve_name(&name)?.as_deref() == Some(id) {
                own.push(name);
            }
        }
        Ok(own)
    }
}
