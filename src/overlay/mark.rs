//! The notes that overlayfs keeps in the upper layer: whiteouts, and attributes of the class `overlay`.
//!
//! | note | on | what it says |
//! |---|---|---|
//! | character device 0:0 | any name | *whiteout*: below there may be something of this name; it is not to be seen |
//! | `overlay.opaque` = `y` | a directory | what directories of this name below hold is not to be seen |
//! | `overlay.origin` | anything copied up | from which inode it was copied |
//! | `overlay.redirect` | a directory | below it has another name, this one |
//! | `overlay.metacopy` | a file | only mode, owner and times are here; the contents are still below |
//!
//! The attributes are in the namespace `trusted.`, which only CAP_SYS_ADMIN in the first user namespace may write, or,
//! with the mount option `userxattr`, in `user.`. Kernel: fs/overlayfs/overlayfs.h, `enum ovl_xattr`.

use super::Layers;
use crate::error::Result;
use crate::sys::file::{Kind, Status};
use crate::sys::inode;
use std::path::Path;

/// The notes of one overlay, by the namespace of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    namespace: &'static str,
}

impl Marks {
    /// Those of an overlay that is mounted with, or without, `userxattr`.
    pub fn new(userxattr: bool) -> Self {
        Self { namespace: if userxattr { "user" } else { "trusted" } }
    }

    /// Those of the overlay of `layers`.
    pub fn of(layers: &Layers) -> Self {
        Self::new(layers.userxattr)
    }

    /// The full name of the attribute `note`: `trusted.overlay.opaque`.
    pub fn name(self, note: &str) -> String {
        format!("{}.overlay.{note}", self.namespace)
    }

    /// Whether the attribute `name` is one of overlayfs's own, and so means nothing outside this upper layer.
    pub fn is_own(self, name: &str) -> bool {
        name.strip_prefix(self.namespace).is_some_and(|rest| rest.starts_with(".overlay."))
    }

    /// Whether the directory at `path` hides those of its name below.
    pub fn is_opaque(self, path: &Path) -> Result<bool> {
        Ok(inode::attribute(path, &self.name("opaque"))?.as_deref() == Some(b"y"))
    }

    /// Let the directory at `path` hide those of its name below.
    pub fn make_opaque(self, path: &Path) -> Result<()> {
        inode::set_attribute(path, &self.name("opaque"), b"y")
    }

    /// Whether what stands at `path` was copied up from a layer below.
    pub fn is_copied(self, path: &Path) -> Result<bool> {
        Ok(inode::attribute(path, &self.name("origin"))?.is_some())
    }

    /// The name that the directory at `path` has below, where that is another: from the overlay's root with a leading
    /// `/`, else beside it.
    pub fn redirect(self, path: &Path) -> Result<Option<String>> {
        let note = inode::attribute(path, &self.name("redirect"))?;
        Ok(note.map(|note| String::from_utf8_lossy(&note).into_owned()))
    }

    /// Whether the file system of `path` can keep the attributes at all: a tmpfs keeps `user.` since Linux 6.6.
    pub fn are_kept(self, path: &Path) -> Result<bool> {
        inode::keeps_attribute(path, &self.name("opaque"))
    }
}

/// Whether this is a whiteout: a character device with the number 0:0, which no driver has.
pub fn is_whiteout(status: &Status) -> bool {
    status.kind == Kind::Character && status.device == (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_of_the_notes_follows_the_mount_option() {
        let (root, user) = (Marks::new(false), Marks::new(true));
        assert_eq!(
            (root.name("opaque"), user.name("x")),
            ("trusted.overlay.opaque".into(), "user.overlay.x".into())
        );
        assert!(
            user.is_own("user.overlay.origin") && !user.is_own("user.overlay") && !user.is_own("user.note")
        );
        assert!(!root.is_own("user.overlay.origin"));
    }
}
