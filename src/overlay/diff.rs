//! What differs between the upper layer and those below: added, changed, deleted. It is read from the upper layer
//! alone; of those below only the names concerned are asked for, so it takes as long as the changes are many.

use super::Layers;
use super::mark::{self, Marks};
use crate::error::Result;
use crate::sys::errno::ENOTDIR;
use crate::sys::file::{self, Kind, Status};
use crate::sys::within::Directory;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// What happened to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// There was none below.
    Added,
    /// It was copied up, or replaced; of a directory: something in it was added, changed or deleted.
    Changed,
    /// It was below, and is not to be seen any more.
    Deleted,
}

impl What {
    /// `A`, `C` or `D`.
    pub fn letter(self) -> char {
        match self {
            What::Added => 'A',
            What::Changed => 'C',
            What::Deleted => 'D',
        }
    }
}

/// One difference: a path from the top of the union, and what happened to it.
pub type Change = (PathBuf, What);

/// All differences, sorted by path. What was in a deleted directory is not listed.
pub fn changes(layers: &Layers) -> Result<Vec<Change>> {
    let mut walk = Walk { layers, marks: Marks::of(layers), changes: Vec::new() };
    walk.directory(&Directory::open(&layers.upper)?, Path::new(""), false)?;
    walk.changes.sort();
    Ok(walk.changes)
}

/// Of the paths `targets`, on which something was mounted, those that stand in the upper layer only to be mounted on:
/// empty, and not below. With them the directories that were copied up, or made, for nothing else.
pub fn placeholders(layers: &Layers, targets: &[PathBuf]) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for target in targets {
        let mut path = target.strip_prefix("/").unwrap_or(target);
        while !path.as_os_str().is_empty() && is_placeholder(layers, path, &found)? {
            found.insert(path.to_owned());
            path = path.parent().unwrap_or(Path::new(""));
        }
    }
    Ok(found)
}

/// Whether the upper layer has nothing at `path` but what is `found` already, in a directory that is otherwise as it
/// is below.
fn is_placeholder(layers: &Layers, path: &Path, found: &BTreeSet<PathBuf>) -> Result<bool> {
    let full = layers.upper.join(path);
    let Some(here) = file::if_there(file::link_status(&full))? else { return Ok(false) };
    let below = below(layers, path)?;
    if here.kind != Kind::Directory {
        return Ok(here.kind == Kind::File && here.size == 0 && below.is_none());
    }
    let empty = file::list(&full)?.iter().all(|(name, _)| found.contains(&path.join(name)));
    let same = |below: Status| {
        (below.kind, below.mode, below.uid, below.gid) == (here.kind, here.mode, here.uid, here.gid)
    };
    Ok(empty && below.is_none_or(same) && !Marks::of(layers).is_opaque(&full)?)
}

struct Walk<'a> {
    layers: &'a Layers,
    marks: Marks,
    changes: Vec<Change>,
}

impl Walk<'_> {
    /// The directory `path` of the upper layer; `cut` when it, or one that it is in, hides what is below.
    fn directory(&mut self, directory: &Directory, path: &Path, cut: bool) -> Result<()> {
        let mut names = Vec::new();
        for (name, _) in directory.list()? {
            // Whoever runs in the tree may have removed it since it was listed.
            if let Some(inode) = directory.inode_if_there(&name)? {
                names.push((name, inode.status));
            }
        }
        if cut {
            let kept: BTreeSet<&OsString> = names.iter().map(|(name, _)| name).collect();
            let below = names_below(self.layers, path)?;
            let gone = below.iter().filter(|name| !kept.contains(name));
            self.changes.extend(gone.map(|name| (path.join(name), What::Deleted)));
        }
        for (name, status) in names {
            self.name(directory, &path.join(&name), &name, &status, cut)?;
        }
        Ok(())
    }

    fn name(
        &mut self,
        directory: &Directory,
        path: &Path,
        name: &OsStr,
        status: &Status,
        cut: bool,
    ) -> Result<()> {
        let below = below(self.layers, path)?;
        if mark::is_whiteout(status) {
            self.changes.extend(below.map(|_| (path.to_owned(), What::Deleted)));
            return Ok(());
        }
        let what = if below.is_some() { What::Changed } else { What::Added };
        self.changes.push((path.to_owned(), what));
        if status.kind == Kind::Directory {
            let was_directory = below.is_some_and(|status| status.kind == Kind::Directory);
            let attributes = directory.attributes(name)?;
            let opaque = attributes.get(&self.marks.name("opaque")).is_some_and(|value| value == b"y");
            self.directory(&directory.enter(name)?, path, was_directory && (cut || opaque))?;
        }
        Ok(())
    }
}

/// What the layers below the upper one show at `path`, if anything: the topmost that says something of the name decides.
/// `path` begins at the top of the union, without a `/`.
pub fn below(layers: &Layers, path: &Path) -> Result<Option<Status>> {
    for top in &layers.lower {
        match find(top, path, Marks::of(layers))? {
            Seen::Here(status) => return Ok(Some(status)),
            Seen::Nowhere => return Ok(None),
            Seen::PerhapsBelow => {}
        }
    }
    Ok(None)
}

/// The names that the layers below the upper one show in the directory `path`, sorted.
pub fn names_below(layers: &Layers, path: &Path) -> Result<Vec<OsString>> {
    let mut candidates = BTreeSet::new();
    for top in &layers.lower {
        let listed = match file::if_there(file::list(&top.join(path))) {
            Err(error) if error.is(ENOTDIR) => continue,
            listed => listed?.unwrap_or_default(),
        };
        candidates.extend(listed.into_iter().map(|(name, _)| name));
    }
    let mut names = Vec::new();
    for name in candidates {
        if below(layers, &path.join(&name))?.is_some() {
            names.push(name);
        }
    }
    Ok(names)
}

/// What one layer says of a path.
enum Seen {
    /// It is here.
    Here(Status),
    /// It is neither here nor, for all that is seen from above, below.
    Nowhere,
    /// This layer does not say.
    PerhapsBelow,
}

/// What the layer at `top` says of `path`. Links are not followed: each part of the path is looked at by itself.
fn find(top: &Path, path: &Path, marks: Marks) -> Result<Seen> {
    let mut here = top.to_owned();
    let mut cut = false;
    let parts: Vec<Component<'_>> = path.components().collect();
    for (index, part) in parts.iter().enumerate() {
        here.push(part);
        let Some(status) = file::if_there(file::link_status(&here))? else {
            return Ok(if cut { Seen::Nowhere } else { Seen::PerhapsBelow });
        };
        if mark::is_whiteout(&status) {
            return Ok(Seen::Nowhere);
        }
        if index + 1 == parts.len() {
            return Ok(Seen::Here(status));
        }
        if status.kind != Kind::Directory {
            return Ok(Seen::Nowhere);
        }
        cut = cut || marks.is_opaque(&here)?;
    }
    Ok(Seen::PerhapsBelow)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers whose directories hold these files; a name that ends in `/` is a directory.
    fn layers(top: &Path, lower: &[&[&str]], upper: &[&str]) -> Layers {
        let fill = |name: &str, names: &[&str]| {
            let layer = top.join(name);
            std::fs::create_dir_all(&layer).unwrap();
            for name in names {
                let path = layer.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                match name.ends_with('/') {
                    true => std::fs::create_dir_all(path).unwrap(),
                    false => std::fs::write(path, "").unwrap(),
                }
            }
            layer
        };
        let lower = lower.iter().enumerate().map(|(index, names)| fill(&index.to_string(), names)).collect();
        Layers { lower, upper: fill("upper", upper), userxattr: true, ..Layers::default() }
    }

    fn told(layers: &Layers) -> Vec<String> {
        let line = |(path, what): &Change| format!("{} {}", what.letter(), path.display());
        changes(layers).unwrap().iter().map(line).collect()
    }

    #[test]
    fn a_name_is_added_or_changed_by_whether_it_is_below() {
        let top = tempfile::tempdir().unwrap();
        let layers = layers(top.path(), &[&["d/a"], &["d/b", "f"]], &["d/b", "d/new", "f", "e/g"]);
        assert_eq!(told(&layers), ["C d", "C d/b", "A d/new", "A e", "A e/g", "C f"]);
    }

    #[test]
    fn a_file_in_a_middle_layer_hides_a_directory_below_it() {
        let top = tempfile::tempdir().unwrap();
        let layers = layers(top.path(), &[&["d"], &["d/x"]], &["d/x"]);
        assert_eq!(told(&layers), ["C d", "A d/x"]);
    }

    #[test]
    fn what_was_made_to_be_mounted_on_is_no_change() {
        let top = tempfile::tempdir().unwrap();
        let layers =
            layers(top.path(), &[&["etc/a", "run/"]], &["etc/hosts", "etc/a", "run/new", "dev/", "x/y"]);
        let targets = ["/etc/hosts", "/dev", "/etc/a", "/run/new", "/x/y", "/none"].map(PathBuf::from);
        let hidden = placeholders(&layers, &targets).unwrap();
        let expected = ["dev", "etc/hosts", "run", "run/new", "x", "x/y"].map(PathBuf::from);
        assert_eq!(hidden, BTreeSet::from(expected));
        let mut seen = changes(&layers).unwrap();
        seen.retain(|(path, _)| !hidden.contains(path));
        assert_eq!(seen, [("etc".into(), What::Changed), ("etc/a".into(), What::Changed)]);
    }

    #[test]
    fn an_opaque_directory_deletes_what_it_does_not_have() {
        let top = tempfile::tempdir().unwrap();
        let layers = layers(top.path(), &[&["d/a", "d/b"], &["d/c", "d/e/f"]], &["d/a", "d/e/g"]);
        if !Marks::new(true).are_kept(&layers.upper).unwrap() {
            return;
        }
        Marks::new(true).make_opaque(&layers.upper.join("d")).unwrap();
        assert_eq!(told(&layers), ["C d", "C d/a", "D d/b", "D d/c", "C d/e", "D d/e/f", "A d/e/g"]);
    }
}
