//! A stream of tar(1) taken apart, member by member: of our own, of GNU tar, of whoever made an image. The contents of
//! a file pass through, and are never in memory whole.
//!
//! The stream is believed in nothing. A name with `..` is an error, and so is a length that the stream does not have.
//! Of two sizes the one of the extended header counts, since that is what everybody else goes by: who disagrees about
//! where the next header is can be shown other members (CVE-2025-62518).

use super::super::tree::{Node, What};
use super::number::{number, parse, parse_time};
use super::{ATTRIBUTE, BLOCK, Records, checksum, field};
use crate::error::{Error, Problem, Result};
use crate::sys::stream;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The longest extended header, and the longest name: a member of it is held in memory.
const LONGEST: u64 = 1 << 20;

/// One member, but for its contents, which the [`Reader`] gives next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the top of the tree, without a leading `/`; empty for the top itself.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, with set-user-id and their like.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// When it was last changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// Its extended attributes.
    pub attributes: BTreeMap<String, Vec<u8>>,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file of this many bytes.
    File(u64),
    /// Another name of the file that stands under this path earlier in the stream.
    Same(PathBuf),
    /// A symbolic link that says this.
    Link(PathBuf),
    /// A character device: its major and minor number.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A pipe with a name.
    Pipe,
}

/// Takes a stream apart. As a `Read`, it gives the contents of the member that came last.
#[derive(Debug)]
pub struct Reader<R> {
    stream: R,
    /// How much of the contents is still to come, and how much of what fills up the last block.
    left: (u64, u64),
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Nothing has been read yet.
    pub fn new(stream: R) -> Self {
        Self { stream, left: (0, 0), ended: false }
    }

    /// The next member; `None` at the end, which is a block of zeros or the end of the stream. What was not read of the
    /// one before is passed over.
    ///
    /// `BadArchive` when it is not such a stream, is cut off, names something outside the tree, or has something that
    /// is peculiar to one tar(1).
    pub fn member(&mut self) -> Result<Option<Entry>> {
        let mut records = Records::new();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return if records.is_empty() { Ok(None) } else { Err(bad("a header is missing")) };
            };
            match header[field::TYPE] {
                b'x' => records.extend(parse_records(&self.small(&header)?)?),
                // It speaks of all members to come, and what programs put there is a remark.
                b'g' => drop(self.small(&header)?),
                // GNU tar's way to have long names.
                b'L' => drop(records.insert("path".to_owned(), until_nul(&self.small(&header)?).to_vec())),
                b'K' => {
                    drop(records.insert("linkpath".to_owned(), until_nul(&self.small(&header)?).to_vec()))
                }
                _ => {
                    let size = match records.get("size") {
                        Some(size) => parse(size).ok_or_else(|| bad("a size that is no number"))?,
                        None => number(&header, field::SIZE)?,
                    };
                    let entry = entry(&header, size, &records)?;
                    // Only a file has contents, whatever the size of another says.
                    self.expect(if let EntryKind::File(size) = entry.kind { size } else { 0 })?;
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// What is read from.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.stream
    }

    /// What was read from.
    pub fn into_inner(self) -> R {
        self.stream
    }

    /// The next header; `None` at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut header = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK && !self.ended {
            match self.stream.read(&mut header[filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if filled != BLOCK && filled != 0 {
            return Err(cut_off());
        }
        if header.iter().all(|byte| *byte == 0) {
            self.ended = true;
            return Ok(None);
        }
        if number(&header, field::CHECKSUM)? != u64::from(checksum(&header)) {
            return Err(bad("a header's checksum is wrong"));
        }
        Ok(Some(header))
    }

    /// The contents of a member that speaks of the next one.
    fn small(&mut self, header: &[u8; BLOCK]) -> Result<Vec<u8>> {
        let size = number(header, field::SIZE)?;
        if size > LONGEST {
            return Err(bad("an extended header of more than a MiB"));
        }
        self.expect(size)?;
        let mut contents = Vec::new();
        self.read_to_end(&mut contents).map_err(failed)?;
        Ok(contents)
    }

    fn expect(&mut self, size: u64) -> Result<()> {
        let filled =
            size.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| bad("a size beyond all bounds"))?;
        self.left = (size, filled - size);
        Ok(())
    }

    /// Pass over what is left of a member.
    fn skip(&mut self) -> Result<()> {
        let all = self.left.0 + self.left.1;
        let passed = io::copy(&mut (&mut self.stream).take(all), &mut io::sink()).map_err(failed)?;
        self.left = (0, 0);
        if passed == all { Ok(()) } else { Err(cut_off()) }
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = room.len().min(usize::try_from(self.left.0).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut room[..most])?;
        if count == 0 {
            return Err(io::Error::other(cut_off()));
        }
        self.left.0 -= count as u64;
        Ok(count)
    }
}

/// The nodes of the stream, in its order, with the contents of all files in memory. Block devices are passed over.
/// Errors: as [`Reader::member`].
pub fn read(stream: &[u8]) -> Result<Vec<Node>> {
    let mut reader = Reader::new(stream);
    let mut nodes = Vec::new();
    while let Some(Entry { path, kind, mode, owner, modified, attributes }) = reader.member()? {
        let what = match kind {
            _ if path.as_os_str().is_empty() => continue,
            EntryKind::Directory => What::Directory,
            EntryKind::File(_) => {
                let mut contents = Vec::new();
                reader.read_to_end(&mut contents).map_err(failed)?;
                What::File(contents)
            }
            EntryKind::Same(first) => What::Same(first),
            EntryKind::Link(target) => What::Link(target),
            EntryKind::Character(major, minor) => What::Character(major, minor),
            EntryKind::Pipe => What::Pipe,
            EntryKind::Block(..) => continue,
        };
        nodes.push(Node { path, what, mode, owner, modified, attributes });
    }
    Ok(nodes)
}

/// The member that a header and the records before it say.
fn entry(header: &[u8; BLOCK], size: u64, records: &Records) -> Result<Entry> {
    if let Some(key) = records.keys().find(|key| key.starts_with("GNU.sparse.")) {
        return Err(bad(&format!("a sparse file: {key}")));
    }
    let name = records.get("path").cloned().unwrap_or_else(|| full_name(header));
    let path = inside(&name)?;
    let id = |key: &str, place| {
        let id = match records.get(key) {
            Some(id) => parse(id).ok_or_else(|| bad("an owner that is no number"))?,
            None => number(header, place)?,
        };
        // The last number means nobody's id.
        u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or_else(|| bad("an owner beyond all ids"))
    };
    let modified = match records.get("mtime") {
        Some(time) => parse_time(time).ok_or_else(|| bad("a time that is none"))?,
        None => (number(header, field::MTIME)? as i64, 0),
    };
    let attribute =
        |(key, value): (&String, &Vec<u8>)| Some((key.strip_prefix(ATTRIBUTE)?.to_owned(), value.clone()));
    Ok(Entry {
        path,
        kind: kind(header, size, records, name.ends_with(b"/"))?,
        mode: number(header, field::MODE)? as u32 & 0o7777,
        owner: (id("uid", field::UID)?, id("gid", field::GID)?),
        modified,
        attributes: records.iter().filter_map(attribute).collect(),
    })
}

fn kind(header: &[u8; BLOCK], size: u64, records: &Records, slash: bool) -> Result<EntryKind> {
    let link = records.get("linkpath").map_or(until_nul(part(header, field::LINK)), Vec::as_slice);
    let device = || -> Result<(u32, u32)> {
        let one = |place| u32::try_from(number(header, place)?).map_err(|_| bad("a device that is none"));
        Ok((one(field::MAJOR)?, one(field::MINOR)?))
    };
    Ok(match header[field::TYPE] {
        // Before there were types, a directory was a file whose name ends so.
        b'0' | 0 | b'7' if slash => EntryKind::Directory,
        b'0' | 0 | b'7' => EntryKind::File(size),
        b'1' => EntryKind::Same(inside(link)?),
        b'2' => EntryKind::Link(PathBuf::from(OsStr::from_bytes(link))),
        b'3' => device().map(|(major, minor)| EntryKind::Character(major, minor))?,
        b'4' => device().map(|(major, minor)| EntryKind::Block(major, minor))?,
        b'5' => EntryKind::Directory,
        b'6' => EntryKind::Pipe,
        b'S' => return Err(bad("a sparse file in GNU tar's form: make it without --sparse")),
        other => return Err(bad(&format!("a member of the type {:?}", char::from(other)))),
    })
}

/// Prefix and name, as ustar divides a long one.
fn full_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let (prefix, name) = (until_nul(part(header, field::PREFIX)), until_nul(part(header, field::NAME)));
    // Old GNU archives have other things where ustar has the prefix.
    let ustar = part(header, field::MAGIC).starts_with(b"ustar\0");
    if prefix.is_empty() || !ustar { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// A name as a path from the top of the tree; empty for the top itself. A name with `..` is an error.
fn inside(name: &[u8]) -> Result<PathBuf> {
    let mut path = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(name)).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            _ => {
                return Err(bad(&format!(
                    "a name leads out of the tree: {:?}",
                    String::from_utf8_lossy(name)
                )));
            }
        }
    }
    if name.contains(&0) { Err(bad("a name with a NUL in it")) } else { Ok(path) }
}

/// `LENGTH KEY=VALUE` and a newline, again and again.
fn parse_records(mut text: &[u8]) -> Result<Records> {
    let mut records = Records::new();
    let broken = || bad("a broken extended header");
    while !text.is_empty() {
        let blank = text.iter().take(20).position(|byte| *byte == b' ').ok_or_else(broken)?;
        let length =
            parse(&text[..blank]).and_then(|length| usize::try_from(length).ok()).ok_or_else(broken)?;
        if length <= blank + 1 || length > text.len() || text[length - 1] != b'\n' {
            return Err(broken());
        }
        let record = &text[blank + 1..length - 1];
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
        let key = String::from_utf8_lossy(&record[..equals]).into_owned();
        let value = &record[equals + 1..];
        // An empty value takes the record back: the header's own field counts.
        match value.is_empty() && !key.starts_with(ATTRIBUTE) {
            true => drop(records.remove(&key)),
            false => drop(records.insert(key, value.to_vec())),
        }
        text = &text[length..];
    }
    Ok(records)
}

fn part(header: &[u8; BLOCK], (start, room): (usize, usize)) -> &[u8] {
    &header[start..start + room]
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The meaning of a failure to read: the kernel's refusal, ours, or what a decompressor found.
pub(super) fn failed(error: io::Error) -> Error {
    stream::refusal(error).unwrap_or_else(|error| bad(&error.to_string()))
}

fn cut_off() -> Error {
    bad("it is cut off")
}

pub(super) fn bad(detail: &str) -> Error {
    Error::new(Problem::BadArchive { detail: detail.to_owned() })
}
