//! What is at a place, as a stream. The tree may belong to a container that runs: no link in it is followed.

use super::Origin;
use crate::error::Result;
use crate::overlay::ustar::{Form, Member, Sink, Writer};
use crate::sys::file::Kind;
use crate::sys::inode::Inode;
use crate::sys::within::Directory;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Write what is at `origin` into `sink`, under the name `top`; with `None`, only what is in it.
///
/// Returns how many device nodes and sockets were left out: a node for a device gives whoever has it the device.
pub fn pack(origin: &Origin, top: Option<&Path>, sink: &mut Sink<'_>) -> Result<usize> {
    let mut pack = Pack { writer: Writer::new(sink), firsts: HashMap::new(), left_out: 0 };
    let inode = origin.directory.inode(&origin.entry)?;
    match top {
        Some(top) => pack.entry(&origin.directory, &origin.entry, top, &inode)?,
        None => pack.entries(&origin.directory.enter(&origin.entry)?, Path::new(""))?,
    }
    let left_out = pack.left_out;
    pack.writer.finish()?;
    Ok(left_out)
}

struct Pack<'a> {
    writer: Writer<'a>,
    /// Of files with several names, the one that came first.
    firsts: HashMap<(u64, u64), PathBuf>,
    left_out: usize,
}

impl Pack<'_> {
    fn entries(&mut self, directory: &Directory, path: &Path) -> Result<()> {
        for (name, _) in directory.list()? {
            // Whoever runs in the tree may have removed it since it was listed.
            if let Some(inode) = directory.inode_if_there(&name)? {
                self.entry(directory, &name, &path.join(&name), &inode)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, directory: &Directory, name: &OsStr, path: &Path, inode: &Inode) -> Result<()> {
        if inode.status.kind == Kind::Directory {
            self.writer.bare(&member(path, Form::Directory, inode))?;
            return self.entries(&directory.enter(name)?, path);
        }
        if !matches!(inode.status.kind, Kind::File | Kind::Link | Kind::Pipe) {
            self.left_out += 1;
            return Ok(());
        }
        if inode.links > 1 {
            if let Some(first) = self.firsts.get(&inode.status.identity) {
                return self.writer.bare(&member(path, Form::Same(first), inode));
            }
            self.firsts.insert(inode.status.identity, path.to_owned());
        }
        match inode.status.kind {
            Kind::Link => {
                let target = directory.readlink(name)?;
                self.writer.bare(&member(path, Form::Link(&target), inode))
            }
            Kind::Pipe => self.writer.bare(&member(path, Form::Pipe, inode)),
            _ => {
                let mut contents = directory.file(name)?;
                let member = member(path, Form::File(contents.size()), inode);
                self.writer.member(&member, &mut |room| contents.read(room))
            }
        }
    }
}

fn member<'a>(path: &'a Path, form: Form<'a>, inode: &Inode) -> Member<'a> {
    static NONE: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let owner = (inode.status.uid, inode.status.gid);
    Member { path, form, mode: inode.status.mode, owner, modified: inode.modified, attributes: &NONE }
}
