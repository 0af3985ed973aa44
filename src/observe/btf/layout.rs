//! The layout of a struct or union: each member with its declaration, offset and size.

use super::declare::declare;
use super::record::{Kind, Record};
use super::{Btf, TypeId};

/// How a struct or union is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `struct nsproxy`.
    pub name: String,
    /// Bytes that it takes.
    pub size: u64,
    /// Its members, in their order.
    pub members: Vec<Member>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name; empty for a struct or union whose members are used as if they were the outer one's.
    pub name: String,
    /// Its type: `struct uts_namespace *`. `{…}` stands for the body of a type without a name.
    pub kind: String,
    /// Both, as C writes them: `struct uts_namespace *uts_ns`.
    pub declaration: String,
    /// Bytes from the beginning of the outermost struct.
    pub offset: u64,
    /// Bytes that it takes; of a bit-field, those that it shares with its neighbours. 0 where BTF does not say.
    pub size: u64,
    /// Which bits, of a bit-field.
    pub bits: Option<Bits>,
    /// The members of its type, where that has no name of its own.
    pub members: Vec<Member>,
}

/// The place of a bit-field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The first bit, counted from the beginning of the byte at the member's offset.
    pub first: u8,
    /// How many.
    pub count: u8,
}

/// How deep types without a name may stand in each other, and how many members all of them may have together; the
/// kernel's are far below, and damaged ones may contain themselves.
const DEEPEST: usize = 12;
const MOST: usize = 2_000;

/// How often a type may be named by another before it is taken for a circle.
const LONGEST_CHAIN: usize = 32;

impl Btf {
    /// The layout of the struct or union `name`; `None` when this kernel has none.
    pub fn layout(&self, name: &str) -> Option<Layout> {
        let id = self.find(&[Kind::Struct, Kind::Union], name)?;
        let record = self.record(id)?;
        let mut left = MOST;
        let members = self.members(record, 0, DEEPEST, &mut left);
        Some(Layout { name: declare(self, id, ""), size: record.size()?, members })
    }

    /// `id` with `name`, as C declares it.
    pub fn declaration(&self, id: TypeId, name: &str) -> String {
        declare(self, id, name)
    }

    /// The type that a typedef names, as C writes it.
    pub fn typedef(&self, name: &str) -> Option<String> {
        let record = self.record(self.find(&[Kind::Typedef], name)?)?;
        Some(declare(self, record.target()?, ""))
    }

    fn members(&self, record: Record, base: u64, depth: usize, left: &mut usize) -> Vec<Member> {
        let mut members = Vec::new();
        for words in self.tail(record) {
            let (&[name, id, place], Some(rest)) = (&words[..], left.checked_sub(1)) else { break };
            *left = rest;
            members.push(self.member(record, base, (self.string(name), TypeId(id), place), depth, left));
        }
        members
    }

    fn member(
        &self,
        record: Record,
        base: u64,
        (name, id, place): (&str, TypeId, u32),
        depth: usize,
        left: &mut usize,
    ) -> Member {
        let (position, width) = split(record, place);
        let offset = base + u64::from(position / 8);
        let nameless = self.nameless(id).filter(|_| depth > 0);
        let members = nameless.map(|inner| self.members(inner, offset, depth - 1, left)).unwrap_or_default();
        let bits = (width > 0).then_some(Bits { first: (position % 8) as u8, count: width });
        let mut declaration = declare(self, id, name);
        if let Some(Bits { count, .. }) = bits {
            declaration += &format!(" : {count}");
        }
        let kind = declare(self, id, "");
        Member {
            name: name.to_owned(),
            kind,
            declaration,
            offset,
            size: self.size(id).unwrap_or(0),
            bits,
            members,
        }
    }

    /// The record of a struct or union without a name that is this type, or the elements of this array.
    fn nameless(&self, id: TypeId) -> Option<Record> {
        let mut record = self.plain(id)?;
        for _ in 0..LONGEST_CHAIN {
            match record.kind? {
                Kind::Array => record = self.plain(TypeId(*self.tail(record).next()?.first()?))?,
                Kind::Struct | Kind::Union => return self.string(record.name).is_empty().then_some(record),
                _ => return None,
            }
        }
        None
    }

    /// The record that is left of a type without `const`, `volatile`, `restrict` and tags.
    pub(super) fn plain(&self, id: TypeId) -> Option<Record> {
        self.followed(id, Kind::is_modifier).map(|(_, record)| record)
    }

    /// The first type that is none of those that `through` picks, on the way from one to the type that it names.
    pub(super) fn followed(&self, mut id: TypeId, through: fn(Kind) -> bool) -> Option<(TypeId, Record)> {
        for _ in 0..LONGEST_CHAIN {
            let record = self.record(id)?;
            if !through(record.kind?) {
                return Some((id, record));
            }
            id = record.target()?;
        }
        None
    }

    /// How many bytes a value of this type takes. A pointer takes eight: the kernels that describe themselves so have
    /// 64 bits on every machine that this crate runs on.
    pub fn size(&self, id: TypeId) -> Option<u64> {
        const POINTER: u64 = 8;
        let mut id = id;
        let mut times = 1u64;
        for _ in 0..LONGEST_CHAIN {
            let (_, record) = self.followed(id, |kind| kind.is_modifier() || kind == Kind::Typedef)?;
            match record.kind? {
                Kind::Ptr => return times.checked_mul(POINTER),
                Kind::Array => {
                    let words = self.tail(record).next()?;
                    times = times.checked_mul(u64::from(*words.get(2)?))?;
                    id = TypeId(*words.first()?);
                }
                _ => return times.checked_mul(record.size()?),
            }
        }
        None
    }
}

/// The place of a member in bits, and the width of a bit-field or 0. With `kind_flag` both share a word.
pub(super) fn split(record: Record, place: u32) -> (u32, u8) {
    if record.flag { (place & 0xff_ffff, (place >> 24) as u8) } else { (place, 0) }
}
