//! Whether the text of a file makes the compiler read other files: by `include!` and its like, or by a `path` attribute.
//!
//! Only the one file is taken of a directory, and what the compiler reads on the grader's machine may end up in the
//! messages that a student gets.

/// The macros of the standard library that read a file.
const READERS: [&str; 3] = ["include", "include_str", "include_bytes"];

/// What in `text` reads another file, if anything does.
pub fn beyond(text: &str) -> Option<&'static str> {
    let code = code_alone(text);
    let mut words = code.split(|character: char| !(character.is_alphanumeric() || character == '_'));
    if let Some(reader) = words.find_map(|word| READERS.into_iter().find(|reader| *reader == word)) {
        return Some(reader);
    }
    let dense: String = code.split_whitespace().collect();
    let attributes =
        dense.split('#').skip(1).filter_map(|after| after.trim_start_matches('!').strip_prefix('['));
    let mut insides = attributes.map(|attribute| attribute.split(']').next().unwrap_or_default());
    let has_path =
        |inside: &str| inside.starts_with("path=") || inside.contains(",path=") || inside.contains("(path=");
    insides.any(has_path).then_some("#[path]")
}

/// `text` without its comments and literals, each of which is a blank.
pub fn code_alone(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = comment(rest).or_else(|| literal(rest, out.chars().next_back()));
        out.push(if taken.is_some() { ' ' } else { first });
        rest = &rest[taken.unwrap_or(first.len_utf8())..];
    }
    out
}

/// The length of the comment that `text` begins with. Block comments stand in one another.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.strip_prefix("/*")?;
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let step = match rest {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return Some(at);
        }
    }
    Some(text.len())
}

/// The length of the literal that `text` begins with, after the character `before`: a string, raw or not, or a
/// character. A lifetime is none.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    if let Some(raw) = text.strip_prefix('r').filter(|_| !in_word || before == Some('b')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            return Some(inside.find(&end).map_or(text.len(), |at| 2 + hashes + at + end.len()));
        }
    }
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first))?;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(at + 1),
            // `'a` is a lifetime: only one character stands between the quotes, unless it is escaped.
            _ if quote == '\'' && at > 1 && !text[1..].starts_with('\\') => return None,
            _ => {}
        }
    }
    (quote == '"').then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_a_file_is_found() {
        for (text, found) in [
            ("include!(\"/etc/passwd\");", "include"),
            ("const A: &str = core::include_str ! (\"x\");", "include_str"),
            ("use std::include_bytes as x;", "include_bytes"),
            ("#[path = \"/x.rs\"] mod x;", "#[path]"),
            ("#[cfg_attr(all(), path = \"x\")]\nmod x;", "#[path]"),
            ("# ! [ path = \"x\" ]", "#[path]"),
            ("fn a<'a>() {} /* \" */ include!(\"x\");", "include"),
            ("const Q: char = '\"'; include!(\"x\");", "include"),
            ("let q = b'\\''; include!(\"x\");", "include"),
            ("let q = r#\"a\"#; include!(\"x\");", "include"),
        ] {
            assert_eq!(beyond(text), Some(found), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_it_is_not() {
        for text in [
            "// include!(\"x\")",
            "/* a /* #[path = x] */ include! */ fn a() {}",
            "let s = \"include!(\\\"x\\\")\";",
            "let s = r##\"include!(\"#) \"##;",
            "let path = Path::new(\"x\"); format!(\"{path}\", path = 1);",
            "fn included<'include>() {}".replace("'include", "'a").as_str(),
        ] {
            assert_eq!(beyond(text), None, "{text}");
        }
    }
}
