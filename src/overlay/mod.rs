//! The union file system: read-only layers below, one writable layer on top, seen as one tree.
//!
//! Kernel: fs/overlayfs; documentation: Documentation/filesystems/overlayfs.rst.
//!
//! - this file: mounting
//! - `mark`: how overlayfs notes in the upper layer what the union is to look like
//! - `view`: the layers and the union, name by name, and what became of each name
//! - `diff`: what differs between the upper layer and those below
//! - `tree`: all of a directory as values, read and written back
//! - `layer`: an upper layer in the form in which images are handed on, and back
//! - `pack`: an upper layer in that form, or a whole tree, written as a stream
//! - `carry`: files copied from one root file system to another
//! - `ustar`: that form as one stream of bytes, as tar(1) writes it

pub mod carry;
pub mod diff;
pub mod layer;
pub mod mark;
pub mod pack;
pub mod size;
pub mod tree;
pub mod ustar;
pub mod view;

use crate::error::{Meaning, Problem, Result};
use crate::sys::errno::{EEXIST, EINVAL, ENODEV};
use crate::sys::remove::remove_all;
use crate::sys::{file, mount};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The directories that an overlay unites.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Layers {
    /// The read-only layers, the topmost first: the first that has a name wins. At least one.
    pub lower: Vec<PathBuf>,
    /// Where every change lands: new files, copies of changed ones, and whiteouts of deleted ones.
    pub upper: PathBuf,
    /// The kernel's workshop: empty, on the same file system as `upper`, from which finished copies are renamed.
    pub work: PathBuf,
    /// Where the united tree is seen.
    pub merged: PathBuf,
    /// Do not wait for the disk at unmount: right for an upper layer that is about to be deleted.
    pub volatile: bool,
    /// Keep the overlay's own marks in `user.overlay.*` attributes, since `trusted.*` needs a right that no
    /// user namespace gives (Linux 5.11).
    pub userxattr: bool,
    /// Whether a directory of a layer below may be renamed, by a note of where its contents are. `None` leaves it to
    /// the kernel's default; with `userxattr` it is always forbidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_dir: Option<bool>,
    /// Whether a file is copied only when its contents change, not when its mode or owner does. `None` as above; with
    /// `userxattr` it never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metacopy: Option<bool>,
}

impl Layers {
    /// The options of the mount, as after `mount -t overlay overlay -o`.
    ///
    /// A comma or colon in a path would be read as a separator, so both are escaped by a backslash.
    pub fn options(&self) -> String {
        let (upper, work) = (escape(&self.upper), escape(&self.work));
        let mut options = format!("{},upperdir={upper},workdir={work}", self.lower_option());
        let chosen = [
            (self.volatile, ",volatile"),
            (self.userxattr, ",userxattr"),
            (self.redirect_dir == Some(true), ",redirect_dir=on"),
            (self.redirect_dir == Some(false), ",redirect_dir=off"),
            (self.metacopy == Some(true), ",metacopy=on"),
            (self.metacopy == Some(false), ",metacopy=off"),
        ];
        chosen.iter().filter(|(wanted, _)| *wanted).for_each(|(_, option)| options.push_str(option));
        options
    }

    /// The options of a mount without an upper layer.
    pub fn read_only_options(&self) -> String {
        self.lower_option() + if self.userxattr { ",userxattr" } else { "" }
    }

    fn lower_option(&self) -> String {
        let lower: Vec<String> = self.lower.iter().map(|path| escape(path)).collect();
        format!("lowerdir={}", lower.join(":"))
    }
}

/// A path in an option's value, where a comma and a colon would separate.
fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace(',', "\\,").replace(':', "\\:")
}

/// Make the directories that the overlay writes to; the layers below are there already. The upper layer of a container
/// that has run before stays as it is. On entry there is no `work`, or an empty one: see [`remove_work`].
pub fn make_directories(layers: &Layers) -> Result<()> {
    for (directory, mode) in [(&layers.upper, 0o755), (&layers.work, 0o700), (&layers.merged, 0o755)] {
        match file::mkdir(directory, mode) {
            Err(error) if error.is(EEXIST) => {}
            answer => answer?,
        }
    }
    Ok(())
}

/// Mount the overlay on `layers.merged`.
///
/// On entry the process stands in the container's own mount namespace, with private propagation: the mount
/// is seen by nobody outside and dies with the container's last process.
pub fn mount(layers: &Layers) -> Result<()> {
    understood(layers, mount::mount("overlay", &layers.merged, "overlay", 0, Some(&layers.options())))
}

/// The answer to a mount of `layers`, by whomever it was made, with what a refusal means.
pub fn understood(layers: &Layers, answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if error.is(ENODEV) => Err(error).meaning(|| Problem::NoOverlay),
        // The options are those that every kernel we run on knows, so it is the upper file system that will not do.
        Err(error) if error.is(EINVAL) => {
            Err(error).meaning(|| Problem::StateOnOverlay { path: layers.upper.display().to_string() })
        }
        answer => answer,
    }
}

/// Mount only the layers below, on `layers.merged`: there is no layer that could be written to, and every change is
/// refused with `EROFS`. The kernel wants at least two layers for it, `EINVAL`.
pub fn mount_read_only(layers: &Layers) -> Result<()> {
    mount::mount("overlay", &layers.merged, "overlay", 0, Some(&layers.read_only_options()))
}

/// Unmount the overlay from `layers.merged`. The layers stay, and can be mounted again.
pub fn unmount(layers: &Layers) -> Result<()> {
    mount::detach(&layers.merged)
}

/// Take away what the kernel leaves in `work`, and `work` itself: on entry the overlay is unmounted everywhere.
///
/// It leaves an empty `work/work`; and for a volatile overlay also the mark `incompat/volatile/dirty` in it,
/// which forbids mounting the same upper directory again, since nobody knows what reached the disk.
pub fn remove_work(layers: &Layers) -> Result<()> {
    let inner = layers.work.join("work");
    let mark = inner.join("incompat/volatile");
    if layers.volatile && file::remove_file(&mark.join("dirty")).is_ok() {
        for directory in [mark.as_path(), &inner.join("incompat"), &inner] {
            remove_all(directory)?;
        }
    }
    remove_all(&layers.work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_paths_are_escaped() {
        let layers =
            Layers { lower: vec!["/a:b".into(), "/c".into()], upper: "/u,v".into(), ..Layers::default() };
        assert_eq!(layers.options(), r"lowerdir=/a\:b:/c,upperdir=/u\,v,workdir=");
        assert_eq!(layers.read_only_options(), r"lowerdir=/a\:b:/c");
        let chosen = Layers { redirect_dir: Some(true), metacopy: Some(true), ..Layers::default() };
        assert_eq!(chosen.options(), "lowerdir=,upperdir=,workdir=,redirect_dir=on,metacopy=on");
    }
}
