//! A directory as an archive, streamed: an upper layer in the form in which images are handed on, or a whole tree.
//!
//! The form of a layer is that of `layer`: a whiteout is an empty file `.wh.NAME`, an opaque directory has
//! `.wh..wh..opq` in it. The tree may belong to a container that runs: no link in it is followed, and nothing of it is
//! in memory but one directory's names at a time and the first names of files that have several.

use super::Layers;
use super::mark::{Marks, is_whiteout};
use super::ustar::{Form, Member, Sink, Writer};
use crate::error::{Error, Problem, Result};
use crate::sys::file::Kind;
use crate::sys::inode::Inode;
use crate::sys::within::Directory;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &str = ".wh..wh..opq";

/// Labels that the security module of one machine gives, and another does not know.
const LABEL: &str = "security.selinux";

type Attributes = BTreeMap<String, Vec<u8>>;

/// Write the upper layer of `layers` into `sink`, without the paths of `hidden` and what is in them.
///
/// `LayerNotWhole` for what no layer can say: a file of which only the metadata was copied up, a directory that was
/// renamed by redirection, and a name that begins with `.wh.`.
pub fn upper(layers: &Layers, hidden: &BTreeSet<PathBuf>, sink: &mut Sink<'_>) -> Result<()> {
    pack(&layers.upper, Some(Marks::of(layers)), hidden, sink)
}

/// Write all that is in the directory `top` into `sink`, as it is. Sockets are left out: no archive holds any.
pub fn tree(top: &Path, sink: &mut Sink<'_>) -> Result<()> {
    pack(top, None, &BTreeSet::new(), sink)
}

fn pack(top: &Path, marks: Option<Marks>, hidden: &BTreeSet<PathBuf>, sink: &mut Sink<'_>) -> Result<()> {
    let directory = Directory::open(top)?;
    let mut pack = Pack { marks, hidden, writer: Writer::new(sink), firsts: HashMap::new() };
    pack.entries(&directory, Path::new(""))?;
    pack.writer.finish()
}

struct Pack<'a> {
    /// The notes to translate; `None` where nothing is to be.
    marks: Option<Marks>,
    hidden: &'a BTreeSet<PathBuf>,
    writer: Writer<'a>,
    /// Of files with several names, the one that came first.
    firsts: HashMap<(u64, u64), PathBuf>,
}

impl Pack<'_> {
    /// What is in `directory`, which stands at `path` of the tree.
    fn entries(&mut self, directory: &Directory, path: &Path) -> Result<()> {
        for (name, _) in directory.list()? {
            let path = path.join(&name);
            if self.hidden.contains(&path) {
                continue;
            }
            // Whoever runs in the tree may have removed it since it was listed.
            if let Some(inode) = directory.inode_if_there(&name)? {
                self.entry(directory, &name, &path, &inode)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, directory: &Directory, name: &OsStr, path: &Path, inode: &Inode) -> Result<()> {
        let mut attributes = directory.attributes(name)?;
        attributes.remove(LABEL);
        let mut opaque = false;
        if let Some(marks) = self.marks {
            let has = |note: &str| attributes.contains_key(&marks.name(note));
            if is_whiteout(&inode.status) || inode.status.size == 0 && has("whiteout") {
                return self.note(&path.with_file_name(whiteout(name)), inode);
            }
            if name.as_bytes().starts_with(WHITEOUT) || has("metacopy") || has("redirect") {
                return Err(Error::new(Problem::LayerNotWhole { path: path.display().to_string() }));
            }
            opaque = attributes.get(&marks.name("opaque")).is_some_and(|value| value == b"y");
            attributes.retain(|name, _| !marks.is_own(name));
        }
        if inode.status.kind == Kind::Directory {
            self.writer.bare(&member(path, Form::Directory, inode, &attributes))?;
            if opaque {
                self.note(&path.join(OPAQUE), inode)?;
            }
            return self.entries(&directory.enter(name)?, path);
        }
        self.leaf(directory, name, path, inode, &attributes)
    }

    /// Anything but a directory.
    fn leaf(
        &mut self,
        directory: &Directory,
        name: &OsStr,
        path: &Path,
        inode: &Inode,
        attributes: &Attributes,
    ) -> Result<()> {
        if inode.links > 1 {
            if let Some(first) = self.firsts.get(&inode.status.identity) {
                return self.writer.bare(&member(path, Form::Same(first), inode, &Attributes::new()));
            }
            self.firsts.insert(inode.status.identity, path.to_owned());
        }
        let (major, minor) = inode.status.device;
        let target;
        let form = match inode.status.kind {
            Kind::File => {
                let mut contents = directory.file(name)?;
                let form = Form::File(contents.size());
                let member = member(path, form, inode, attributes);
                return self.writer.member(&member, &mut |room| contents.read(room));
            }
            Kind::Link => {
                target = directory.readlink(name)?;
                Form::Link(&target)
            }
            Kind::Character => Form::Character(major, minor),
            Kind::Pipe => Form::Pipe,
            // A socket has no numbers, and a block device has.
            Kind::Other if (major, minor) != (0, 0) => Form::Block(major, minor),
            Kind::Directory | Kind::Other => return Ok(()),
        };
        self.writer.bare(&member(path, form, inode, attributes))
    }

    /// An empty file that says something by its name.
    fn note(&mut self, path: &Path, of: &Inode) -> Result<()> {
        let none = Attributes::new();
        self.writer.bare(&Member { mode: 0, ..member(path, Form::File(0), of, &none) })
    }
}

fn member<'a>(path: &'a Path, form: Form<'a>, inode: &Inode, attributes: &'a Attributes) -> Member<'a> {
    let owner = (inode.status.uid, inode.status.gid);
    Member { path, form, mode: inode.status.mode, owner, modified: inode.modified, attributes }
}

fn whiteout(name: &OsStr) -> OsString {
    OsString::from_vec([WHITEOUT, name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::super::tree::What;
    use super::super::ustar;
    use super::*;
    use crate::sys::inode;
    use std::os::unix::fs::symlink;

    fn packed(layers: &Layers, hidden: &[&str]) -> Result<Vec<super::super::tree::Node>> {
        let mut stream = Vec::new();
        let hidden = hidden.iter().map(PathBuf::from).collect();
        upper(layers, &hidden, &mut |bytes| {
            stream.extend_from_slice(bytes);
            Ok(())
        })?;
        ustar::read(&stream)
    }

    fn layers(top: &tempfile::TempDir) -> Layers {
        Layers { upper: top.path().to_owned(), userxattr: true, ..Layers::default() }
    }

    #[test]
    fn an_upper_layer_becomes_an_archive() {
        let top = tempfile::tempdir().unwrap();
        let layers = layers(&top);
        std::fs::create_dir_all(top.path().join("d/e")).unwrap();
        std::fs::write(top.path().join("d/e/file"), vec![7; 300_000]).unwrap();
        std::fs::hard_link(top.path().join("d/e/file"), top.path().join("same")).unwrap();
        std::fs::write(top.path().join("hidden"), "").unwrap();
        symlink("/etc/passwd", top.path().join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(top.path().join("socket")).unwrap();
        let marked = Marks::new(true).are_kept(top.path()).unwrap();
        if marked {
            Marks::new(true).make_opaque(&top.path().join("d")).unwrap();
            std::fs::write(top.path().join("gone"), "").unwrap();
            inode::set_attribute(&top.path().join("gone"), "user.overlay.whiteout", b"").unwrap();
        }
        let nodes = packed(&layers, &["hidden"]).unwrap();
        let paths: Vec<&str> = nodes.iter().map(|node| node.path.to_str().unwrap()).collect();
        let expected = ["d", "d/.wh..wh..opq", "d/e", "d/e/file", ".wh.gone", "link", "same"];
        let expected: Vec<&str> =
            expected.into_iter().filter(|path| marked || !path.contains(".wh.")).collect();
        assert_eq!(paths, expected);
        assert_eq!(nodes.last().unwrap().what, What::Same("d/e/file".into()));
        assert!(nodes.iter().any(|node| node.what == What::File(vec![7; 300_000])));
        assert!(nodes.iter().all(|node| node.attributes.is_empty()));
    }

    #[test]
    fn a_reserved_name_is_refused() {
        let top = tempfile::tempdir().unwrap();
        std::fs::write(top.path().join(".wh.x"), "").unwrap();
        let problem = packed(&layers(&top), &[]).unwrap_err().problem;
        assert_eq!(problem, Problem::LayerNotWhole { path: ".wh.x".into() });
    }
}
