//! Where a member stands: for whoever reads the memory of the kernel by the names of its members.

use super::layout::split;
use super::record::Kind;
use super::{Btf, TypeId};

/// A member by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the beginning of the struct.
    pub offset: u64,
    /// Its type.
    pub id: TypeId,
}

/// How deep a member may stand in structs and unions without a name, and how many members are looked at.
const DEEPEST: usize = 8;
const MOST: usize = 2_000;

fn is_name_for(kind: Kind) -> bool {
    kind.is_modifier() || kind == Kind::Typedef
}

impl Btf {
    /// The member `name` of the struct or union `id`, also where it stands in one without a name. `None` for a
    /// bit-field: it has no address.
    pub fn field(&self, id: TypeId, name: &str) -> Option<Field> {
        self.field_within(id, name, DEEPEST, &mut { MOST })
    }

    fn field_within(&self, id: TypeId, name: &str, depth: usize, left: &mut usize) -> Option<Field> {
        let (_, record) = self.followed(id, is_name_for)?;
        if !matches!(record.kind?, Kind::Struct | Kind::Union) {
            return None;
        }
        self.tail(record).find_map(|words| {
            let &[own, member, place] = &words[..] else { return None };
            *left = left.checked_sub(1)?;
            let (position, width) = split(record, place);
            let offset = u64::from(position / 8);
            match self.string(own) {
                own if own == name => (width == 0).then_some(Field { offset, id: TypeId(member) }),
                "" if depth > 0 => {
                    let inner = self.field_within(TypeId(member), name, depth - 1, left)?;
                    Some(Field { offset: offset + inner.offset, id: inner.id })
                }
                _ => None,
            }
        })
    }

    /// What a pointer of type `id` points to; `None` when it is no pointer.
    pub fn pointee(&self, id: TypeId) -> Option<TypeId> {
        let (_, record) = self.followed(id, is_name_for)?;
        (record.kind? == Kind::Ptr).then(|| record.target()).flatten()
    }

    /// The type and number of the elements of an array; `None` when it is no array.
    pub fn elements(&self, id: TypeId) -> Option<(TypeId, u32)> {
        let (_, record) = self.followed(id, is_name_for)?;
        if record.kind? != Kind::Array {
            return None;
        }
        let words = self.tail(record).next()?;
        Some((TypeId(*words.first()?), *words.get(2)?))
    }
}
