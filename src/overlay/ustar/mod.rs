//! A tree as one stream of bytes: the *ustar* format of tar(1), with the extended headers of pax(1) for what its fields
//! cannot hold (long names, nanoseconds, attributes).
//!
//! Each node is a header of 512 bytes, the numbers in it in octal digits, then the contents, filled up to a multiple of
//! 512. Two blocks of zeros end the stream. See tar(5), and POSIX.1-2024, pax, "ustar Interchange Format".

use super::tree::{Node, What};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

mod read;
pub use read::read;

const BLOCK: usize = 512;

/// Fields of the header: where they begin, and how long they are.
mod field {
    pub const NAME: (usize, usize) = (0, 100);
    pub const MODE: (usize, usize) = (100, 8);
    pub const UID: (usize, usize) = (108, 8);
    pub const GID: (usize, usize) = (116, 8);
    pub const SIZE: (usize, usize) = (124, 12);
    pub const MTIME: (usize, usize) = (136, 12);
    pub const CHECKSUM: (usize, usize) = (148, 8);
    pub const TYPE: usize = 156;
    pub const LINK: (usize, usize) = (157, 100);
    pub const MAGIC: (usize, usize) = (257, 8);
    pub const MAJOR: (usize, usize) = (329, 8);
    pub const MINOR: (usize, usize) = (337, 8);
    pub const PREFIX: (usize, usize) = (345, 155);
}

/// How the name of an attribute's record begins, as all who keep attributes in archives write it.
const ATTRIBUTE: &str = "SCHILY.xattr.";

/// The stream of `nodes`, in their order.
pub fn write(nodes: &[Node]) -> Vec<u8> {
    let mut stream = Vec::new();
    nodes.iter().for_each(|node| write_node(&mut stream, node));
    stream.resize(stream.len() + 2 * BLOCK, 0);
    stream
}

fn write_node(stream: &mut Vec<u8>, node: &Node) {
    let mut name = node.path.as_os_str().as_bytes().to_vec();
    let mut link = Vec::new();
    let mut contents: &[u8] = &[];
    let mut device = (0, 0);
    let kind = match &node.what {
        What::File(bytes) => {
            contents = bytes;
            b'0'
        }
        What::Same(first) => {
            link = bytes_of(first);
            b'1'
        }
        What::Link(target) => {
            link = bytes_of(target);
            b'2'
        }
        What::Character(major, minor) => {
            device = (*major, *minor);
            b'3'
        }
        What::Directory => {
            name.push(b'/');
            b'5'
        }
        What::Pipe => b'6',
    };
    let records = records(node, &name, &link);
    if !records.is_empty() {
        let extended =
            Header { name: b"PaxHeaders/extended", size: records.len(), kind: b'x', ..Header::default() };
        stream.extend(extended.bytes());
        extend(stream, &records);
    }
    let header = Header {
        name: &name,
        link: &link,
        size: contents.len(),
        kind,
        mode: node.mode,
        owner: node.owner,
        seconds: node.modified.0,
        device,
    };
    stream.extend(header.bytes());
    extend(stream, contents);
}

/// Add `contents`, filled up with zeros to whole blocks.
fn extend(stream: &mut Vec<u8>, contents: &[u8]) {
    stream.extend(contents);
    stream.resize(stream.len().next_multiple_of(BLOCK), 0);
}

/// The records of the extended header: what does not fit into the fields of the other.
fn records(node: &Node, name: &[u8], link: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    let (seconds, nanoseconds) = node.modified;
    for (key, value) in [("path", name), ("linkpath", link)] {
        if value.len() > field::NAME.1 {
            record(&mut records, key, value);
        }
    }
    if nanoseconds != 0 || !(0..1 << 33).contains(&seconds) {
        record(&mut records, "mtime", time(seconds, nanoseconds).as_bytes());
    }
    for (key, id) in [("uid", node.owner.0), ("gid", node.owner.1)] {
        if id >= 1 << 21 {
            record(&mut records, key, id.to_string().as_bytes());
        }
    }
    for (key, value) in &node.attributes {
        record(&mut records, &format!("{ATTRIBUTE}{key}"), value);
    }
    records
}

/// Seconds with a decimal fraction; one before 1970 counts down: -1 s and 1 ns is `-0.999999999`.
fn time(seconds: i64, nanoseconds: i64) -> String {
    match seconds < 0 && nanoseconds > 0 {
        true => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
        false => format!("{seconds}.{nanoseconds:09}"),
    }
}

/// `LENGTH KEY=VALUE` and a newline, where the length counts the whole record, its own digits too.
fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
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
    size: usize,
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
        octal(&mut block, field::SIZE, self.size as u64);
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

/// The sum of all bytes of the header, those of the sum itself taken for blanks.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let own = field::CHECKSUM.0..field::CHECKSUM.0 + field::CHECKSUM.1;
    let byte = |(at, byte): (usize, &u8)| u32::from(if own.contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

fn bytes_of(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// The records of an extended header, by their keys.
type Records = BTreeMap<String, Vec<u8>>;

#[cfg(test)]
mod tests;
