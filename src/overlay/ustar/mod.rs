//! A tree as one stream of bytes: the *ustar* format of tar(1), with the extended headers of pax(1) for what its fields
//! cannot hold (long names, nanoseconds, attributes).
//!
//! Each node is a header of 512 bytes, the numbers in it in octal digits, then the contents, filled up to a multiple of
//! 512. Two blocks of zeros end the stream. See tar(5), and POSIX.1-2024, pax, "ustar Interchange Format".

use std::collections::BTreeMap;

mod members;
mod number;
mod read;
mod write;
pub use members::{Members, Source};
pub use read::{Entry, EntryKind, Reader, read};
pub use write::{Form, Member, Sink, Writer, write};

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

/// The sum of all bytes of the header, those of the sum itself taken for blanks.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let own = field::CHECKSUM.0..field::CHECKSUM.0 + field::CHECKSUM.1;
    let byte = |(at, byte): (usize, &u8)| u32::from(if own.contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

/// The records of an extended header, by their keys.
type Records = BTreeMap<String, Vec<u8>>;

#[cfg(test)]
mod tests;
