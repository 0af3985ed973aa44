//! The union file system: read-only layers below, one writable layer on top, seen as one tree.
//!
//! Kernel: fs/overlayfs; documentation: Documentation/filesystems/overlayfs.rst.

use crate::error::{Meaning, Problem, Result};
use crate::sys::errno::{EINVAL, ENODEV};
use crate::sys::remove::remove_all;
use crate::sys::{file, mount};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
}

impl Layers {
    /// The options of the mount, as after `mount -t overlay overlay -o`.
    ///
    /// A comma or colon in a path would be read as a separator, so both are escaped by a backslash.
    pub fn options(&self) -> String {
        let escape = |path: &PathBuf| {
            let text = path.to_string_lossy();
            text.replace('\\', "\\\\").replace(',', "\\,").replace(':', "\\:")
        };
        let lower: Vec<String> = self.lower.iter().map(escape).collect();
        let mut options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.join(":"),
            escape(&self.upper),
            escape(&self.work)
        );
        for (wanted, option) in [(self.volatile, ",volatile"), (self.userxattr, ",userxattr")] {
            if wanted {
                options.push_str(option);
            }
        }
        options
    }
}

/// Make the directories that the overlay writes to; the layers below are there already.
pub fn make_directories(layers: &Layers) -> Result<()> {
    file::mkdir(&layers.upper, 0o755)?;
    file::mkdir(&layers.work, 0o700)?;
    file::mkdir(&layers.merged, 0o755)
}

/// Mount the overlay on `layers.merged`.
///
/// On entry the process stands in the container's own mount namespace, with private propagation: the mount
/// is seen by nobody outside and dies with the container's last process.
pub fn mount(layers: &Layers) -> Result<()> {
    match mount::mount("overlay", &layers.merged, "overlay", 0, Some(&layers.options())) {
        Err(error) if error.is(ENODEV) => Err(error).meaning(|| Problem::NoOverlay),
        // The options are those that every kernel we run on knows, so it is the upper file system that will not do.
        Err(error) if error.is(EINVAL) => {
            Err(error).meaning(|| Problem::StateOnOverlay { path: layers.upper.display().to_string() })
        }
        answer => answer,
    }
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
    }
}
