//! The text of a part: the student's in `lab.rs`, and ours where it stands.

use std::fmt::Write as _;

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

/// Lines of two texts side by side, each column so wide.
pub fn beside(left: &str, right: &str, width: usize) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let mut out = String::new();
    for index in 0..left.len().max(right.len()) {
        let [one, other] = [&left, &right].map(|lines| lines.get(index).copied().unwrap_or_default());
        let padding = width.saturating_sub(one.chars().count());
        let _ = writeln!(out, "{one}{:padding$} │ {other}", "");
    }
    out
}

/// The names in the student's `text` by which it would let the product do the work: ours, called by their path.
pub fn borrowed<'a>(text: &str, parts: &'a [super::lesson::Part]) -> Option<&'a str> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code: String = code.split_whitespace().collect();
    parts.iter().map(|part| part.field).find(|field| code.contains(&format!("Parts::REFERENCE.{field}")))
}

/// The first part of `lesson` that the `text` of a program made of all lessons does not use, as `MODULE::FUNCTION`.
pub fn left_out(text: &str, lesson: &super::lesson::Lesson) -> Option<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let used = |path: &String| {
        code.match_indices(&**path).any(|(at, _)| {
            let ends = |rest: Option<char>| !rest.is_some_and(|next| next.is_alphanumeric() || next == '_');
            ends(code[at + path.len()..].chars().next()) && ends(code[..at].chars().next_back())
        })
    };
    let module = lesson.name.replace('-', "_");
    lesson.parts.iter().map(|part| format!("{module}::{}", part.function)).find(|path| !used(path))
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
    fn two_texts_stand_side_by_side() {
        assert_eq!(beside("a\nbb\n", "c\n", 3), "a   │ c\nbb  │ \n");
    }
}
