//! All of a directory as values: each name with its kind, mode, owner, time and attributes. Read, compared, written.
//!
//! The contents of all files are in memory: right for a layer of some MiB.

use crate::error::Result;
use crate::sys::file::{self, Kind};
use crate::sys::inode::{self, Inode};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// One name and all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From the top of the tree, without a leading `/`.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// Permission bits, with set-user-id and their like.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// When it was last changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// Its extended attributes.
    pub attributes: BTreeMap<String, Vec<u8>>,
}

/// What a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A directory.
    Directory,
    /// A regular file of these bytes.
    File(Vec<u8>),
    /// A symbolic link that says this.
    Link(PathBuf),
    /// A pipe with a name.
    Pipe,
    /// A character device: its major and minor number.
    Character(u32, u32),
    /// Another name of the file that stands under this path earlier in the tree.
    Same(PathBuf),
}

/// The longest file that is read: a layer is held in memory.
const LONGEST: u64 = 1 << 30;

/// Labels that the security module of one machine gives, and another does not know.
const LABEL: &str = "security.selinux";

/// Everything below the directory `top`, sorted, so that each directory comes before what is in it. Sockets and block
/// devices are left out, as no image holds any.
pub fn read(top: &Path) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut first_names = HashMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        for (name, kind) in file::list(&top.join(&directory))? {
            let path = directory.join(name);
            let full = top.join(&path);
            let inode = inode::inode(&full)?;
            let Some(what) = what(&full, &inode)? else { continue };
            nodes.push(node(path.clone(), &full, &inode, what)?);
            if kind == Kind::Directory {
                open.push(path);
            }
        }
    }
    nodes.sort_by(|a, b| a.path.cmp(&b.path));
    // Which of its names comes first is known only now.
    for node in nodes.iter_mut().filter(|node| matches!(node.what, What::File(_))) {
        let inode = inode::inode(&top.join(&node.path))?;
        if inode.links > 1 {
            let first = first_names.entry(inode.status.identity).or_insert_with(|| node.path.clone());
            if *first != node.path {
                node.what = What::Same(first.clone());
            }
        }
    }
    Ok(nodes)
}

fn what(full: &Path, inode: &Inode) -> Result<Option<What>> {
    Ok(Some(match inode.status.kind {
        Kind::Directory => What::Directory,
        Kind::File => What::File(file::read(full, LONGEST)?),
        Kind::Link => What::Link(file::readlink(full)?),
        Kind::Pipe => What::Pipe,
        Kind::Character => What::Character(inode.status.device.0, inode.status.device.1),
        Kind::Other => return Ok(None),
    }))
}

fn node(path: PathBuf, full: &Path, inode: &Inode, what: What) -> Result<Node> {
    let mut attributes = BTreeMap::new();
    for name in inode::attribute_names(full)? {
        if let Some(value) = inode::attribute(full, &name)?.filter(|_| name != LABEL) {
            attributes.insert(name, value);
        }
    }
    let status = inode.status;
    let (mode, owner) = (status.mode, (status.uid, status.gid));
    Ok(Node { path, what, mode, owner, modified: inode.modified, attributes })
}

/// Make `nodes` below the directory `top`, where none of their names may stand yet. Directories that no node makes
/// are made where one is needed. No link is followed: a node below something that is no directory is `EEXIST`.
pub fn write(top: &Path, nodes: &[Node]) -> Result<()> {
    let mut made: HashSet<PathBuf> = HashSet::from([PathBuf::new()]);
    for node in nodes {
        if let Some(parent) = node.path.parent() {
            make_parents(top, parent, &mut made)?;
        }
        make(top, node)?;
        if node.what == What::Directory {
            made.insert(node.path.clone());
        }
    }
    // What is made in a directory changes its time, and needs its mode to allow that: so the innermost are last.
    nodes.iter().rev().try_for_each(|node| dress(&top.join(&node.path), node))
}

fn make_parents(top: &Path, directory: &Path, made: &mut HashSet<PathBuf>) -> Result<()> {
    if made.contains(directory) {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        make_parents(top, parent, made)?;
    }
    file::mkdir(&top.join(directory), 0o755)?;
    made.insert(directory.to_owned());
    Ok(())
}

fn make(top: &Path, node: &Node) -> Result<()> {
    let full = &top.join(&node.path);
    match &node.what {
        What::Directory => file::mkdir(full, 0o700),
        What::File(contents) => inode::create(full, contents, 0o600),
        What::Link(target) => file::symlink(target, full),
        What::Pipe => inode::mkfifo(full, 0o600),
        What::Character(major, minor) => file::mknod_character(full, node.mode, *major, *minor),
        What::Same(first) => inode::link(&top.join(first), full),
    }
}

/// Give a node that was made its owner, mode, attributes and time, in this order: a new owner takes set-user-id away,
/// and every change but that of the time changes the time of the directory's inode only.
fn dress(full: &Path, node: &Node) -> Result<()> {
    if matches!(node.what, What::Same(_)) {
        return Ok(());
    }
    let status = file::link_status(full)?;
    if (status.uid, status.gid) != node.owner {
        file::chown(full, node.owner.0, node.owner.1)?;
    }
    if status.kind != Kind::Link && file::link_status(full)?.mode != node.mode {
        file::chmod(full, node.mode)?;
    }
    for (name, value) in &node.attributes {
        inode::set_attribute(full, name, value)?;
    }
    inode::set_modified(full, node.modified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_was_read_is_written_and_read_again() {
        let top = tempfile::tempdir().unwrap();
        let (from, to) = (top.path().join("from"), top.path().join("to"));
        std::fs::create_dir_all(from.join("d/e")).unwrap();
        std::fs::create_dir(&to).unwrap();
        std::fs::write(from.join("d/file"), b"\0\xff").unwrap();
        std::fs::set_permissions(from.join("d/file"), PermissionsExt::from_mode(0o4751)).unwrap();
        std::fs::hard_link(from.join("d/file"), from.join("b")).unwrap();
        symlink("../nowhere", from.join("d/link")).unwrap();
        inode::mkfifo(&from.join("pipe"), 0o640).unwrap();
        inode::set_modified(&from.join("d"), (1_000_000_000, 5)).unwrap();
        std::fs::set_permissions(from.join("d/e"), PermissionsExt::from_mode(0o500)).unwrap();
        let nodes = read(&from).unwrap();
        let paths: Vec<_> = nodes.iter().map(|node| node.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["b", "d", "d/e", "d/file", "d/link", "pipe"]);
        assert_eq!((&nodes[0].what, nodes[0].mode), (&What::File(b"\0\xff".to_vec()), 0o4751));
        assert_eq!((&nodes[3].what, nodes[1].modified), (&What::Same("b".into()), (1_000_000_000, 5)));
        write(&to, &nodes).unwrap();
        assert_eq!(read(&to).unwrap(), nodes);
    }

    #[test]
    fn no_link_in_the_tree_leads_out_of_it() {
        let top = tempfile::tempdir().unwrap();
        let (to, elsewhere) = (top.path().join("to"), top.path().join("elsewhere"));
        std::fs::create_dir(&to).unwrap();
        std::fs::create_dir(&elsewhere).unwrap();
        let node = |path: &str, what| Node {
            path: path.into(),
            what,
            mode: 0o644,
            owner: (0, 0),
            modified: (0, 0),
            attributes: BTreeMap::new(),
        };
        let nodes = [node("a", What::Link(elsewhere.clone())), node("a/b", What::File(Vec::new()))];
        assert!(write(&to, &nodes).unwrap_err().is(crate::sys::errno::EEXIST));
        assert!(std::fs::read_dir(&elsewhere).unwrap().next().is_none());
    }
}
