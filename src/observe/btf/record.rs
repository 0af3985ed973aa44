//! One record of the type section: `struct btf_type`, and the words that follow it.

use super::{Btf, TypeId};

/// What a type is: BTF_KIND_* of linux/btf.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the kinds are those of Documentation/bpf/btf.rst")]
pub enum Kind {
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

impl Kind {
    /// In the order of their numbers, from 1.
    const ALL: [Kind; 19] = [
        Kind::Int,
        Kind::Ptr,
        Kind::Array,
        Kind::Struct,
        Kind::Union,
        Kind::Enum,
        Kind::Fwd,
        Kind::Typedef,
        Kind::Volatile,
        Kind::Const,
        Kind::Restrict,
        Kind::Func,
        Kind::FuncProto,
        Kind::Var,
        Kind::Datasec,
        Kind::Float,
        Kind::DeclTag,
        Kind::TypeTag,
        Kind::Enum64,
    ];

    /// Whether it says only how a type is to be used, and leaves its layout as it is.
    pub fn is_modifier(self) -> bool {
        matches!(self, Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag)
    }

    /// How many groups of how many words follow a record of this kind with `count` elements.
    fn tail(self, count: usize) -> (usize, usize) {
        match self {
            Kind::Int | Kind::Var | Kind::DeclTag => (1, 1),
            Kind::Array => (1, 3),
            Kind::Struct | Kind::Union | Kind::Datasec | Kind::Enum64 => (count, 3),
            Kind::Enum | Kind::FuncProto => (count, 2),
            _ => (0, 0),
        }
    }
}

/// `struct btf_type`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    at: usize,
    /// Its name: an offset in the string section.
    pub name: u32,
    /// Its kind, if it is one of linux/btf.h.
    pub kind: Option<Kind>,
    /// `kind_flag`: whether the offsets of members hold the widths of bit-fields too; of an enum, whether it is signed.
    pub flag: bool,
    /// `vlen`: how many members, constants or parameters follow.
    count: usize,
    number: u8,
    /// `size` in bytes, or the number of another type: which of them, the kind decides.
    size_or_type: u32,
}

impl Record {
    /// Bytes that it takes, without what follows it.
    pub const LENGTH: usize = 12;

    pub fn new(at: usize, [name, info, size_or_type]: [u32; 3]) -> Self {
        let number = (info >> 24 & 0x1f) as u8;
        let kind = usize::from(number).checked_sub(1).and_then(|index| Kind::ALL.get(index)).copied();
        Self { at, name, kind, flag: info >> 31 == 1, count: (info & 0xffff) as usize, number, size_or_type }
    }

    /// The number of its kind.
    pub fn number(self) -> u8 {
        self.number
    }

    /// Bytes that follow it; `None` when its kind is not known.
    pub fn tail(self) -> Option<usize> {
        let (groups, words) = self.kind?.tail(self.count);
        Some(groups * words * 4)
    }

    /// The type that it refers to: what a pointer points to, what a typedef names, what a function returns.
    pub fn target(self) -> Option<TypeId> {
        use Kind::*;
        let refers = matches!(
            self.kind?,
            Ptr | Typedef | Volatile | Const | Restrict | Func | FuncProto | Var | DeclTag | TypeTag
        );
        refers.then_some(TypeId(self.size_or_type))
    }

    /// Its size in bytes, where the record itself says it.
    pub fn size(self) -> Option<u64> {
        use Kind::*;
        matches!(self.kind?, Int | Struct | Union | Enum | Enum64 | Float | Datasec)
            .then_some(self.size_or_type.into())
    }
}

/// The groups of words that follow a record: one a member, a constant or a parameter.
pub(super) struct Tail<'a> {
    btf: &'a Btf,
    at: usize,
    groups: usize,
    words: usize,
}

impl<'a> Tail<'a> {
    pub fn new(btf: &'a Btf, record: Record) -> Self {
        let (groups, words) = record.kind.map_or((0, 0), |kind| kind.tail(record.count));
        Self { btf, at: record.at + Record::LENGTH, groups, words }
    }
}

impl Iterator for Tail<'_> {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        self.groups = self.groups.checked_sub(1)?;
        let words = (0..self.words).map(|index| self.btf.word(self.at + 4 * index)).collect();
        self.at += 4 * self.words;
        words
    }
}
