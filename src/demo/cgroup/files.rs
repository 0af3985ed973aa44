//! One thing to read or set, and its file in version 1 and in version 2.

use super::house::{directory_of, lacking};
use crate::cgroup::Group;
use crate::cgroup::hierarchy::Version;
use crate::error::Result;

use crate::narrate::stage::Entry;
use crate::narrate::{Ink, Stage, text};
use crate::observe::{self, Subject};
use crate::sys::file;
use std::path::PathBuf;

/// A file of a controller, by both its names; `-` where a version has none. After a blank, the key in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// The controller, by its v1 name.
    pub controller: &'static str,
    /// The file of v1.
    pub v1: &'static str,
    /// The file of v2.
    pub v2: &'static str,
}

impl File {
    /// The version of the hierarchy in which `group` has the controller; `None` when it has none.
    pub fn version(&self, group: &Group) -> Option<Version> {
        directory_of(group, self.controller).map(|(_, version)| version)
    }

    /// The file here, and the key in it.
    pub fn path(&self, group: &Group) -> Option<(PathBuf, Option<&'static str>)> {
        let (directory, version) = directory_of(group, self.controller)?;
        let name = if version == Version::V1 { self.v1 } else { self.v2 };
        let (name, key) = name.split_once(' ').map_or((name, None), |(name, key)| (name, Some(key)));
        (name != "-").then(|| (directory.join(name), key))
    }

    /// What it says, as evidence: not told in the trace. `None` when it cannot be read.
    pub fn read(&self, group: &Group) -> Option<String> {
        let (path, key) = self.path(group)?;
        match key {
            None => observe::read(&Subject::Contents(path)),
            // Lines `KEY NUMBER`.
            Some(key) => {
                let text = observe::text(&path)?;
                text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).map(str::to_owned)
            }
        }
    }

    /// The number it says.
    pub fn number(&self, group: &Group) -> Option<u64> {
        self.read(group)?.parse().ok()
    }

    /// Its name in the version that `group` has.
    pub fn name(&self, group: &Group) -> &'static str {
        if self.version(group) == Some(Version::V1) { self.v1 } else { self.v2 }
    }

    /// Write `value` to it, through the door.
    pub fn write(&self, group: &Group, value: &str) -> Result<()> {
        let (path, _) = self.path(group).ok_or_else(|| lacking(self.controller))?;
        file::write(&path, value)
    }
}

/// A table of files by both names, the version that is in force here marked, and what each says for each of `groups`.
pub fn table(stage: &Stage, files: &[File], groups: &[(&str, &Group)]) {
    let here = files.iter().find_map(|file| file.version(groups.first()?.1));
    let mark = |version, name: &str| match here {
        Some(found) if found == version => text!("{name} (here)", "{name}（本机）"),
        _ => name.to_owned(),
    };
    let (v1, v2) = (mark(Version::V1, "v1"), mark(Version::V2, "v2"));
    let mut heads = vec![v1.as_str(), v2.as_str()];
    heads.extend(groups.iter().map(|(name, _)| *name));
    let row = |file: &File| {
        let ink = |version| if Some(version) == here { Ink::Plain } else { Ink::Faint };
        let mut row = vec![Entry::of(ink(Version::V1), file.v1), Entry::of(ink(Version::V2), file.v2)];
        let values = groups.iter().map(|(_, group)| file.read(group).unwrap_or_else(|| "-".to_owned()));
        row.extend(values.map(|value| Entry::of(Ink::Fact, value)));
        row
    };
    stage.table(&heads, &files.iter().map(row).collect::<Vec<_>>());
}
