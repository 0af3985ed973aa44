//! One member of a layer after another becomes a name in the layer's directory.
//!
//! The names of whiteouts are not made as they come: what they hide is below, whatever else the layer has under that name
//! and in whatever order. So they are kept, and become overlay's marks at the end.
//!
//! A device node that may not be made, as in a user namespace, becomes an empty file. Attributes are taken over where they
//! mean the same in every layer: `user.*`, and the capabilities of a file.

use super::super::store::{failed, image_problem};
use super::place::Places;
use super::{Member, Steps};
use crate::error::{ImageProblem, Result};
use crate::overlay::mark::{Marks, is_whiteout};
use crate::overlay::ustar::{Entry, EntryKind};
use crate::sys::errno::{EINVAL, ENOENT, EOPNOTSUPP, EPERM};
use crate::sys::file::{self, Kind};
use crate::sys::inode;
use crate::sys::remove::remove_all;
use crate::sys::stream::Stream;
use crate::sys::within::Directory;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most names, and the most bytes, that one layer may have.
const MOST_ENTRIES: u64 = 1_000_000;
const MOST_BYTES: u64 = 64 << 30;

/// Applies members to this process's root directory.
pub struct Applier<'a> {
    places: Places<'a>,
    steps: &'a Steps,
    marks: Marks,
    /// Whether files get the owners that they have in the archive.
    owners: bool,
    size: u64,
    entries: u64,
    /// The times of directories: what is made in one changes its time, so they come last.
    times: Vec<(PathBuf, (i64, i64))>,
    hidden: Vec<PathBuf>,
    opaque: Vec<PathBuf>,
}

impl<'a> Applier<'a> {
    /// Nothing has been applied on top of `below`.
    pub fn new(below: &'a [Directory], marks: Marks, owners: bool, steps: &'a Steps) -> Self {
        let places = Places::new(below, marks);
        let (times, hidden, opaque) = Default::default();
        Self { places, steps, marks, owners, size: 0, entries: 0, times, hidden, opaque }
    }

    /// Apply one member, whose contents `contents` gives.
    pub fn apply(&mut self, entry: Entry, contents: &mut impl Read) -> Result<()> {
        self.count(&entry)?;
        match (self.steps.member)(&entry.path)? {
            Member::Top => return self.top(&entry),
            Member::Node => return self.make(&entry, contents),
            Member::Whiteout(gone) => self.hidden.push(gone),
            Member::Opaque => self.opaque.push(entry.path),
            Member::Foreign => {}
        }
        Ok(())
    }

    /// Where `path` stands.
    fn place(&mut self, path: &Path) -> Result<PathBuf> {
        (self.steps.place)(&mut self.places, path)
    }

    fn count(&mut self, entry: &Entry) -> Result<()> {
        self.entries += 1;
        if let EntryKind::File(size) = entry.kind {
            self.size = self.size.saturating_add(size);
        }
        if self.entries > MOST_ENTRIES || self.size > MOST_BYTES {
            let (entries, bytes) = (self.entries, self.size);
            return Err(image_problem(ImageProblem::LayerTooLarge { entries, bytes }));
        }
        Ok(())
    }

    /// The layer's own directory.
    fn top(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != EntryKind::Directory {
            return Err(image_problem(ImageProblem::NotADirectoryInLayer { path: "/".to_owned() }));
        }
        self.times.push(("/".into(), entry.modified));
        self.dress(Path::new("/"), entry)
    }

    fn make(&mut self, entry: &Entry, contents: &mut impl Read) -> Result<()> {
        let path = self.place(&entry.path)?;
        let is_directory = entry.kind == EntryKind::Directory;
        if let Some(status) = file::if_there(file::link_status(&path))? {
            if !is_directory || status.kind != Kind::Directory {
                self.forget(&path);
                if status.kind == Kind::Directory { remove_all(&path)? } else { file::unlink(&path)? }
            }
        }
        match &entry.kind {
            EntryKind::Directory => file::mkdir_all(&path, 0o700)?,
            EntryKind::File(_) => {
                io::copy(contents, &mut Stream::create(&path, 0o600)?).map_err(failed)?;
            }
            EntryKind::Link(target) => file::symlink(target, &path)?,
            EntryKind::Pipe => inode::mkfifo(&path, 0o600)?,
            EntryKind::Same(first) => return self.link(first, &path),
            EntryKind::Character(0, 0) => {
                return Err(image_problem(ImageProblem::ReservedName { path: shown(&entry.path) }));
            }
            EntryKind::Character(major, minor) => device(&path, false, (*major, *minor))?,
            EntryKind::Block(major, minor) => device(&path, true, (*major, *minor))?,
        }
        self.dress(&path, entry)?;
        match is_directory {
            true => {
                self.places.copied.retain(|(copied, _)| *copied != path);
                self.times.push((path, entry.modified));
                Ok(())
            }
            false => inode::set_modified(&path, entry.modified),
        }
    }

    /// Nothing that was noted of `path`, and of what is in it, is true any more.
    fn forget(&mut self, path: &Path) {
        self.times.retain(|(noted, _)| !noted.starts_with(path));
        self.places.copied.retain(|(copied, _)| !copied.starts_with(path));
    }

    /// Another name for a file of this layer.
    fn link(&mut self, first: &Path, path: &Path) -> Result<()> {
        let from = self.place(first)?;
        match inode::link(&from, path) {
            Err(error) if error.is(ENOENT) || error.is(EPERM) => {
                let (path, first) = (shown(path), shown(first));
                Err(error.meaning(crate::error::Problem::Image(ImageProblem::LinkToNothing { path, first })))
            }
            answer => answer,
        }
    }

    /// Owner, mode and attributes, in this order: a new owner takes set-user-id and capabilities away.
    fn dress(&self, path: &Path, entry: &Entry) -> Result<()> {
        let (uid, gid) = entry.owner;
        if self.owners {
            match file::chown(path, uid, gid) {
                Err(error) if error.is(EINVAL) => {
                    let path = shown(path);
                    return Err(error.meaning(crate::error::Problem::Image(ImageProblem::OwnerNotMapped {
                        path,
                        uid,
                        gid,
                    })));
                }
                answer => answer?,
            }
        }
        let is_link = matches!(entry.kind, EntryKind::Link(_));
        if !is_link {
            file::chmod(path, entry.mode)?;
        }
        for (name, value) in entry.attributes.iter().filter(|(name, _)| is_taken_over(name)) {
            match inode::set_attribute(path, name, value) {
                // Some file systems have none, and only files and directories have those of users.
                Err(error) if error.is(EOPNOTSUPP) => {}
                Err(error)
                    if error.is(EPERM)
                        && !matches!(entry.kind, EntryKind::File(_) | EntryKind::Directory) => {}
                answer => answer?,
            }
        }
        Ok(())
    }

    /// The marks of overlay, and what had to wait for them. The bytes and names of the layer, and whether it depends on
    /// the layers below.
    pub fn finish(mut self) -> Result<(u64, u64, bool)> {
        for path in std::mem::take(&mut self.opaque) {
            if let Some(directory) = self.place(&path)?.parent() {
                self.marks.make_opaque(directory)?;
            }
        }
        for path in std::mem::take(&mut self.hidden) {
            self.hide(&path)?;
        }
        self.places.dress_copied()?;
        let copied = self.places.copied.iter().map(|(path, attire)| (path.clone(), attire.inode.modified));
        for (path, modified) in copied.chain(self.times) {
            inode::set_modified(&path, modified)?;
        }
        Ok((self.size, self.entries, self.places.borrows))
    }

    /// Hide what the layers below have at `path`. What this layer has there stays.
    fn hide(&mut self, path: &Path) -> Result<()> {
        // Where they have nothing there is nothing to hide; and a mark in a directory that is not united with one below
        // would be seen as a file.
        if !self.places.is_below(&Path::new("/").join(path))? {
            return Ok(());
        }
        // What was a directory there, and is none in this layer, hides all that was in it.
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for directory in above.into_iter().rev() {
            let status = file::if_there(file::link_status(&Path::new("/").join(directory)))?;
            if status.is_some_and(|status| status.kind != Kind::Directory) {
                return Ok(());
            }
        }
        let path = self.place(path)?;
        match file::if_there(file::link_status(&path))? {
            None => file::mknod_character(&path, 0, 0, 0),
            Some(status) if status.kind == Kind::Directory && !is_whiteout(&status) => {
                self.marks.make_opaque(&path)
            }
            Some(_) => Ok(()),
        }
    }
}

/// A device node; where this process may not make one, an empty file in its place.
fn device(path: &Path, block: bool, (major, minor): (u32, u32)) -> Result<()> {
    let made = match block {
        true => inode::mknod_block(path, 0o600, major, minor),
        false => file::mknod_character(path, 0o600, major, minor),
    };
    match made {
        Err(error) if error.is(EPERM) => inode::create(path, b"", 0o600),
        answer => answer,
    }
}

/// Whether an attribute of an archive is set: not the notes of overlayfs, which could lead to other directories, nor
/// what a security module of another machine said.
fn is_taken_over(name: &str) -> bool {
    name == "security.capability" || name.starts_with("user.") && !name.starts_with("user.overlay.")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
