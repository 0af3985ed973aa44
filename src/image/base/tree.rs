//! A file tree as a plan: first everything is decided, then everything is written.

use super::host::{Found, Host};
use crate::error::Result;
use crate::sys::errno::{EINVAL, EPERM};
use crate::sys::file::{self, Kind};
use crate::sys::identity;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// One thing to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory; `owner` is its user and group.
    Directory { mode: u32, owner: u32 },
    /// A copy of the host's file `from`, as this process reaches it. `host_mode` is the mode that it has there.
    Copy { from: PathBuf, mode: u32, host_mode: u32 },
    /// A file with these contents.
    Text { contents: String },
    /// A symbolic link.
    Link { target: PathBuf },
}

/// What is to stand where, by paths relative to the tree's root. What was said first stays: a path that is
/// already taken is left as it is.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order of their paths, so that a directory comes before what is in it.
    entries: BTreeMap<PathBuf, Entry>,
    /// Which file of the host (device, inode) is copied where.
    copies: HashMap<(u64, u64), PathBuf>,
}

impl Tree {
    /// A directory of root's, and those above it.
    pub fn directory(&mut self, path: &Path, mode: u32) {
        self.add(path, Entry::Directory { mode, owner: 0 });
    }

    /// The home directory of the user `owner`.
    pub fn home(&mut self, path: &Path, owner: u32) {
        self.add(path, Entry::Directory { mode: 0o755, owner });
    }

    /// A file with these contents.
    pub fn text(&mut self, path: &Path, contents: impl Into<String>) {
        self.add(path, Entry::Text { contents: contents.into() });
    }

    /// A symbolic link that says `target`.
    pub fn link(&mut self, path: &Path, target: &Path) {
        self.add(path, Entry::Link { target: target.to_owned() });
    }

    /// The host's file at `path`, under its real path and under this one. Says whether there is such a file.
    pub fn bring(&mut self, host: &Host, path: &Path) -> Result<bool> {
        let Some(found) = host.find(path)?.filter(|found| found.status.kind == Kind::File) else {
            return Ok(false);
        };
        self.bring_as(host, &found, &host.place(path)?);
        Ok(true)
    }

    /// The file `found`, under its real path, and a link at `name` that leads to it.
    pub fn bring_as(&mut self, host: &Host, found: &Found, name: &Path) {
        self.copy(host, found);
        if name != found.path {
            self.link(name, &target(name, &found.path));
        }
    }

    /// The host's directory at `path` with all that is in it, provided that this takes at most `most` bytes.
    /// Says whether it was brought.
    pub fn bring_directory(&mut self, host: &Host, path: &Path, most: u64) -> Result<bool> {
        let mut files = Vec::new();
        let size = gather(host, path, &mut files)?;
        if files.is_empty() || size > most {
            return Ok(false);
        }
        for path in files {
            self.bring(host, &path)?;
        }
        Ok(true)
    }

    /// A copy of `found` at its real path. A program with several names by hard links is copied once.
    fn copy(&mut self, host: &Host, found: &Found) {
        let first = self.copies.entry(found.status.identity).or_insert_with(|| found.path.clone()).clone();
        if first != found.path {
            return self.link(&found.path, &target(&found.path, &first));
        }
        // Set-user-id bits stay behind; what may be executed may be by everybody.
        let mode = if found.status.mode & 0o111 == 0 { 0o644 } else { 0o755 };
        let from = host.reach(&found.path);
        self.add(&found.path, Entry::Copy { from, mode, host_mode: found.status.mode });
    }

    fn add(&mut self, path: &Path, entry: Entry) {
        if path.as_os_str().is_empty() || self.entries.contains_key(path) {
            return;
        }
        if let Some(parent) = path.parent() {
            self.directory(parent, 0o755);
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// Make all of it below the empty directory `root`.
    pub fn write(&self, root: &Path) -> Result<()> {
        self.entries.iter().try_for_each(|(path, entry)| entry.make(&root.join(path)))
    }

    /// What is planned for `path`.
    #[cfg(test)]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(Path::new(path))
    }
}

impl Entry {
    /// Make it at `path`. Modes are set by chmod(2), since the person's umask takes part in the others.
    fn make(&self, path: &Path) -> Result<()> {
        match self {
            Entry::Directory { mode, owner } => {
                file::mkdir(path, *mode)?;
                file::chmod(path, *mode)?;
                give(path, *owner)
            }
            Entry::Copy { from, mode, host_mode } => {
                file::copy(from, path)?;
                if mode == host_mode { Ok(()) } else { file::chmod(path, *mode) }
            }
            Entry::Text { contents } => {
                file::write_new(path, contents, 0o644)?;
                file::chmod(path, 0o644)
            }
            Entry::Link { target } => file::symlink(target, path),
        }
    }
}

/// Make `owner` the owner of `path`, where this process is allowed to. An ordinary user owns everything here
/// and appears as root in the container.
fn give(path: &Path, owner: u32) -> Result<()> {
    if owner == 0 || identity::uid() != 0 {
        return Ok(());
    }
    match file::chown(path, owner, owner) {
        // Root of a user namespace in which `owner` has no mapping.
        Err(error) if error.is(EINVAL) || error.is(EPERM) => Ok(()),
        answer => answer,
    }
}

/// What a link at `link` must say to lead to `file`: its name alone if that is in the same directory.
fn target(link: &Path, file: &Path) -> PathBuf {
    match file.file_name() {
        Some(name) if link.parent() == file.parent() => name.into(),
        _ => Path::new("/").join(file),
    }
}

/// Add the files below the host's directory `path` to `files`, and tell their size.
fn gather(host: &Host, path: &Path, files: &mut Vec<PathBuf>) -> Result<u64> {
    let Some(found) = host.find(path)? else { return Ok(0) };
    match found.status.kind {
        Kind::File => {
            files.push(path.to_owned());
            Ok(found.status.size)
        }
        Kind::Directory => {
            let names = file::list(&host.reach(&found.path))?;
            names.iter().try_fold(0, |size, (name, _)| Ok(size + gather(host, &path.join(name), files)?))
        }
        _ => Ok(0),
    }
}
