//! A type as C writes it. C puts the name in the middle: what a name is *called with* (`[16]`, `(void *)`) stands
//! behind it and binds first, what it *points from* (`*`) before it. So a declaration is built from the name outwards.

use super::record::Kind;
use super::{Btf, TypeId};
use std::cell::Cell;

/// What stands for the body of a struct, union or enum without a name.
pub(super) const BODY: &str = "{…}";

/// How many types one declaration may visit. None of the kernel's needs half of it; damaged ones refer to each other
/// without end.
const LONGEST: usize = 60;

/// `type` declared with `name`, which may be empty: `struct uts_namespace *uts_ns`.
pub(super) fn declare(btf: &Btf, id: TypeId, name: &str) -> String {
    Declarer { btf, left: Cell::new(LONGEST) }.declare(id, name.to_owned())
}

struct Declarer<'a> {
    btf: &'a Btf,
    /// Types that may still be visited.
    left: Cell<usize>,
}

impl Declarer<'_> {
    fn declare(&self, id: TypeId, inner: String) -> String {
        let Some(left) = self.left.get().checked_sub(1) else { return joined("…", &inner) };
        self.left.set(left);
        let Some(record) = self.btf.record(id) else { return joined("void", &inner) };
        let own = self.btf.string(record.name);
        let target = record.target().unwrap_or(TypeId(0));
        let tagged = |tag: &str| match own.is_empty() {
            true => joined(&format!("{tag} {BODY}"), &inner),
            false => joined(&format!("{tag} {own}"), &inner),
        };
        match record.kind {
            Some(Kind::Struct) => tagged("struct"),
            Some(Kind::Union) => tagged("union"),
            Some(Kind::Enum | Kind::Enum64) => tagged("enum"),
            Some(Kind::Fwd) => tagged(if record.flag { "union" } else { "struct" }),
            Some(Kind::Ptr) if self.binds_first(target) => self.declare(target, format!("(*{inner})")),
            Some(Kind::Ptr) => self.declare(target, format!("*{inner}")),
            Some(Kind::Array) => {
                let words = self.btf.tail(record).next().unwrap_or_default();
                let (element, length) =
                    (words.first().copied().unwrap_or(0), words.get(2).copied().unwrap_or(0));
                self.declare(TypeId(element), format!("{inner}[{length}]"))
            }
            Some(Kind::FuncProto) => self.declare(target, format!("{inner}({})", self.parameters(id))),
            Some(Kind::Const) => self.modified("const", target, inner),
            Some(Kind::Volatile) => self.modified("volatile", target, inner),
            Some(Kind::Restrict) => self.modified("restrict", target, inner),
            Some(Kind::TypeTag) => self.declare(target, joined(&format!("__{own}"), &inner)),
            _ => joined(own, &inner),
        }
    }

    /// `const` of a pointer stands behind its star, of anything else before the type.
    fn modified(&self, word: &str, target: TypeId, inner: String) -> String {
        match self.btf.record(target).and_then(|record| record.kind) {
            Some(Kind::Ptr) => self.declare(target, joined(word, &inner)),
            _ => format!("{word} {}", self.declare(target, inner)),
        }
    }

    fn parameters(&self, prototype: TypeId) -> String {
        let Some(record) = self.btf.record(prototype) else { return String::new() };
        let each = self.btf.tail(record).map(|words| match (words.first(), words.get(1)) {
            // The last parameter of a function that takes any number has neither name nor type.
            (Some(0), Some(0)) => "...".to_owned(),
            (_, Some(id)) => self.declare(TypeId(*id), String::new()),
            _ => String::new(),
        });
        // Past its budget a declaration ends, and so does a list of sixty thousand parameters.
        let each: Vec<String> = each.take(LONGEST).collect();
        if each.is_empty() { "void".to_owned() } else { each.join(", ") }
    }

    /// Whether `[…]` or `(…)` of this type would bind before a star.
    fn binds_first(&self, id: TypeId) -> bool {
        let kind = self.btf.record(id).and_then(|record| record.kind);
        matches!(kind, Some(Kind::Array | Kind::FuncProto))
    }
}

fn joined(base: &str, inner: &str) -> String {
    if inner.is_empty() { base.to_owned() } else { format!("{base} {inner}") }
}
