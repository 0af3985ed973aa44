//! A structure on the stage: as this kernel defines it beside the lecture's older listing, and what changed since.

use super::compare::{Change, Pair, compare};
use super::kernel::Kernel;
use super::lecture;
use super::listing::{Listing, Place, Row};
use super::live::no_btf;
use crate::error::Result;
use crate::narrate::stage::Piece;
use crate::narrate::{Ending, Ink, Stage, columns, text};

/// Say that the structures are those of another kernel, if they are.
pub fn say_origin(stage: &Stage, kernel: &Kernel) {
    if let Some(lacking) = kernel.lacking() {
        stage.lacks(&no_btf(lacking));
        let release = &kernel.release;
        stage.say(&text!(
            "What follows was recorded from {release}; offsets and sizes differ from kernel to kernel.",
            "以下内容录自 {release}；偏移和大小随内核而不同。"
        ));
    }
}

/// `PROGRAM structs NAME`: one type. With `whole`, every member of a large one.
pub fn one(stage: &Stage, program: &str, name: &str, whole: bool) -> Result<u8> {
    let kernel = Kernel::look();
    let listing = kernel.listing_or_near(name, whole)?;
    say_origin(stage, &kernel);
    if kernel.lacking().is_some() {
        stage.blank();
    }
    show(stage, &kernel, &listing, &[]);
    if listing.is_excerpt() && kernel.lacking().is_none() {
        let name = listing.name();
        stage.say(&text!(
            "Members that do not concern containers are left out (…); `{program} structs {name} --all` shows them all.",
            "与容器无关的成员已省略（…）；`{program} structs {name} --all` 显示全部。"
        ));
    }
    stage.end(&ending(program, &listing));
    Ok(if stage.all_held() { 0 } else { 1 })
}

/// What was seen of one type: whether its members lie in it, one after the other.
fn ending(program: &str, listing: &Listing) -> Ending {
    let places: Vec<Place> =
        listing.rows.iter().filter(|row| row.depth == 0).filter_map(|row| row.place).collect();
    let next = |ending: Ending| match pointee(listing) {
        Some(name) => ending.next(&format!("{program} structs {name}")),
        None => ending.next(&format!("{program} structs list_head")),
    };
    let (name, Some(size)) = (listing.name(), listing.size) else {
        let head = &listing.head;
        return next(Ending::default().saw(true, text!("This kernel knows {head}.", "这个内核有 {head}。")));
    };
    let inside = places.iter().all(|place| place.offset + place.size <= size);
    let ascending = places.is_sorted_by_key(|place| place.offset);
    let count = places.len();
    next(Ending::default().saw(
        inside && ascending,
        text!(
            "The {count} members shown stand in ascending order within the {size} bytes of {name}.",
            "列出的 {count} 个成员按偏移递增，都在 {name} 的 {size} 字节之内。"
        ),
    ))
}

/// The first other structure that a member points to.
fn pointee(listing: &Listing) -> Option<String> {
    let target = |kind: String| {
        let name =
            kind.strip_prefix("const ").unwrap_or(&kind).strip_prefix("struct ")?.strip_suffix(" *")?;
        (name != listing.name()).then(|| name.to_owned())
    };
    listing.rows.iter().filter_map(Row::kind).find_map(target)
}

/// Show `listing`, of the lecture's older one `only` these members if any are named. Returns what became of each member
/// that the lecture lists.
pub fn show(stage: &Stage, kernel: &Kernel, listing: &Listing, only: &[&str]) -> Vec<(String, Change)> {
    let (name, release) = (listing.name(), &kernel.release);
    stage.command(&format!("pahole -C {name}"));
    let older = lecture::listing(name, only);
    let constants = kernel.constants();
    let pairs = match &older {
        Some(older) => compare(listing, older, &constants),
        None => listing
            .rows
            .iter()
            .map(|row| Pair { change: Change::Unknown, now: Some(row), then: None })
            .collect(),
    };
    let lecture = text!("the lecture", "讲义");
    let page = Sheet::of(listing, &pairs, older.as_ref());
    match &older {
        Some(older) if page.fits(stage.width()) => page.beside(stage, release, &lecture, older),
        Some(older) => {
            page.below(stage, release);
            stage.blank();
            stage.line(&[(Ink::Faint, &lecture)]);
            stage.line(&[(Ink::Object, &format!("{} {{", older.head))]);
            older.rows.iter().for_each(|row| stage.line(&[(Ink::Plain, &format!("    {}", row.text))]));
            stage.line(&[(Ink::Object, "}")]);
        }
        None => page.below(stage, release),
    }
    if older.is_some() {
        say_changes(stage, name, &pairs, &constants);
    }
    let told =
        pairs.iter().filter_map(|pair| Some((pair.now.or(pair.then)?.name()?.to_owned(), pair.change)));
    told.collect()
}

/// The lines of both listings, set.
struct Sheet<'a> {
    head: String,
    pairs: &'a [Pair<'a>],
    /// Offset, size and sign; and the text of the line.
    left: Vec<(String, String)>,
    width: usize,
    right: usize,
}

impl<'a> Sheet<'a> {
    fn of(listing: &Listing, pairs: &'a [Pair<'a>], older: Option<&Listing>) -> Self {
        let left: Vec<(String, String)> = pairs.iter().map(|pair| (place(pair), line(pair.now))).collect();
        let bytes = listing.size.map(|size| format!("  /* {} */", text!("{size} bytes", "{size} 字节")));
        let head = match listing.rows.is_empty() {
            true => format!("{};", listing.head),
            false => format!("{} {{{}", listing.head, bytes.unwrap_or_default()),
        };
        let widths = left.iter().map(|(place, line)| columns(place) + columns(line));
        let width = widths.chain([columns(&head) + PLACE]).max().unwrap_or(0);
        let then = older.iter().flat_map(|older| older.rows.iter().map(|row| 4 + columns(&row.text)));
        Self { head, pairs, left, width, right: then.max().unwrap_or(0) }
    }

    fn fits(&self, width: usize) -> bool {
        self.width + GAP + self.right <= width
    }

    fn below(&self, stage: &Stage, heading: &str) {
        stage.line(&[(Ink::Faint, heading)]);
        let blank = " ".repeat(PLACE);
        stage.line(&[
            (Ink::Plain, if self.pairs.is_empty() { "" } else { &blank }),
            (Ink::Object, &self.head),
        ]);
        for (pair, (place, line)) in self.pairs.iter().zip(&self.left) {
            stage.line(&self.line(pair, place, line));
        }
        if !self.pairs.is_empty() {
            stage.line(&[(Ink::Plain, &blank), (Ink::Object, "};")]);
        }
    }

    fn beside(&self, stage: &Stage, heading: &str, lecture: &str, older: &Listing) {
        let pad = |taken: usize| " ".repeat((self.width + GAP).saturating_sub(taken));
        stage.line(&[(Ink::Faint, heading), (Ink::Plain, &pad(columns(heading))), (Ink::Faint, lecture)]);
        let blank = " ".repeat(PLACE);
        let gap = pad(PLACE + columns(&self.head));
        let old_head = format!("{} {{", older.head);
        stage.line(&[
            (Ink::Plain, &blank),
            (Ink::Object, &self.head),
            (Ink::Plain, &gap),
            (Ink::Object, &old_head),
        ]);
        for (pair, (place, line)) in self.pairs.iter().zip(&self.left) {
            let gap = pad(columns(place) + columns(line));
            let then = pair.then.map(|row| format!("    {}", row.text)).unwrap_or_default();
            let mut pieces = self.line(pair, place, line).to_vec();
            if !then.is_empty() {
                pieces.extend([(Ink::Plain, gap.as_str()), (Ink::Plain, then.as_str())]);
            }
            stage.line(&pieces);
        }
        let gap = pad(PLACE + 2);
        stage.line(&[(Ink::Plain, &blank), (Ink::Object, "};"), (Ink::Plain, &gap), (Ink::Object, "}")]);
    }

    fn line<'b>(&self, pair: &Pair<'_>, place: &'b str, line: &'b str) -> [Piece<'b>; 2] {
        let ink = match pair.change {
            Change::Changed | Change::Came => Ink::Fact,
            Change::Gone => Ink::Refused,
            Change::Same => Ink::Title,
            Change::Unknown => Ink::Plain,
        };
        [(Ink::Faint, place), (ink, line)]
    }
}

/// Columns before a line: offset, size, sign.
const PLACE: usize = 14;
/// Columns between the two listings.
const GAP: usize = 3;

fn place(pair: &Pair<'_>) -> String {
    let (offset, size) = match pair.now.and_then(|row| row.place) {
        Some(place) => (place.to_string(), place.size.to_string()),
        None => (String::new(), String::new()),
    };
    format!("{offset:>6} {size:>4} {} ", pair.change.sign())
}

fn line(row: Option<&Row>) -> String {
    row.map(|row| format!("{}{}", " ".repeat(4 + 4 * row.depth), row.text)).unwrap_or_default()
}

/// What changed since the lecture's listing, one line a member, with the reason where one is known.
fn say_changes(stage: &Stage, structure: &str, pairs: &[Pair<'_>], constants: &[(String, i64)]) {
    stage.blank();
    let mut signs = text!("Before each line: offset and size in bytes", "每行之前是偏移和大小（字节）");
    for change in [Change::Same, Change::Changed, Change::Came, Change::Gone] {
        if pairs.iter().any(|pair| pair.change == change) {
            let (sign, word) = (change.sign(), meaning(change));
            signs += &text!(", {sign} {word}", "，{sign} {word}");
        }
    }
    stage.say(&text!("{signs}.", "{signs}。"));
    for pair in pairs {
        let kind = |row: Option<&Row>| row.and_then(Row::kind).map(|kind| kind.trim().to_owned());
        let Some(name) = pair.now.or(pair.then).and_then(Row::name) else { continue };
        let told = match pair.change {
            Change::Changed => Some((kind(pair.then), kind(pair.now))),
            Change::Came => Some((None, kind(pair.now))),
            Change::Gone => Some((kind(pair.then), None)),
            Change::Same | Change::Unknown => None,
        };
        if let Some((then, now)) = told {
            stage.change(name, then.as_deref(), now.as_deref());
            if let Some(why) = lecture::why(structure, name, pair.change) {
                stage.line(&[(Ink::Plain, "  "), (Ink::Plain, why.get(crate::narrate::lang()))]);
            }
        }
        for (constant, value) in constants {
            if pair.then.is_some_and(|row| row.text.contains(&format!("[{constant}]"))) {
                stage.fact(constant, &value.to_string());
            }
        }
    }
    if pairs.iter().any(|pair| pair.then.is_some_and(|row| row.text.contains("__rcu"))) {
        stage.say(&text!(
            "__rcu is a note for the checker sparse: read this pointer under RCU only. It is no part of the type, and \
             most compilers do not pass it on to BTF.",
            "__rcu 是写给检查工具 sparse 的注解：只能在 RCU 保护下读取这个指针。它不是类型的一部分，多数编译器不会把它写进 BTF。"
        ));
    }
}

/// What the sign of a change means.
fn meaning(change: Change) -> String {
    match change {
        Change::Same => text!("as in the lecture", "与讲义相同"),
        Change::Changed => text!("changed since", "后来变了"),
        Change::Came => text!("came since", "后来新增"),
        Change::Gone => text!("gone since", "后来没有了"),
        Change::Unknown => String::new(),
    }
}
