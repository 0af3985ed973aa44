//! Removing a directory and all below it: unlinkat(2), openat(2), getdents64(2), fchmod(2).
//!
//! What a container wrote is removed by this, and it may have written anything: directories nested deeper than a
//! path can be long (`PATH_MAX`), directories in which their owner may not write, links that lead out. So each name
//! is asked for in its own directory, which is open; links are never followed; and there is only one descriptor,
//! which goes down by a name and up by `..`.

use super::errno::{EACCES, EEXIST, ENOENT, ENOTEMPTY};
use super::file::{self, HERE};
use super::flags::{self, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH};
use super::{Call, ask};
use crate::error::{Error, Problem, Result};
use nix::dir::{Dir, Type};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag};
use nix::unistd::UnlinkatFlags;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Remove a directory and all below it, never following a link. What is already gone is fine.
///
/// As deep as the directories go, this takes one descriptor and no more of the stack. A directory whose mode forbids
/// its owner to remove what is in it is given another: overlay's own `work/work` has mode 000.
pub fn remove_all(path: &Path) -> Result<()> {
    if gone(file::rmdir(path))? {
        return Ok(());
    }
    let here = enter(HERE, path.as_os_str(), path)?;
    Walk { top: path, path: path.to_owned(), here, above: Vec::new() }.empty()?;
    file::rmdir(path)
}

/// Whether a directory is gone after `rmdir` answered this; it is not when there is something in it.
fn gone(answer: Result<()>) -> Result<bool> {
    match answer {
        Err(error) if error.is(ENOTEMPTY) || error.is(EEXIST) => Ok(false),
        Err(error) if error.is(ENOENT) => Ok(true),
        answer => answer.map(|()| true),
    }
}

/// Whether there is nothing in an open directory, whose name is `path`.
pub fn is_empty(directory: BorrowedFd<'_>, path: &Path) -> Result<bool> {
    Ok(list(directory, path)?.is_empty())
}

/// The names in an open directory, whose name is `path`, sorted, and whether each is a directory.
pub(super) fn list(directory: BorrowedFd<'_>, path: &Path) -> Result<Vec<(OsString, bool)>> {
    ask(Call::Getdents { path }, || names_in(directory))
}

/// The names in a directory, and whether each is a directory.
type Names = std::vec::IntoIter<(OsString, bool)>;

/// A directory that the walk has left downwards.
struct Above {
    /// By this it is known again.
    identity: (u64, u64),
    /// What is still to be removed from it.
    names: Names,
}

/// The way through the tree.
struct Walk<'a> {
    /// The tree's root.
    top: &'a Path,
    /// The name of the directory it is in, for people: the kernel may find it too long.
    path: PathBuf,
    /// That directory.
    here: OwnedFd,
    /// The directories from the tree's root to this one.
    above: Vec<Above>,
}

impl Walk<'_> {
    /// Remove all that is in the directory it is in, and stand there again.
    fn empty(&mut self) -> Result<()> {
        let mut names = self.list()?;
        loop {
            let Some((name, is_directory)) = names.next() else {
                let Some(above) = self.above.pop() else { return Ok(()) };
                self.leave(above.identity)?;
                names = above.names;
                continue;
            };
            if self.remove(&name, is_directory)? {
                continue;
            }
            let below = enter(self.here.as_fd(), &name, &self.shown(&name))?;
            self.above.push(Above { identity: self.identity()?, names });
            self.here = below;
            self.path.push(&name);
            names = self.list()?;
        }
    }

    /// Go up, and remove the directory it was in. On entry that is empty.
    ///
    /// Whoever moved it meanwhile, with the walk in it, would have the wrong files removed: it goes on only in the
    /// directory that it came from.
    fn leave(&mut self, identity: (u64, u64)) -> Result<()> {
        self.here = self.allowed(|| open_at(self.here.as_fd(), OsStr::new(".."), &self.shown("..")))?;
        let name = self.path.file_name().unwrap_or_default().to_owned();
        self.path.pop();
        if self.identity()? != identity {
            return Err(Error::new(Problem::StateUnusable { path: self.top.display().to_string() }));
        }
        self.allowed(|| file::if_there(remove_at(self.here.as_fd(), &name, true, &self.shown(&name))))?;
        Ok(())
    }

    /// Remove a name of the directory it is in. `false` if that is a directory with something in it.
    fn remove(&self, name: &OsStr, is_directory: bool) -> Result<bool> {
        self.allowed(|| gone(remove_at(self.here.as_fd(), name, is_directory, &self.shown(name))))
    }

    /// Ask for something in the directory it is in; once more, with all rights, if its mode forbids that.
    fn allowed<T>(&self, request: impl Fn() -> Result<T>) -> Result<T> {
        match request() {
            Err(error) if error.is(EACCES) => {
                let path = &self.shown("");
                ask(Call::Chmod { path, mode: 0o700 }, || nix::sys::stat::fchmod(&self.here, Mode::S_IRWXU))?;
                request()
            }
            answer => answer,
        }
    }

    fn identity(&self) -> Result<(u64, u64)> {
        Ok(file::descriptor_status(self.here.as_fd(), &self.shown(""))?.identity)
    }

    fn list(&self) -> Result<Names> {
        Ok(list(self.here.as_fd(), &self.shown(""))?.into_iter())
    }

    /// The path of `name` in the directory it is in, for people. One that nobody could use for its length has `...`
    /// in the middle.
    fn shown(&self, name: impl AsRef<Path>) -> PathBuf {
        let name = name.as_ref();
        let too_long = self.path.as_os_str().len() + name.as_os_str().len() >= libc::PATH_MAX as usize;
        let directory = if too_long { self.top.join("...") } else { self.path.clone() };
        if name.as_os_str().is_empty() { directory } else { directory.join(name) }
    }
}

/// Open the directory `name` of `directory`, with a mode that lets its owner read it. `path` is for people.
fn enter(directory: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<OwnedFd> {
    match open_at(directory, name, path) {
        Err(error) if error.is(EACCES) => {
            chmod_at(directory, name, path)?;
            open_at(directory, name, path)
        }
        answer => answer,
    }
}

fn open_at(directory: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<OwnedFd> {
    let bits = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    ask(Call::Open { path, flags: flags::open(bits) }, || open(directory, name, bits))
}

fn open(directory: BorrowedFd<'_>, name: &OsStr, bits: u64) -> nix::Result<OwnedFd> {
    nix::fcntl::openat(directory, name, OFlag::from_bits_retain(bits as i32), Mode::empty())
}

/// Give the directory `name` all rights for its owner. fchmodat(2) would follow a link, and fchmod(2) wants a
/// descriptor that may read; `/proc` leads to the very file that any descriptor is of.
fn chmod_at(directory: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<()> {
    ask(Call::Chmod { path, mode: 0o700 }, || {
        let itself = open(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)?;
        let link = format!("/proc/self/fd/{}", itself.as_raw_fd());
        nix::sys::stat::fchmodat(HERE, link.as_str(), Mode::S_IRWXU, FchmodatFlags::FollowSymlink)
    })
}

fn remove_at(directory: BorrowedFd<'_>, name: &OsStr, is_directory: bool, path: &Path) -> Result<()> {
    let (call, flag) = match is_directory {
        true => (Call::Rmdir { path }, UnlinkatFlags::RemoveDir),
        false => (Call::Unlink { path }, UnlinkatFlags::NoRemoveDir),
    };
    ask(call, || nix::unistd::unlinkat(directory, name, flag))
}

/// The names in an open directory, sorted, without `.` and `..`, and whether each is a directory.
pub(super) fn names_in(directory: BorrowedFd<'_>) -> nix::Result<Vec<(OsString, bool)>> {
    let own = directory.try_clone_to_owned().map_err(|_| nix::errno::Errno::EMFILE)?;
    let mut names = Vec::new();
    for entry in Dir::from_fd(own)?.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        // Some file systems do not say it in the directory.
        let is_directory = match entry.file_type() {
            Some(kind) => kind == Type::Directory,
            None => {
                let status = nix::sys::stat::fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
                status.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits()
            }
        };
        names.push((name.to_owned(), is_directory));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// Make directories one in another, `depth` of them with a name of `length` letters, and a file in the last.
    fn nest(top: &Path, depth: usize, length: usize) {
        let name = OsString::from("d".repeat(length));
        let all = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut here = nix::fcntl::open(top, all, Mode::empty()).expect("opened");
        for _ in 0..depth {
            nix::sys::stat::mkdirat(&here, name.as_os_str(), Mode::S_IRWXU).expect("made");
            here = nix::fcntl::openat(&here, name.as_os_str(), all, Mode::empty()).expect("opened");
        }
        let flags = OFlag::O_CREAT | OFlag::O_CLOEXEC;
        nix::fcntl::openat(&here, "file", flags, Mode::S_IRWXU).expect("made");
    }

    fn top() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let top = directory.path().join("top");
        std::fs::create_dir(&top).expect("made");
        (directory, top)
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        for (depth, length) in [(60, 90), (3000, 1)] {
            let (_directory, top) = top();
            nest(&top, depth, length);
            assert_eq!(remove_all(&top), Ok(()));
            assert!(!top.exists());
            assert_eq!(remove_all(&top), Ok(()), "gone already");
        }
    }

    #[test]
    fn a_link_is_removed_and_not_what_it_leads_to() {
        let (directory, top) = top();
        let kept = directory.path().join("kept");
        std::fs::create_dir_all(kept.join("below")).expect("made");
        std::fs::create_dir(top.join("real")).expect("made");
        for link in ["link", "real/link"] {
            symlink(&kept, top.join(link)).expect("made");
        }
        assert_eq!(remove_all(&top), Ok(()));
        assert!(!top.exists() && kept.join("below").is_dir());
        symlink(&kept, &top).expect("made");
        assert!(remove_all(&top).is_err(), "a link is no directory");
        assert!(kept.join("below").is_dir());
    }

    /// Root may do all this whatever the modes are; another user may not.
    #[test]
    fn modes_and_names_are_no_obstacle() {
        let (_directory, top) = top();
        let strange = top.join(OsStr::from_bytes(b"\xffx"));
        std::fs::create_dir(&strange).expect("made");
        for mode in [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600] {
            let directory = strange.join(format!("{mode:o}"));
            std::fs::create_dir_all(directory.join("below/deep")).expect("made");
            std::fs::write(directory.join("file"), "x").expect("written");
            for each in [directory.join("below"), directory] {
                std::fs::set_permissions(each, PermissionsExt::from_mode(mode)).expect("changed");
            }
        }
        std::fs::set_permissions(&strange, PermissionsExt::from_mode(0o400)).expect("changed");
        std::fs::set_permissions(&top, PermissionsExt::from_mode(0o000)).expect("changed");
        assert_eq!(remove_all(&top), Ok(()));
        assert!(!top.exists());
    }

    #[test]
    fn whoever_moves_the_walk_elsewhere_has_nothing_removed() {
        let (directory, top) = top();
        let elsewhere = directory.path().join("elsewhere");
        std::fs::create_dir_all(top.join("a")).expect("made");
        std::fs::create_dir_all(elsewhere.join("b")).expect("made");
        let here = enter(HERE, top.as_os_str(), &top).expect("opened");
        let mut walk = Walk { top: &top, path: top.clone(), here, above: Vec::new() };
        let identity = walk.identity().expect("an identity");
        walk.here = enter(walk.here.as_fd(), OsStr::new("a"), &top).expect("opened");
        walk.path.push("a");
        std::fs::rename(top.join("a"), elsewhere.join("a")).expect("moved");
        assert!(walk.leave(identity).is_err());
        assert!(elsewhere.join("a").is_dir() && elsewhere.join("b").is_dir());
    }

    #[test]
    fn a_long_path_is_told_short() {
        let (_directory, top) = top();
        let here = enter(HERE, top.as_os_str(), &top).expect("opened");
        let mut walk = Walk { top: &top, path: top.clone(), here, above: Vec::new() };
        assert_eq!((walk.shown(""), walk.shown("a")), (top.clone(), top.join("a")));
        walk.path.push("d/".repeat(3000));
        assert_eq!(walk.shown("a"), top.join(".../a"));
    }
}
