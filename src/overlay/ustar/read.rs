//! A stream of tar(1) taken apart: of our own, of GNU tar, of whoever made an image. It is believed in nothing: a name
//! that would lead out of the tree is an error, and so is a length that the stream does not have.

use super::super::tree::{Node, What};
use super::{ATTRIBUTE, BLOCK, Records, checksum, field};
use crate::error::{Error, Problem, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The nodes of the stream, in its order. Block devices and what is peculiar to one tar(1) are passed over.
/// `BadArchive` when it is not such a stream, is cut off, or names something outside the tree.
pub fn read(stream: &[u8]) -> Result<Vec<Node>> {
    let mut reader = Reader { stream, at: 0 };
    let mut nodes = Vec::new();
    let mut records = Records::new();
    while let Some(header) = reader.header()? {
        let size = match records.get("size") {
            Some(size) => parse(size).ok_or_else(|| bad("a size that is no number"))?,
            None => number(header, field::SIZE)?,
        };
        let contents = reader.contents(size)?;
        match header[field::TYPE] {
            b'x' => records = parse_records(contents)?,
            // GNU tar's way to have long names.
            b'L' => drop(records.insert("path".to_owned(), until_nul(contents).to_vec())),
            b'K' => drop(records.insert("linkpath".to_owned(), until_nul(contents).to_vec())),
            _ => nodes.extend(node(header, contents, &std::mem::take(&mut records))?),
        }
    }
    Ok(nodes)
}

struct Reader<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next header; `None` at the end.
    fn header(&mut self) -> Result<Option<&'a [u8; BLOCK]>> {
        if self.at >= self.stream.len() {
            return Ok(None);
        }
        let (header, _) =
            self.stream[self.at..].split_first_chunk::<BLOCK>().ok_or_else(|| bad("it is cut off"))?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if number(header, field::CHECKSUM)? != u64::from(checksum(header)) {
            return Err(bad("a header's checksum is wrong"));
        }
        self.at += BLOCK;
        Ok(Some(header))
    }

    fn contents(&mut self, size: u64) -> Result<&'a [u8]> {
        let rest = &self.stream[self.at..];
        let size = usize::try_from(size).ok().filter(|size| *size <= rest.len());
        let size = size.ok_or_else(|| bad("it is cut off"))?;
        self.at += size.next_multiple_of(BLOCK);
        Ok(&rest[..size])
    }
}

/// The node that a header, its contents and the records before it say; `None` for what is passed over.
pub(super) fn node(header: &[u8; BLOCK], contents: &[u8], records: &Records) -> Result<Option<Node>> {
    let name = match records.get("path") {
        Some(path) => path.clone(),
        None => full_name(header),
    };
    let Some(path) = inside(&name)? else { return Ok(None) };
    let link = records.get("linkpath").map_or(until_nul(part(header, field::LINK)), Vec::as_slice);
    let what = match header[field::TYPE] {
        b'0' | 0 | b'7' if name.ends_with(b"/") => What::Directory,
        b'0' | 0 | b'7' => What::File(contents.to_vec()),
        b'1' => What::Same(inside(link)?.ok_or_else(|| bad("a link to nothing"))?),
        b'2' => What::Link(PathBuf::from(OsStr::from_bytes(link))),
        b'3' => What::Character(number(header, field::MAJOR)? as u32, number(header, field::MINOR)? as u32),
        b'5' => What::Directory,
        b'6' => What::Pipe,
        _ => return Ok(None),
    };
    let id = |key: &str, place| match records.get(key) {
        Some(id) => parse(id).ok_or_else(|| bad("an owner that is no number")),
        None => number(header, place),
    };
    let modified = match records.get("mtime") {
        Some(time) => parse_time(time).ok_or_else(|| bad("a time that is none"))?,
        None => (number(header, field::MTIME)? as i64, 0),
    };
    let attribute =
        |(key, value): (&String, &Vec<u8>)| Some((key.strip_prefix(ATTRIBUTE)?.to_owned(), value.clone()));
    Ok(Some(Node {
        path,
        what,
        mode: number(header, field::MODE)? as u32 & 0o7777,
        owner: (id("uid", field::UID)? as u32, id("gid", field::GID)? as u32),
        modified,
        attributes: records.iter().filter_map(attribute).collect(),
    }))
}

/// Prefix and name, as ustar divides a long one.
fn full_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let (prefix, name) = (until_nul(part(header, field::PREFIX)), until_nul(part(header, field::NAME)));
    // Old GNU archives have other things where ustar has the prefix.
    let ustar = part(header, field::MAGIC).starts_with(b"ustar\0");
    if prefix.is_empty() || !ustar { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// A name as a path from the top of the tree; `None` for the top itself. A name with `..` is an error.
fn inside(name: &[u8]) -> Result<Option<PathBuf>> {
    let mut path = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(name)).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            _ => return Err(bad("a name leads out of the tree")),
        }
    }
    Ok(Some(path).filter(|path| !path.as_os_str().is_empty()))
}

/// `LENGTH KEY=VALUE` and a newline, again and again.
pub(super) fn parse_records(mut text: &[u8]) -> Result<Records> {
    let mut records = Records::new();
    let broken = || bad("a broken extended header");
    while !text.is_empty() {
        let blank = text.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
        let length = parse(&text[..blank]).ok_or_else(broken)? as usize;
        if length <= blank + 1 || length > text.len() || text[length - 1] != b'\n' {
            return Err(broken());
        }
        let record = &text[blank + 1..length - 1];
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
        let key = String::from_utf8_lossy(&record[..equals]).into_owned();
        records.insert(key, record[equals + 1..].to_vec());
        text = &text[length..];
    }
    Ok(records)
}

fn part(header: &[u8; BLOCK], (start, room): (usize, usize)) -> &[u8] {
    &header[start..start + room]
}

pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A field of octal digits, or of GNU tar's binary ones, which begin with a set bit.
pub(super) fn number(header: &[u8; BLOCK], place: (usize, usize)) -> Result<u64> {
    let text = part(header, place);
    if text[0] & 0x80 != 0 {
        return Ok(text[text.len() - 8..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let digits = String::from_utf8_lossy(until_nul(text));
    match digits.trim() {
        "" => Ok(0),
        digits => u64::from_str_radix(digits, 8).map_err(|_| bad("a number is none")),
    }
}

pub(super) fn parse(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds, with or without a fraction: see `time` of the writer.
fn parse_time(text: &[u8]) -> Option<(i64, i64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let seconds: i64 = whole.parse().ok()?;
    Some(match text.starts_with('-') && nanoseconds > 0 {
        true => (seconds - 1, 1_000_000_000 - nanoseconds),
        false => (seconds, nanoseconds),
    })
}

pub(super) fn bad(detail: &str) -> Error {
    Error::new(Problem::BadArchive { detail: detail.to_owned() })
}
