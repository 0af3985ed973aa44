//! How many bytes the files of a tree have: each file once, whatever number of names it has.

use crate::error::Result;
use crate::sys::file::Kind;
use crate::sys::within::Directory;
use std::collections::HashSet;
use std::path::Path;

/// The bytes of all files below the directory `top`, which may be another's at work: what vanishes meanwhile does not
/// count.
pub fn bytes(top: &Path) -> Result<u64> {
    below(&Directory::open(top)?, &mut HashSet::new())
}

fn below(directory: &Directory, seen: &mut HashSet<(u64, u64)>) -> Result<u64> {
    let mut sum = 0;
    for (name, _) in directory.list()? {
        let Some(inode) = directory.inode_if_there(&name)? else { continue };
        match inode.status.kind {
            Kind::Directory => sum += below(&directory.enter(&name)?, seen)?,
            Kind::File if inode.links == 1 || seen.insert(inode.status.identity) => sum += inode.status.size,
            _ => {}
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_two_names_counts_once() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("d")).unwrap();
        std::fs::write(top.path().join("d/a"), "12345").unwrap();
        std::fs::write(top.path().join("b"), "1").unwrap();
        std::fs::hard_link(top.path().join("d/a"), top.path().join("c")).unwrap();
        assert_eq!(bytes(top.path()).unwrap(), 6);
    }
}
