//! The text of a part: the student's in `lab.rs`, and ours where it stands.

/// The function `name` in `text`, with the comments and attributes right before it, as it stands there.
pub fn function<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut at = 0;
    let mut start = None;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with("///") || trimmed.starts_with("#[") {
            start.get_or_insert(at);
        } else if is_head(trimmed, name) {
            found = Some((start.unwrap_or(at), at));
            break;
        } else {
            start = None;
        }
        at += line.len();
    }
    let (start, head) = found?;
    let open = head + text[head..].find('{')?;
    let mut depth = 0usize;
    for (index, byte) in text[open..].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(&text[start..=open + index]);
        }
    }
    None
}

/// The number of the line of `text` where the function `name` begins, from 1.
pub fn line_of(text: &str, name: &str) -> Option<usize> {
    text.lines().position(|line| is_head(line.trim_start(), name)).map(|index| index + 1)
}

/// Whether `line` begins the function `name`.
fn is_head(line: &str, name: &str) -> bool {
    let after = line.split_once("fn ").filter(|(before, _)| !before.contains("//")).map(|(_, after)| after);
    after.is_some_and(|after| after.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', '<'])))
}

/// The functions of `parts` that `text` has not, or has as `todo!()` yet.
pub fn unfinished(text: &str, parts: &[super::lesson::Part]) -> Vec<&'static str> {
    let open = |part: &&super::lesson::Part| {
        function(text, part.function).is_none_or(|body| body.contains("todo!("))
    };
    parts.iter().filter(open).map(|part| part.function).collect()
}

/// What of ours the student's `text` would let do the work: a part of the product's, or the function that it is, called by
/// its path. All that a file needs of them is one `..Parts::REFERENCE`.
pub fn borrowed(text: &str, parts: &[super::lesson::Part]) -> Option<String> {
    let code = code(text);
    let reference = code.match_indices("REFERENCE").find(|(at, _)| !code[..*at].ends_with("..Parts::"));
    if let Some((at, _)) = reference {
        let start = code[..at].trim_end_matches(|c: char| is_word(c) || c == ':').len();
        let end = at + code[at..].find(|c: char| !is_word(c) && c != '.').unwrap_or(code.len() - at);
        return Some(code[start..end].to_owned());
    }
    let ours = parts.iter().filter_map(|part| part.ours.first());
    ours.filter_map(|(file, function)| Some(format!("{}::{function}", module(file)?)))
        .find(|path| uses(&code, path))
}

/// `src/network/make.rs` is the module `make`, `src/overlay/mod.rs` is `overlay`.
fn module(file: &str) -> Option<&str> {
    let mut names = file.strip_suffix(".rs")?.rsplit('/');
    names.next().and_then(|name| if name == "mod" { names.next() } else { Some(name) })
}

/// The beginning of a student's `main`, without space. All that is left of it are the parts.
const MAIN: &str = "fnmain()->ExitCode{minidocker::main(Parts{";
/// Its end.
const REST: &str = "..Parts::REFERENCE})}";

/// The first function of the student's that the `main` in `text` does not hand over, as `field: function`; or `main`
/// itself, if it does something else than that. Whose functions nobody calls would be graded by ours.
pub fn not_handed_over(text: &str, parts: &[super::lesson::Part]) -> Option<String> {
    let code = code(text);
    let inside = code.split_once(MAIN).and_then(|(_, rest)| rest.split_once(REST)).map(|(inside, _)| inside);
    let alone = code.matches("fnmain(").count() == 1 && code.matches("REFERENCE").count() == 1;
    let Some(inside) = inside.filter(|_| alone && !text.contains("LAB_OURS")) else {
        return Some("main".to_owned());
    };
    let given: Vec<&str> = inside.split(',').collect();
    let is_given = |part: &&super::lesson::Part| {
        let (field, function) = (part.field, part.function);
        given.contains(&&*format!("{field}:{function}")) || (field == function && given.contains(&field))
    };
    parts.iter().find(|part| !is_given(part)).map(|part| format!("{}: {}", part.field, part.function))
}

/// `text` without comments, literals and space.
fn code(text: &str) -> String {
    super::grade::reach::code_alone(text).split_whitespace().collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether `path` stands in `code`, and neither a longer name nor that of something else.
fn uses(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let goes_on = |next: Option<char>| next.is_some_and(is_word);
        !goes_on(code[at + path.len()..].chars().next()) && !goes_on(code[..at].chars().next_back())
    })
}

/// The first part of `lesson` that the `text` of a program made of all lessons does not use, as `MODULE::FUNCTION`.
pub fn left_out(text: &str, lesson: &super::lesson::Lesson) -> Option<String> {
    let code = code(text);
    let module = lesson.name.replace('-', "_");
    lesson.parts.iter().map(|part| format!("{module}::{}", part.function)).find(|path| !uses(&code, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "use a;\n\n/// One.\n#[inline]\npub fn one(x: u8) -> u8 {\n    if x > 0 { 1 } else { 2 }\n}\n\nfn other() {}\n";

    #[test]
    fn a_function_is_found_with_its_comment() {
        let one = function(TEXT, "one").unwrap();
        assert!(one.starts_with("/// One.") && one.ends_with("2 }\n}"), "{one}");
        assert_eq!(function(TEXT, "other"), Some("fn other() {}"));
        assert_eq!(function(TEXT, "oth"), None);
        assert_eq!((line_of(TEXT, "one"), line_of(TEXT, "oth")), (Some(5), None));
    }

    #[test]
    fn no_starter_borrows_and_whoever_does_is_found() {
        use crate::lab::lesson::Part;
        for lesson in crate::lab::lessons::LESSONS {
            let path = format!("{}/lessons/{}/lab.rs", env!("CARGO_MANIFEST_DIR"), lesson.name);
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(borrowed(&text, lesson.parts), None, "{}", lesson.name);
            if !lesson.is_whole() {
                assert_eq!(not_handed_over(&text, lesson.parts), None, "{}", lesson.name);
            }
        }
        let parts = &[Part { function: "bridge", field: "bridge", ours: &[("src/network/make.rs", "make")] }];
        let found = |text: &str| borrowed(text, parts);
        assert_eq!(found("// Parts::REFERENCE.uts\nlet a = 1;"), None);
        assert_eq!(found("(Parts::REFERENCE .uts)(spec)").as_deref(), Some("Parts::REFERENCE.uts"));
        assert_eq!(found("const OURS: Parts = Parts::REFERENCE;").as_deref(), Some("Parts::REFERENCE"));
        assert_eq!(found("use minidocker::network::make::make;").as_deref(), Some("make::make"));
        assert_eq!(found("make::makes(); remake::make()"), None);
    }

    #[test]
    fn whoever_hands_over_less_is_found() {
        use crate::lab::lesson::Part;
        let parts = &[
            Part { function: "enter", field: "uts", ours: &[] },
            Part { function: "ipc", field: "ipc", ours: &[] },
        ];
        let found = |inside: &str, more: &str| {
            let main =
                format!("fn main() -> ExitCode {{\n    minidocker::main(Parts {{ {inside} }})\n}}\n{more}");
            not_handed_over(&main, parts)
        };
        assert_eq!(found("ipc, /* mine */ uts: enter, ..Parts::REFERENCE", ""), None);
        assert_eq!(found("ipc, ..Parts::REFERENCE", "").as_deref(), Some("uts: enter"));
        assert_eq!(found("uts: enter, /* ipc, */ ..Parts::REFERENCE", "").as_deref(), Some("ipc: ipc"));
        let more = "const OURS: Parts = Parts { ..Parts::REFERENCE };";
        assert_eq!(found("ipc, uts: enter, ..Parts::REFERENCE", more).as_deref(), Some("main"));
        assert_eq!(not_handed_over("fn main() { exec() }", parts).as_deref(), Some("main"));
    }

    #[test]
    fn a_whole_leaves_nothing_out() {
        for lesson in crate::lab::lessons::LESSONS.iter().filter(|lesson| !lesson.is_whole()) {
            let path = format!("{}/lessons/all/lab.rs", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(left_out(&text, lesson), None);
            let part = format!("{}::{}", lesson.name.replace('-', "_"), lesson.parts[0].function);
            assert_eq!(left_out(&text.replace(&part, "x"), lesson), Some(part));
        }
    }
}
