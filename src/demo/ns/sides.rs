//! Two processes side by side: the namespaces of each, kind by kind, and what the kernel answered.

use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::{Ink, Stage, text};
use crate::observe::{self, KINDS, Subject, Who};

/// The namespaces of a process, in the order of [`KINDS`]; `None` for a kind that this kernel has not.
pub type Namespaces = Vec<Option<String>>;

/// Read the namespaces of `who`.
pub fn namespaces(who: Who) -> Namespaces {
    KINDS.iter().map(|kind| observe::read(&Subject::Namespace(who, kind))).collect()
}

/// One namespace of the reader: a name in `/proc/self/ns`.
pub fn own(name: &'static str) -> Option<String> {
    observe::read(&Subject::Namespace(Who::Myself, name))
}

/// The kinds in which two processes differ.
pub fn differing(left: &Namespaces, right: &Namespaces) -> Vec<&'static str> {
    let pairs = KINDS.iter().zip(left.iter().zip(right));
    pairs.filter(|(_, (left, right))| left != right).map(|(kind, _)| *kind).collect()
}

/// A table of both, with a sign for each kind: `=` is the same namespace.
pub fn compare(stage: &Stage, heads: [&str; 2], left: &Namespaces, right: &Namespaces) {
    let row = |((kind, left), right): ((&&str, &Option<String>), &Option<String>)| {
        let sign = if left == right { Entry::of(Ink::Faint, "=") } else { Entry::of(Ink::Fact, "≠") };
        vec![(*kind).into(), shown(left), sign, shown(right)]
    };
    let rows: Vec<_> = KINDS.iter().zip(left).zip(right).map(row).collect();
    stage.table(&["", heads[0], "", heads[1]], &rows);
}

/// A cell for a fact; one that could not be read is empty.
pub fn shown(fact: &Option<String>) -> Entry {
    fact.clone().unwrap_or_default().into()
}

/// What the kernel answered to a request: `0`, or `EINVAL (Invalid argument)`.
pub fn answer<T>(result: &Result<T>) -> String {
    match result {
        Ok(_) => "0".to_owned(),
        Err(error) => error
            .refusal
            .as_ref()
            .map_or_else(|| error.to_string(), |refusal| format!("{} ({})", refusal.name, refusal.message)),
    }
}

/// The words for this side of the wall and the other.
pub fn sides() -> [String; 2] {
    [text!("outside", "外面"), text!("inside", "里面")]
}
