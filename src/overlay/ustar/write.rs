//! A stream of tar(1), written member by member: the contents of a file pass through, and are never in memory whole.
//!
//! The same members give the same bytes, whoever writes them and when.

use super::super::tree::{Node, What};
use super::{ATTRIBUTE, BLOCK, checksum, field};
use crate::error::{Error, ImageProblem, Problem, Result};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Takes the bytes of the stream, in order.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// One member of an archive, but for its contents.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// From the top of the tree, without a leading `/`.
    pub path: &'a Path,
    /// What it is.
    pub form: Form<'a>,
    /// Permission bits, with set-user-id and their like.
    pub mode: u32,
    /// User and group.
    pub owner: (u32, u32),
    /// When it was last changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    /// Its extended attributes.
    pub attributes: &'a BTreeMap<String, Vec<u8>>,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// A regular file of this many bytes.
    File(u64),
    /// Another name of the file that stands under this path earlier in the stream.
    Same(&'a Path),
    /// A symbolic link that says this.
    Link(&'a Path),
    /// A character device: its major and minor number.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A directory.
    Directory,
    /// A pipe with a name.
    Pipe,
}

impl Form<'_> {
    /// The letter of the header, what a link says, and the numbers of a device.
    fn fields(&self) -> (u8, &[u8], (u32, u32)) {
        match *self {
            Form::File(_) => (b'0', &[], (0, 0)),
            Form::Same(first) => (b'1', first.as_os_str().as_bytes(), (0, 0)),
            Form::Link(target) => (b'2', target.as_os_str().as_bytes(), (0, 0)),
            Form::Character(major, minor) => (b'3', &[], (major, minor)),
            Form::Block(major, minor) => (b'4', &[], (major, minor)),
            Form::Directory => (b'5', &[], (0, 0)),
            Form::Pipe => (b'6', &[], (0, 0)),
        }
    }
}

/// Writes a stream.
pub struct Writer<'a> {
    sink: &'a mut Sink<'a>,
    room: Vec<u8>,
}

/// How much of a file is in memory at a time.
const ROOM: usize = 128 << 10;

impl<'a> Writer<'a> {
    /// A stream into `sink`.
    pub fn new(sink: &'a mut Sink<'a>) -> Self {
        Self { sink, room: vec![0; ROOM] }
    }

    /// Write one member. Of a file, `read` fills the room it is given with what comes next, and answers how much that
    /// was; it is asked until all bytes that the header announced are there. `ChangedMeanwhile` when it has no more
    /// before that; what it would have beyond is left.
    pub fn member(
        &mut self,
        member: &Member<'_>,
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize>,
    ) -> Result<()> {
        (self.sink)(&head(member)?)?;
        let Form::File(size) = member.form else { return Ok(()) };
        let mut left = size;
        while left > 0 {
            let most = ROOM.min(usize::try_from(left).unwrap_or(ROOM));
            let length = read(&mut self.room[..most])?.min(most);
            if length == 0 {
                let path = member.path.display().to_string();
                return Err(Error::new(Problem::Image(ImageProblem::ChangedMeanwhile { path })));
            }
            (self.sink)(&self.room[..length])?;
            left -= length as u64;
        }
        let filling = (size.next_multiple_of(BLOCK as u64) - size) as usize;
        (self.sink)(&[0; BLOCK][..filling])
    }

    /// A member without contents.
    pub fn bare(&mut self, member: &Member<'_>) -> Result<()> {
        self.member(member, &mut |_| Ok(0))
    }

    /// A file of these bytes.
    pub fn bytes(&mut self, member: &Member<'_>, mut contents: &[u8]) -> Result<()> {
        self.member(member, &mut |room| {
            let length = room.len().min(contents.len());
            let (now, later) = contents.split_at(length);
            room[..length].copy_from_slice(now);
            contents = later;
            Ok(length)
        })
    }

    /// End the stream.
    pub fn finish(self) -> Result<()> {
        (self.sink)(&[0; 2 * BLOCK])
    }
}

/// The stream of `nodes`, in their order.
pub fn write(nodes: &[Node]) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    let mut sink = |bytes: &[u8]| {
        stream.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = Writer::new(&mut sink);
    for node in nodes {
        let mut contents: &[u8] = &[];
        let form = match &node.what {
            What::File(bytes) => {
                contents = bytes;
                Form::File(bytes.len() as u64)
            }
            What::Same(first) => Form::Same(first),
            What::Link(target) => Form::Link(target),
            What::Character(major, minor) => Form::Character(*major, *minor),
            What::Directory => Form::Directory,
            What::Pipe => Form::Pipe,
        };
        let Node { path, mode, owner, modified, attributes, .. } = node;
        let (mode, owner, modified) = (*mode, *owner, *modified);
        writer.bytes(&Member { path, form, mode, owner, modified, attributes }, contents)?;
    }
    writer.finish()?;
    Ok(stream)
}

/// The blocks before a member's contents: its header, and before it, if need be, the extended one.
fn head(member: &Member<'_>) -> Result<Vec<u8>> {
    let mut name = member.path.as_os_str().as_bytes().to_vec();
    if member.form == Form::Directory {
        name.push(b'/');
    }
    let (kind, link, device) = member.form.fields();
    let size = if let Form::File(size) = member.form { size } else { 0 };
    let records = records(member, &name, link, size)?;
    let mut head = Vec::new();
    if !records.is_empty() {
        let size = records.len() as u64;
        head.extend(Header { name: b"PaxHeaders/extended", size, kind: b'x', ..Header::default() }.bytes());
        head.extend(&records);
        head.resize(head.len().next_multiple_of(BLOCK), 0);
    }
    let (mode, owner, seconds) = (member.mode, member.owner, member.modified.0);
    head.extend(Header { name: &name, link, size, kind, mode, owner, seconds, device }.bytes());
    Ok(head)
}

/// The records of the extended header: what does not fit into the fields of the other. `LayerNotWhole` for an
/// attribute whose name holds what ends a record's key.
fn records(member: &Member<'_>, name: &[u8], link: &[u8], size: u64) -> Result<Vec<u8>> {
    let mut records = Vec::new();
    let (seconds, nanoseconds) = member.modified;
    for (key, value) in [("path", name), ("linkpath", link)] {
        if value.len() > field::NAME.1 {
            record(&mut records, key, value);
        }
    }
    if size >= 1 << 33 {
        record(&mut records, "size", size.to_string().as_bytes());
    }
    if nanoseconds != 0 || !(0..1 << 33).contains(&seconds) {
        record(&mut records, "mtime", time(seconds, nanoseconds).as_bytes());
    }
    for (key, id) in [("uid", member.owner.0), ("gid", member.owner.1)] {
        if id >= 1 << 21 {
            record(&mut records, key, id.to_string().as_bytes());
        }
    }
    for (key, value) in member.attributes {
        if key.contains('=') {
            return Err(Error::new(Problem::LayerNotWhole { path: member.path.display().to_string() }));
        }
        record(&mut records, &format!("{ATTRIBUTE}{key}"), value);
    }
    Ok(records)
}

/// Seconds with a decimal fraction; one before 1970 counts down: -1 s and 1 ns is `-0.999999999`.
fn time(seconds: i64, nanoseconds: i64) -> String {
    match seconds < 0 && nanoseconds > 0 {
        true => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
        false => format!("{seconds}.{nanoseconds:09}"),
    }
}

/// `LENGTH KEY=VALUE` and a newline, where the length counts the whole record, its own digits too.
pub(super) fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = 1 + key.len() + 1 + value.len() + 1;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    records.extend(format!("{length} {key}=").as_bytes());
    records.extend(value);
    records.push(b'\n');
}

/// What stands in a header.
#[derive(Default)]
struct Header<'a> {
    name: &'a [u8],
    link: &'a [u8],
    size: u64,
    kind: u8,
    mode: u32,
    owner: (u32, u32),
    seconds: i64,
    device: (u32, u32),
}

impl Header<'_> {
    fn bytes(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        // What is too long stands in the extended header, which is believed first.
        text(&mut block, field::NAME, self.name);
        text(&mut block, field::LINK, self.link);
        text(&mut block, field::MAGIC, b"ustar\x0000");
        block[field::TYPE] = self.kind;
        octal(&mut block, field::MODE, self.mode.into());
        octal(&mut block, field::UID, self.owner.0.into());
        octal(&mut block, field::GID, self.owner.1.into());
        octal(&mut block, field::SIZE, self.size);
        octal(&mut block, field::MTIME, self.seconds.max(0) as u64);
        octal(&mut block, field::MAJOR, self.device.0.into());
        octal(&mut block, field::MINOR, self.device.1.into());
        let sum = checksum(&block);
        text(&mut block, field::CHECKSUM, format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

fn text(block: &mut [u8; BLOCK], (start, room): (usize, usize), value: &[u8]) {
    let length = value.len().min(room);
    block[start..start + length].copy_from_slice(&value[..length]);
}

fn octal(block: &mut [u8; BLOCK], (start, room): (usize, usize), value: u64) {
    let digits = room - 1;
    let most = (1_u64 << (3 * digits)) - 1;
    let number = format!("{:0digits$o}", value.min(most));
    text(block, (start, room), number.as_bytes());
}
