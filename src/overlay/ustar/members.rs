//! A stream of tar(1) taken apart member by member, while it comes: nothing of it is in memory but what is asked for.

use super::super::tree::{Node, What};
use super::read::{Entry, EntryKind, Reader, failed};
use crate::error::Result;
use std::io::{self, Read};

/// Gives the next bytes of the stream; 0 at its end.
pub type Source<'a> = dyn FnMut(&mut [u8]) -> Result<usize> + 'a;

/// Reads a stream.
pub struct Members<'a> {
    reader: Reader<Gives<'a>>,
}

/// A source as the standard library has it.
struct Gives<'a>(&'a mut Source<'a>);

impl Read for Gives<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        (self.0)(room).map_err(io::Error::other)
    }
}

impl<'a> Members<'a> {
    /// The members of what `source` gives.
    pub fn new(source: &'a mut Source<'a>) -> Self {
        Self { reader: Reader::new(Gives(source)) }
    }

    /// The next member, without its contents, and how long those are; `None` at the end of the archive. What was not
    /// read of the last one's contents is passed over, and so are block devices, and the top of the tree itself.
    ///
    /// Errors: as [`Reader::member`].
    pub fn advance(&mut self) -> Result<Option<(Node, u64)>> {
        while let Some(Entry { path, kind, mode, owner, modified, attributes }) = self.reader.member()? {
            let mut size = 0;
            let what = match kind {
                _ if path.as_os_str().is_empty() => continue,
                EntryKind::Block(..) => continue,
                EntryKind::Directory => What::Directory,
                EntryKind::File(length) => {
                    size = length;
                    What::File(Vec::new())
                }
                EntryKind::Same(first) => What::Same(first),
                EntryKind::Link(target) => What::Link(target),
                EntryKind::Character(major, minor) => What::Character(major, minor),
                EntryKind::Pipe => What::Pipe,
            };
            return Ok(Some((Node { path, what, mode, owner, modified, attributes }, size)));
        }
        Ok(None)
    }

    /// The next bytes of the present member's contents; 0 at their end.
    pub fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        self.reader.read(room).map_err(failed)
    }

    /// Read whatever comes behind the end of the archive, so that nobody writes in vain.
    pub fn drain(&mut self) -> Result<()> {
        io::copy(self.reader.get_mut(), &mut io::sink()).map(drop).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tree::What;
    use super::super::write;
    use super::*;
    use std::collections::BTreeMap;

    fn file(path: &str, contents: &[u8]) -> Node {
        Node {
            path: path.into(),
            what: What::File(contents.to_vec()),
            mode: 0o640,
            owner: (1, 2),
            modified: (3, 4),
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn members_come_one_by_one_however_the_stream_is_cut() {
        let long = "d/".repeat(90) + "file";
        let nodes = [file("a", b"12345"), file(&long, &[7; 1500]), file("empty", b""), file("z", &[9; 512])];
        let stream = write(&nodes).unwrap();
        for piece in [1, 7, 512, 100_000] {
            let mut rest = &stream[..];
            let mut source = |room: &mut [u8]| {
                let length = room.len().min(piece).min(rest.len());
                room[..length].copy_from_slice(&rest[..length]);
                rest = &rest[length..];
                Ok(length)
            };
            let mut members = Members::new(&mut source);
            for (index, expected) in nodes.iter().enumerate() {
                let (mut found, size) = members.advance().unwrap().unwrap();
                let mut contents = vec![0; size as usize];
                // The contents of every other member are not read.
                if index % 2 == 0 {
                    let mut at = 0;
                    while at < contents.len() {
                        at += members.read(&mut contents[at..]).unwrap();
                    }
                    found.what = What::File(contents);
                    assert_eq!(&found, expected);
                } else {
                    assert_eq!(found.path, expected.path);
                }
            }
            assert!(members.advance().unwrap().is_none());
            members.drain().unwrap();
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let stream = write(&[file("a", &[1; 600])]).unwrap();
        // In the midst of the contents, which an extended header and a header stand before.
        let mut rest = &stream[..3 * 512 + 500];
        let mut source = |room: &mut [u8]| {
            let length = room.len().min(rest.len());
            room[..length].copy_from_slice(&rest[..length]);
            rest = &rest[length..];
            Ok(length)
        };
        let mut members = Members::new(&mut source);
        assert!(members.advance().unwrap().is_some() && members.advance().is_err());
    }
}
