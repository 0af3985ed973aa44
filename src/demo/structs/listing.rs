//! A structure as a list of declarations, of whatever origin: the running kernel's BTF, a copy recorded from one, or
//! the older text of a lecture.

use crate::observe::btf::{Layout, Member};
use std::fmt;

/// A structure, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// `struct nsproxy`.
    pub head: String,
    /// Bytes that it takes, where known.
    pub size: Option<u64>,
    /// Its lines.
    pub rows: Vec<Row>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// How many structs or unions without a name it stands in.
    pub depth: usize,
    /// Where the member stands and how many bytes it takes, where known.
    pub place: Option<Place>,
    /// The line as C writes it: `refcount_t count;`, `union {`, `};`.
    pub text: String,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the beginning of the outermost struct.
    pub offset: u64,
    /// The first bit, of a bit-field.
    pub bit: Option<u8>,
    /// Bytes.
    pub size: u64,
}

impl fmt::Display for Place {
    /// `152:1` of a bit-field, else `152`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bit {
            Some(bit) => write!(f, "{}:{bit}", self.offset),
            None => write!(f, "{}", self.offset),
        }
    }
}

/// What stands for members that are left out.
pub const LEFT_OUT: &str = "…";

impl Listing {
    /// The lines of `layout`; of its own members only those in `concerned`, unless that is empty.
    pub fn of(layout: &Layout, concerned: &[&str]) -> Self {
        let mut rows = Vec::new();
        let wanted = |member: &Member| concerned.is_empty() || concerned.contains(&member.name.as_str());
        for member in &layout.members {
            let left_out = rows.last().is_some_and(|row: &Row| row.text == LEFT_OUT);
            if wanted(member) {
                rows.extend(lines(member, 0));
            } else if !left_out {
                rows.push(Row { text: LEFT_OUT.to_owned(), ..Row::default() });
            }
        }
        Self { head: layout.name.clone(), size: Some(layout.size), rows }
    }

    /// The lines of an enum.
    pub fn of_constants(name: &str, constants: &[(String, i64)]) -> Self {
        let row =
            |(name, value): &(String, i64)| Row { text: format!("{name} = {value},"), ..Row::default() };
        Self { head: format!("enum {name}"), size: None, rows: constants.iter().map(row).collect() }
    }

    /// The row that declares `name`.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name() == Some(name))
    }

    /// Whether members are left out.
    pub fn is_excerpt(&self) -> bool {
        self.rows.iter().any(|row| row.text == LEFT_OUT)
    }

    /// The name without `struct`.
    pub fn name(&self) -> &str {
        self.head.rsplit(' ').next().unwrap_or_default()
    }
}

fn lines(member: &Member, depth: usize) -> Vec<Row> {
    let place =
        Some(Place { offset: member.offset, bit: member.bits.map(|bits| bits.first), size: member.size });
    match member.declaration.split_once("{…}") {
        Some((before, after)) if !member.members.is_empty() => {
            let open = Row { depth, place, text: format!("{before}{{") };
            let close = Row { depth, place: None, text: format!("}}{after};") };
            let inner = member.members.iter().flat_map(|member| lines(member, depth + 1));
            [open].into_iter().chain(inner).chain([close]).collect()
        }
        _ => vec![Row { depth, place, text: format!("{};", member.declaration) }],
    }
}

impl Row {
    /// The name that it declares.
    pub fn name(&self) -> Option<&str> {
        split(&self.text).map(|(_, name)| name)
    }

    /// The type that it declares that name with: `struct uts_namespace *`.
    pub fn kind(&self) -> Option<String> {
        split(&self.text).map(|(kind, _)| kind)
    }
}

/// The type and the name of a declaration; `None` of what declares nothing.
fn split(text: &str) -> Option<(String, &str)> {
    let text = text.strip_suffix(';')?;
    let text = text.split_once(" : ").map_or(text, |(declaration, _)| declaration);
    let (before, rest) = match text.split_once("(*") {
        Some((before, rest)) => (format!("{before}(*"), rest),
        None => {
            let end = text.find('[').unwrap_or(text.len());
            let begin = text[..end].rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
            (text[..begin].to_owned(), &text[begin..])
        }
    };
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    let name = &rest[..end];
    (!name.is_empty()).then(|| (format!("{}{}", before, &rest[end..]), name))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Structures as text that [`parse`] reads: a head, then a line a row, each with offset and size.
impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {{ {}", self.head, self.size.map(|size| size.to_string()).unwrap_or_default())?;
        for row in &self.rows {
            let (offset, size) = match row.place {
                Some(place) => (place.to_string(), place.size.to_string()),
                None => ("-".to_owned(), "-".to_owned()),
            };
            writeln!(f, "{offset} {size} {} {}", row.depth, row.text)?;
        }
        writeln!(f)
    }
}

/// The structures in `text`, which was made by formatting them; lines that make no sense are passed over.
pub fn parse(text: &str) -> Vec<Listing> {
    let mut all: Vec<Listing> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(4, ' ').collect();
        match (&fields[..], all.last_mut()) {
            ([first, ..], _) if ["struct", "union", "enum"].contains(first) => {
                let (head, size) = line.split_once(" {").unwrap_or((line, ""));
                all.push(Listing { head: head.to_owned(), size: size.trim().parse().ok(), rows: Vec::new() });
            }
            ([offset, size, depth, text], Some(listing)) => {
                let (offset, bit) =
                    offset.split_once(':').map_or((*offset, None), |(at, bit)| (at, Some(bit)));
                let place = offset.parse().ok().zip(size.parse().ok()).map(|(offset, size)| Place {
                    offset,
                    bit: bit.and_then(|bit| bit.parse().ok()),
                    size,
                });
                let depth = depth.parse().unwrap_or(0);
                listing.rows.push(Row { depth, place, text: (*text).to_owned() });
            }
            _ => {}
        }
    }
    all
}

/// The structures in C source: comments and lines of the preprocessor are dropped, a declaration may go over lines.
pub fn parse_c(source: &str) -> Vec<Listing> {
    let mut text = String::new();
    let mut rest = source;
    while let Some((before, comment)) = rest.split_once("/*") {
        text += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    text += rest;
    let kept = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("//"));
    let text = kept.collect::<Vec<_>>().join(" ");
    let mut all = Vec::new();
    for part in text.split('}') {
        let Some((head, body)) = part.split_once('{') else { continue };
        let head = head.trim_start_matches(';').split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rows = Vec::new();
        for declaration in body.replace("...", "…;").split(';') {
            let words = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
            match words.as_str() {
                "" => {}
                LEFT_OUT => rows.push(Row { text: words, ..Row::default() }),
                _ => rows.push(Row { text: format!("{words};"), ..Row::default() }),
            }
        }
        all.push(Listing { head, size: None, rows });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_has_a_type_and_a_name() {
        let parts = |text| split(text).map(|(kind, name)| (kind, name.to_owned()));
        let is = |kind: &str, name: &str| Some((kind.to_owned(), name.to_owned()));
        assert_eq!(parts("refcount_t count;"), is("refcount_t ", "count"));
        assert_eq!(parts("struct net *net_ns;"), is("struct net *", "net_ns"));
        assert_eq!(parts("struct css *subsys[12];"), is("struct css *[12]", "subsys"));
        assert_eq!(parts("int (*fork)(struct task_struct *);"), is("int (*)(struct task_struct *)", "fork"));
        assert_eq!(parts("bool threaded : 1;"), is("bool ", "threaded"));
        assert_eq!(parts("union {"), None);
        assert_eq!(parts("};"), None);
        assert_eq!(parts(LEFT_OUT), None);
    }

    #[test]
    fn c_source_becomes_lines() {
        let source = "// x\nstruct a\n{\n\t...\n\t/* two\n\tlines; */\n\tint *x;\n\t...\n}\n\nstruct b {\n#ifdef C\n  struct c\n\t*d[N];\n#endif\n}\n";
        let listings = parse_c(source);
        let shown: Vec<(&str, Vec<&str>)> = listings
            .iter()
            .map(|one| (one.head.as_str(), one.rows.iter().map(|row| row.text.as_str()).collect()))
            .collect();
        assert_eq!(shown, [("struct a", vec!["…", "int *x;", "…"]), ("struct b", vec!["struct c *d[N];"])]);
    }

    #[test]
    fn what_is_recorded_is_read_back() {
        let row = |depth, place, text: &str| Row { depth, place, text: text.to_owned() };
        let at = |offset, bit, size| Some(Place { offset, bit, size });
        let listing = Listing {
            head: "struct x".to_owned(),
            size: Some(24),
            rows: vec![
                row(0, at(0, None, 16), "union {"),
                row(1, at(0, None, 8), "void *p;"),
                row(0, None, "};"),
                row(0, at(16, Some(3), 1), "bool b : 1;"),
                row(0, None, LEFT_OUT),
            ],
        };
        assert_eq!(parse(&format!("# Linux\n{listing}{listing}")), [listing.clone(), listing]);
    }
}
