//! BTF: the kernel's own description of its types, `/sys/kernel/btf/vmlinux`. Documentation/bpf/btf.rst.
//!
//! The file has a header and two sections. The *type section* is a row of records `struct btf_type`, each followed by
//! what its *kind* asks for: the members of a struct, the length of an array. A record has no number written in it:
//! the first is type 1, the next type 2, and records name each other by these numbers; type 0 is `void`. The *string
//! section* holds all names, each ended by a zero byte, and a record names one by its offset there.
//!
//! [`Btf::parse`] walks over all records once and remembers where each begins; everything else reads the records
//! anew. No byte is trusted: a length, a number or an offset that leads out of the file is [`Damage`], and types that
//! contain each other without end are cut off ([`layout`]).
//!
//! | module | what |
//! |---|---|
//! | [`record`] | one record: its kind, its name, what follows it |
//! | [`layout`] | a struct as C text, with the offset and size of each member |
//! | [`declare`] | a type as C writes it: `int (*fn)(void *)` |
//! | [`path`] | where a member stands, for whoever reads memory by these offsets |

mod declare;
mod layout;
mod path;
mod record;
#[cfg(test)]
mod tests;

pub use layout::{Bits, Layout, Member};
pub use path::Field;
pub use record::Kind;

use record::{Record, Tail};

/// Where the running kernel describes its types; needs CONFIG_DEBUG_INFO_BTF.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// The number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeId(pub u32);

/// A description of types.
#[derive(Debug, Clone)]
pub struct Btf {
    bytes: Vec<u8>,
    big_endian: bool,
    /// Where each record begins: of type N at N - 1.
    records: Vec<usize>,
    /// The string section.
    strings: std::ops::Range<usize>,
}

/// Why there is no description to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// There is no such file: the kernel was built without it, or `/sys` is not mounted here.
    NoFile,
    /// It may not be read: the reason as the kernel gives it.
    Unreadable(String),
    /// It makes no sense.
    Damaged(Damage),
}

/// What makes no sense in a file, and the offset in bytes where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It does not begin with the magic number 0xeb9f.
    NotBtf,
    /// A version other than 1.
    Version(u8),
    /// A section, a record or a list leads out of the file.
    Truncated(usize),
    /// A kind of type that this reader does not know, so that it cannot find the next record.
    UnknownKind(u8, usize),
}

impl Btf {
    /// What the running kernel says of itself.
    pub fn of_running_kernel() -> Result<Self, Lacking> {
        match std::fs::read(VMLINUX) {
            Ok(bytes) => Self::parse(bytes).map_err(Lacking::Damaged),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Lacking::NoFile),
            Err(error) => Err(Lacking::Unreadable(error.to_string())),
        }
    }

    /// Read `bytes`, of either endianness: struct btf_header, and where each record begins.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Damage> {
        const HEADER: usize = 24;
        let big_endian = match bytes.get(..2) {
            Some([0x9f, 0xeb]) => false,
            Some([0xeb, 0x9f]) => true,
            _ => return Err(Damage::NotBtf),
        };
        let mut btf = Self { bytes, big_endian, records: Vec::new(), strings: 0..0 };
        let word = |offset: usize| btf.word(offset).ok_or(Damage::Truncated(offset));
        let version = btf.bytes.get(2).copied().unwrap_or_default();
        if version != 1 {
            return Err(Damage::Version(version));
        }
        let header = word(4)? as usize;
        if header < HEADER {
            return Err(Damage::Truncated(4));
        }
        let section = |at: usize| {
            let (offset, length) = (word(at)? as usize, word(at + 4)? as usize);
            let begin = header.checked_add(offset).ok_or(Damage::Truncated(at))?;
            let end = begin.checked_add(length).filter(|end| *end <= btf.bytes.len());
            Ok(begin..end.ok_or(Damage::Truncated(at))?)
        };
        let (types, strings) = (section(8)?, section(16)?);
        btf.strings = strings;
        let mut at = types.start;
        while at < types.end {
            let record = btf.record_at(at).ok_or(Damage::Truncated(at))?;
            let tail = record.tail().ok_or(Damage::UnknownKind(record.number(), at))?;
            let next = at + Record::LENGTH + tail;
            if next > types.end {
                return Err(Damage::Truncated(at));
            }
            btf.records.push(at);
            at = next;
        }
        Ok(btf)
    }

    /// The record of a type; `None` for `void` and for a number that no record has.
    fn record(&self, id: TypeId) -> Option<Record> {
        let at = *self.records.get((id.0 as usize).checked_sub(1)?)?;
        self.record_at(at)
    }

    fn record_at(&self, at: usize) -> Option<Record> {
        Some(Record::new(at, [self.word(at)?, self.word(at + 4)?, self.word(at + 8)?]))
    }

    /// The words that follow `record`, in groups of as many as its kind has for each member.
    fn tail(&self, record: Record) -> Tail<'_> {
        Tail::new(self, record)
    }

    /// The 32 bits at `offset` of the file.
    fn word(&self, offset: usize) -> Option<u32> {
        let bytes = self.bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// The name at `offset` of the string section; empty when there is none.
    fn string(&self, offset: u32) -> &str {
        let section = self.bytes.get(self.strings.clone()).unwrap_or_default();
        let from = section.get(offset as usize..).unwrap_or_default();
        let end = from.iter().position(|byte| *byte == 0).unwrap_or(0);
        std::str::from_utf8(&from[..end]).unwrap_or_default()
    }

    /// How many types it describes.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it describes none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Every type that has a name: its number, kind and name.
    pub fn named(&self) -> impl Iterator<Item = (TypeId, Kind, &str)> {
        let records = self.records.iter().enumerate();
        records.filter_map(|(index, at)| {
            let record = self.record_at(*at)?;
            let name = self.string(record.name);
            (!name.is_empty()).then_some((TypeId(index as u32 + 1), record.kind?, name))
        })
    }

    /// The first type of one of these kinds with this name.
    pub fn find(&self, kinds: &[Kind], name: &str) -> Option<TypeId> {
        self.named().find(|(_, kind, own)| *own == name && kinds.contains(kind)).map(|(id, ..)| id)
    }

    /// The constants of an enum, in their order: `cpuset_cgrp_id` is 0, …
    pub fn constants(&self, name: &str) -> Option<Vec<(String, i64)>> {
        let record = self.record(self.find(&[Kind::Enum, Kind::Enum64], name)?)?;
        let value = |words: &[u32]| match words {
            [_, low, high] => (u64::from(*high) << 32 | u64::from(*low)) as i64,
            [_, value] if record.flag => i64::from(*value as i32),
            [_, value] => i64::from(*value),
            _ => 0,
        };
        let constants = self.tail(record).map(|words| (self.string(words[0]).to_owned(), value(&words)));
        Some(constants.collect())
    }
}
