//! The directories of the base image, laid out as the host's are.
//!
//! The copied programs look for their libraries where the host keeps them, so the image follows the host: where
//! `/bin` is a link to `usr/bin` ("merged /usr": Debian, Ubuntu, Fedora, Arch) it is one here, and where it is a
//! directory of its own (older Debian, Alpine) it is that.

use super::host::Host;
use super::tree::Tree;
use crate::error::Result;
use std::path::Path;

/// Directories that are links on some distributions. On Fedora and Arch even `/usr/sbin` is one, to `bin`.
const MAY_BE_LINKS: &str = "bin sbin lib lib32 lib64 libx32 usr/sbin usr/lib32 usr/lib64";

/// Directories that are there wherever the host keeps its programs.
const EVERYWHERE: &str =
    "bin dev etc home lib media mnt opt proc run sbin srv sys usr/bin usr/lib usr/local/bin
    usr/local/sbin usr/sbin usr/share var/cache var/lib var/log";

/// Plan the directories.
pub fn plan(tree: &mut Tree, host: &Host) -> Result<()> {
    for path in MAY_BE_LINKS.split_whitespace().map(Path::new) {
        let Some(says) = host.link(path)? else { continue };
        if let Some(directory) = host.find(path)? {
            tree.directory(&directory.path, 0o755);
            tree.link(path, &says);
        }
    }
    for path in EVERYWHERE.split_whitespace() {
        tree.directory(Path::new(path), 0o755);
    }
    tree.directory(Path::new("root"), 0o700);
    tree.directory(Path::new("tmp"), 0o1777);
    tree.directory(Path::new("var/tmp"), 0o1777);
    tree.link(Path::new("var/run"), Path::new("/run"));
    Ok(())
}
