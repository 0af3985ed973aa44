//! A stream of tar(1) taken apart member by member, while it comes: nothing of it is in memory but what is asked for.

use super::super::tree::Node;
use super::read::{bad, node, number, parse, parse_records, until_nul};
use super::{BLOCK, Records, checksum, field};
use crate::error::Result;

/// Gives the next bytes of the stream; 0 at its end.
pub type Source<'a> = dyn FnMut(&mut [u8]) -> Result<usize> + 'a;

/// The longest extended header that is believed.
const LONGEST: u64 = 1 << 20;

/// Reads a stream.
pub struct Members<'a> {
    source: &'a mut Source<'a>,
    /// Bytes of the present member's contents that were not read yet, and those that fill up its last block.
    left: (u64, u64),
}

impl<'a> Members<'a> {
    /// The members of what `source` gives.
    pub fn new(source: &'a mut Source<'a>) -> Self {
        Self { source, left: (0, 0) }
    }

    /// The next member, without its contents, and how long those are; `None` at the end of the archive. What was not
    /// read of the last one's contents is passed over, and so are members of no kind that [`Node`] knows.
    ///
    /// `BadArchive` when it is no such stream, is cut off, or names something outside the tree.
    pub fn advance(&mut self) -> Result<Option<(Node, u64)>> {
        let mut records = Records::new();
        loop {
            self.pass_over()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = match records.get("size") {
                Some(size) => parse(size).ok_or_else(|| bad("a size that is no number"))?,
                None => number(&header, field::SIZE)?,
            };
            let filling = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
            self.left = (size, filling);
            match header[field::TYPE] {
                b'x' => records = parse_records(&self.whole()?)?,
                // GNU tar's way to have long names.
                b'L' => drop(records.insert("path".to_owned(), until_nul(&self.whole()?).to_vec())),
                b'K' => drop(records.insert("linkpath".to_owned(), until_nul(&self.whole()?).to_vec())),
                _ => {
                    if let Some(node) = node(&header, &[], &std::mem::take(&mut records))? {
                        return Ok(Some((node, size)));
                    }
                }
            }
        }
    }

    /// The next bytes of the present member's contents; 0 at their end.
    pub fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        let most = room.len().min(usize::try_from(self.left.0).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let length = (self.source)(&mut room[..most])?;
        if length == 0 {
            return Err(bad("it is cut off"));
        }
        self.left.0 -= length as u64;
        Ok(length)
    }

    /// Read whatever comes behind the end of the archive, so that nobody writes in vain.
    pub fn drain(&mut self) -> Result<()> {
        let mut room = [0; 4096];
        while (self.source)(&mut room)? > 0 {}
        Ok(())
    }

    /// All contents of the present member.
    fn whole(&mut self) -> Result<Vec<u8>> {
        let size = Some(self.left.0).filter(|size| *size <= LONGEST);
        let mut contents = vec![0; size.ok_or_else(|| bad("an extended header too long"))? as usize];
        let mut at = 0;
        while at < contents.len() {
            at += self.read(&mut contents[at..])?;
        }
        Ok(contents)
    }

    fn pass_over(&mut self) -> Result<()> {
        let mut room = [0; 64 * BLOCK];
        self.left = (self.left.0 + self.left.1, 0);
        while self.read(&mut room)? > 0 {}
        Ok(())
    }

    /// The next header; `None` at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut header = [0; BLOCK];
        let mut at = 0;
        while at < BLOCK {
            match (self.source)(&mut header[at..])? {
                0 if at == 0 => return Ok(None),
                0 => return Err(bad("it is cut off")),
                length => at += length,
            }
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if number(&header, field::CHECKSUM)? != u64::from(checksum(&header)) {
            return Err(bad("a header's checksum is wrong"));
        }
        Ok(Some(header))
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
        let mut rest = &stream[..700];
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
