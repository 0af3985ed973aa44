//! Two listings of one structure beside each other: what is the same, what changed, what came and what went.

use super::listing::{LEFT_OUT, Listing, Row};

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has the type that it had.
    Same,
    /// It has another type.
    Changed,
    /// It was not there.
    Came,
    /// It is there no more.
    Gone,
    /// The older listing says nothing of it.
    Unknown,
}

impl Change {
    /// The sign for it: told also without colours.
    pub fn sign(self) -> &'static str {
        match self {
            Change::Same => "=",
            Change::Changed => "~",
            Change::Came => "+",
            Change::Gone => "-",
            Change::Unknown => " ",
        }
    }
}

/// One line of both listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// What became of it.
    pub change: Change,
    /// The line now.
    pub now: Option<&'a Row>,
    /// The line in the older listing.
    pub then: Option<&'a Row>,
}

/// Compare them, line by line, in the order of `now`; what is gone comes where it stood. An older listing that is an
/// excerpt does not say what came.
pub fn compare<'a>(now: &'a Listing, then: &'a Listing, constants: &[(String, i64)]) -> Vec<Pair<'a>> {
    let missing = if then.is_excerpt() { Change::Unknown } else { Change::Came };
    let pair = |row: &'a Row| match row.name().and_then(|name| then.row(name)) {
        Some(old) => {
            let same = plain(row, constants) == plain(old, constants);
            let change = if same { Change::Same } else { Change::Changed };
            Pair { change, now: Some(row), then: Some(old) }
        }
        None if row.name().is_none() => Pair { change: Change::Unknown, now: Some(row), then: None },
        None => Pair { change: missing, now: Some(row), then: None },
    };
    let mut pairs: Vec<Pair<'a>> = now.rows.iter().map(pair).collect();
    let mut after = 0;
    for old in then.rows.iter().filter(|row| row.text != LEFT_OUT) {
        let known = |pair: &Pair<'a>| pair.then == Some(old);
        match pairs.iter().position(known) {
            Some(index) => after = index + 1,
            None => {
                pairs.insert(after, Pair { change: Change::Gone, now: None, then: Some(old) });
                after += 1;
            }
        }
    }
    pairs
}

/// The type of a row as it is compared: constants by their values, and without `__rcu`, which is a note for the checker
/// sparse and no part of the type.
fn plain(row: &Row, constants: &[(String, i64)]) -> Option<String> {
    let mut kind = row.kind()?.replace("__rcu ", "");
    for (name, value) in constants {
        kind = kind.replace(&format!("[{name}]"), &format!("[{value}]"));
    }
    Some(kind)
}

#[cfg(test)]
mod tests {
    use super::super::listing::parse_c;
    use super::*;

    fn signs(now: &str, then: &str) -> String {
        let (now, then) = (parse_c(now).remove(0), parse_c(then).remove(0));
        let constants = [("COUNT".to_owned(), 12)];
        compare(&now, &then, &constants).iter().map(|pair| pair.change.sign()).collect()
    }

    #[test]
    fn each_member_is_the_same_or_changed_or_came_or_is_gone() {
        let then = "struct x { int a; long gone; struct y __rcu *p; int *e[COUNT]; }";
        assert_eq!(signs("struct x { refcount_t a; struct y *p; int *e[12]; int new; }", then), "~-==+");
        assert_eq!(signs("struct x { int *e[11]; }", then), "---~");
    }

    #[test]
    fn an_excerpt_does_not_say_what_came() {
        assert_eq!(signs("struct x { int a; int b; }", "struct x { ... int a; }"), "= ");
    }
}
