//! Where a member of a layer stands: behind which links, and in which directories that no member makes.
//!
//! A layer need not have a member for each directory in the path of another. Where the layers below have that directory
//! it is theirs, with its mode and owner; in overlay it would be hidden by any other of the same name, so it is copied
//! up. Where they have a link, the link is followed, as it is when all layers are unpacked into one tree.

use super::super::store::image_problem;
use crate::error::{ImageProblem, Result};
use crate::overlay::mark::{Marks, is_whiteout};
use crate::sys::file::{self, Kind};
use crate::sys::inode::{self, Inode};
use crate::sys::within::Directory;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The most links on the way to one member: as many as the kernel follows.
const LINKS: u32 = 40;

/// Finds places in a layer that is this process's root directory.
pub struct Places<'a> {
    below: &'a [Directory],
    marks: Marks,
    /// Whether something was found in the layers below, or not found there: then the layer is at home in this chain only.
    pub borrows: bool,
    /// The directories that were made here, whose times are to be set at the end.
    pub copied: Vec<(PathBuf, Attire)>,
}

/// What a directory of the layers below wears.
#[derive(Debug, Clone)]
pub struct Attire {
    /// Mode, owner and time.
    pub inode: Inode,
    /// Extended attributes.
    pub attributes: BTreeMap<String, Vec<u8>>,
}

/// What one part of the way to a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A directory of this layer.
    Directory,
    /// A symbolic link that says this; the layer's author chose every byte of it.
    Link(PathBuf),
    /// Something that nothing can be in.
    Blocked,
}

/// What is seen at a path.
enum Seen {
    Directory,
    DirectoryBelow(Attire),
    Link(PathBuf),
    Other,
    Nothing,
}

impl<'a> Places<'a> {
    /// The places of a new layer on top of `below`, topmost first.
    pub fn new(below: &'a [Directory], marks: Marks) -> Self {
        Self { below, marks, borrows: false, copied: Vec::new() }
    }

    /// Go to the directory `path`, of which no part but the last may be a link, in this layer or in those below: one from
    /// below is copied up, and one that is nowhere is made.
    pub fn go(&mut self, path: &Path) -> Result<Way> {
        match self.seen(path)? {
            Seen::Directory => {}
            Seen::DirectoryBelow(attire) => {
                file::mkdir(path, 0o700)?;
                self.copied.push((path.to_owned(), attire));
            }
            Seen::Nothing => file::mkdir(path, 0o755)?,
            Seen::Link(target) => return Ok(Way::Link(target)),
            Seen::Other => return Ok(Way::Blocked),
        }
        Ok(Way::Directory)
    }

    /// What is at `path`, in this layer or below. No part of the path but the last is a link.
    fn seen(&mut self, path: &Path) -> Result<Seen> {
        if let Some(status) = file::if_there(file::link_status(path))? {
            return Ok(match status.kind {
                Kind::Directory => Seen::Directory,
                Kind::Link => Seen::Link(file::readlink(path)?),
                _ => Seen::Other,
            });
        }
        self.borrows = true;
        Ok(match self.below(path)? {
            Some(Below { kind: Kind::Directory, attire: Some(attire), .. }) => Seen::DirectoryBelow(attire),
            Some(Below { kind: Kind::Link, target: Some(target), .. }) => Seen::Link(target),
            Some(_) => Seen::Other,
            None => Seen::Nothing,
        })
    }

    /// Whether the layers below show anything at `path`. No part of it but the last is a link.
    pub fn is_below(&mut self, path: &Path) -> Result<bool> {
        self.borrows = true;
        Ok(self.below(path)?.is_some())
    }

    /// What the layers below show at `path`.
    fn below(&self, path: &Path) -> Result<Option<Below>> {
        let names = names(path);
        for layer in self.below {
            match self.in_layer(layer, &names)? {
                Found::Here(below) => return Ok(Some(below)),
                Found::Nowhere => return Ok(None),
                Found::PerhapsBelow => {}
            }
        }
        Ok(None)
    }

    fn in_layer(&self, top: &Directory, names: &VecDeque<OsString>) -> Result<Found> {
        let mut entered: Option<Directory> = None;
        let mut cut = false;
        for (index, name) in names.iter().enumerate() {
            let here = entered.as_ref().unwrap_or(top);
            let Some(inode) = here.inode_if_there(name)? else {
                return Ok(if cut { Found::Nowhere } else { Found::PerhapsBelow });
            };
            let kind = inode.status.kind;
            if is_whiteout(&inode.status) {
                return Ok(Found::Nowhere);
            }
            let is_last = index + 1 == names.len();
            if kind != Kind::Directory {
                let target = if kind == Kind::Link { Some(here.readlink(name)?) } else { None };
                let below = Below { kind, target, attire: None };
                return Ok(if is_last { Found::Here(below) } else { Found::Nowhere });
            }
            let directory = here.enter(name)?;
            let mut attributes = directory.own_attributes()?;
            cut = cut || attributes.get(&self.marks.name("opaque")).is_some_and(|value| value == b"y");
            if is_last {
                attributes.retain(|name, _| !self.marks.is_own(name));
                let attire = Some(Attire { inode, attributes });
                return Ok(Found::Here(Below { kind, target: None, attire }));
            }
            entered = Some(directory);
        }
        Ok(Found::PerhapsBelow)
    }

    /// Give the directories that were copied up what they wear below. Their times come last.
    pub fn dress_copied(&self) -> Result<()> {
        for (path, Attire { inode, attributes }) in &self.copied {
            file::chown(path, inode.status.uid, inode.status.gid)?;
            file::chmod(path, inode.status.mode)?;
            for (name, value) in attributes {
                inode::set_attribute(path, name, value)?;
            }
        }
        Ok(())
    }
}

/// The path, without a link in it but perhaps at its end, where the member `path` stands in the layer that is this
/// process's root directory; the directories on the way are made. A link on the way leads where it would if the layer
/// were a machine's root directory: an absolute one from the top, and no `..` above it.
///
/// `NotADirectoryInLayer` when something on the way is none, `TooManyLinks` when links lead round.
pub fn place(places: &mut Places<'_>, path: &Path) -> Result<PathBuf> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok("/".into()) };
    let mut here = PathBuf::from("/");
    let mut rest = names(parent);
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        match places.go(&next)? {
            Way::Directory => here = next,
            Way::Link(_) if links == LINKS => {
                let path = path.display().to_string();
                return Err(image_problem(ImageProblem::TooManyLinks { path }));
            }
            Way::Link(target) => {
                links += 1;
                if target.is_absolute() {
                    here = "/".into();
                }
                names(&target).into_iter().rev().for_each(|name| rest.push_front(name));
            }
            Way::Blocked => {
                let path = next.display().to_string();
                return Err(image_problem(ImageProblem::NotADirectoryInLayer { path }));
            }
        }
    }
    Ok(here.join(name))
}

struct Below {
    kind: Kind,
    target: Option<PathBuf>,
    attire: Option<Attire>,
}

enum Found {
    Here(Below),
    /// Neither here nor, for all that is seen from above, below.
    Nowhere,
    PerhapsBelow,
}

/// The names in a path, in order, `..` among them; `/` and `.` are none.
pub fn names(path: &Path) -> VecDeque<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}
