//! The rules of the house, checked on the text of `src/`: what may stand where, who may import whom, and how
//! long a function or a file may be.
//!
//! The text is read with comments, strings and test modules blanked, so a word in a sentence is no violation.
#![allow(clippy::unwrap_used)] // a panic is a verdict

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One source file.
struct Source {
    /// Its path as it is reported: `src/sys/file.rs`.
    name: String,
    /// Its text as it is.
    text: String,
    /// Its text without comments and the contents of literals, each blanked by spaces: same lines, same columns.
    code: String,
    /// `code` without `#[cfg(test)]` modules.
    product: String,
    /// `product` without the name of the type `std::fs::File`.
    without_file_type: String,
}

impl Source {
    fn read(path: &Path, root: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let code = blank_comments_and_literals(&text);
        let is_tests = path.file_name().is_some_and(|name| name == "tests.rs");
        let product = if is_tests { blank_all(&code) } else { blank_test_modules(&code) };
        let without_file_type = product.replace("std::fs::File;", "").replace("std::fs::File,", "");
        let name = path.strip_prefix(root).unwrap().display().to_string();
        Self { name, text, code, product, without_file_type }
    }

    /// The room of the house it stands in: `sys`, `network`, `bin`, …; `lib` for the table of contents.
    fn room(&self) -> &str {
        let inside = self.name.strip_prefix("src/").unwrap();
        inside.split('/').next().unwrap().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join("src"), &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "src/ was not found whole: {} files", paths.len());
    paths.iter().map(|path| Source::read(path, root)).collect()
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What is being read, while blanking.
enum Reading {
    Code,
    Line,
    Block(usize),
    Text,
    RawText(usize),
}

/// Replace every character of a comment, and every character inside a literal, by a space.
fn blank_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut reading = Reading::Code;
    let mut index = 0;
    while index < chars.len() {
        let (here, next) = (chars[index], at(index + 1));
        let mut taken = 1;
        reading = match reading {
            Reading::Code => match (here, next) {
                ('/', '/') => Reading::Line,
                ('/', '*') => Reading::Block(0),
                ('"', _) => Reading::Text,
                ('r', '"' | '#') if raw_hashes(&chars, index).is_some() => {
                    let hashes = raw_hashes(&chars, index).unwrap();
                    taken = hashes + 2;
                    Reading::RawText(hashes)
                }
                ('\'', _) => {
                    taken = character_literal(&chars, index).unwrap_or(1);
                    Reading::Code
                }
                _ => Reading::Code,
            },
            Reading::Line if here == '\n' => Reading::Code,
            Reading::Block(depth) if (here, next) == ('/', '*') => {
                taken = 2;
                Reading::Block(depth + 1)
            }
            Reading::Block(depth) if (here, next) == ('*', '/') => {
                taken = 2;
                if depth <= 1 { Reading::Code } else { Reading::Block(depth - 1) }
            }
            Reading::Text if here == '\\' => {
                taken = 2;
                Reading::Text
            }
            Reading::Text if here == '"' => Reading::Code,
            Reading::RawText(hashes) if here == '"' && (1..=hashes).all(|n| at(index + n) == '#') => {
                taken = 1 + hashes;
                Reading::Code
            }
            other => other,
        };
        // A comment's first `/` was code a moment ago; what is left of code after this is code.
        let keep = matches!(reading, Reading::Code) && taken == 1 && here != '"' && here != '\'';
        for character in &chars[index..(index + taken).min(chars.len())] {
            out.push(if *character == '\n' || keep { *character } else { ' ' });
        }
        if matches!(reading, Reading::Block(0)) {
            reading = Reading::Block(1);
            out.push(' ');
            index += 1;
        }
        index += taken;
    }
    out
}

/// For the `r` of a raw string at `index`: the number of its hashes.
fn raw_hashes(chars: &[char], index: usize) -> Option<usize> {
    let before = index.checked_sub(1).map(|index| chars[index]);
    if before.is_some_and(|before| is_word(before) && before != 'b') {
        return None;
    }
    let hashes = chars[index + 1..].iter().take_while(|character| **character == '#').count();
    (chars.get(index + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// The length of a character literal that begins at `index`; `None` for a lifetime.
fn character_literal(chars: &[char], index: usize) -> Option<usize> {
    if chars.get(index + 1) == Some(&'\\') {
        let end = chars[index + 3..].iter().position(|character| *character == '\'')?;
        return Some(end + 4);
    }
    (chars.get(index + 2) == Some(&'\'')).then_some(3)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn blank_all(code: &str) -> String {
    code.chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect()
}

/// Blank every `#[cfg(test)] mod … { … }`.
fn blank_test_modules(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::new();
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        let (before, from) = rest.split_at(start);
        let end = match (from.find('{'), from.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
                open + block_length(&from[open..])
            }
            (_, Some(semicolon)) => semicolon + 1,
            _ => from.len(),
        };
        out += before;
        out += &blank_all(&from[..end]);
        rest = &from[end..];
    }
    out + rest
}

/// The length of the block that begins with the brace at the start of `code`.
fn block_length(code: &str) -> usize {
    let mut depth = 0;
    for (index, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    code.len()
}

/// Where `needle` stands in `code` with no word character before it, nor after it if it ends in one.
fn occurrences<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(needle).map(|(index, _)| index).filter(move |index| {
        let begins = needle.starts_with(is_word);
        let ends = needle.ends_with(is_word);
        let before = code[..*index].chars().next_back();
        let after = code[index + needle.len()..].chars().next();
        let goes_on = begins && before.is_some_and(is_word) || ends && after.is_some_and(is_word);
        !goes_on
    })
}

fn line_of(code: &str, index: usize) -> usize {
    code[..index].matches('\n').count() + 1
}

/// Every place where one of `needles` stands in what `text` shows of the files that `concerned` picks.
fn places(
    needles: &[&str],
    concerned: impl Fn(&Source) -> bool,
    text: impl Fn(&Source) -> &str,
) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| concerned(source)) {
        let code = text(source);
        for needle in needles {
            let lines = occurrences(code, needle).map(|index| line_of(code, index));
            found.extend(lines.map(|line| format!("{}:{line}: `{needle}`", source.name)));
        }
    }
    found
}

#[track_caller]
fn none(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule}\n  {}", violations.join("\n  "));
}

#[test]
fn only_the_door_speaks_to_the_kernel_itself() {
    let found =
        places(&["libc::", "nix::", "unsafe"], |source| source.room() != "sys", |source| &source.code);
    none(&found, "`libc`, `nix` and `unsafe` stand only under src/sys:");
}

#[test]
fn no_request_goes_around_the_door() {
    const AROUND: &[&str] = &[
        "std::fs",
        "fs::",
        "File::open",
        "File::create",
        "File::options",
        "OpenOptions",
        "std::process::Command",
        "process::Command",
        "TcpStream",
        "UdpSocket",
        "UnixStream",
        "UnixListener",
        ".canonicalize()",
        ".exists()",
        ".try_exists()",
        ".is_dir()",
        ".is_file()",
        ".is_symlink()",
        ".metadata()",
        ".symlink_metadata()",
        ".read_dir()",
        ".read_link()",
    ];
    // A reader of the evidence asks for nothing, and must not appear in the trace it is printed beside.
    let concerned = |source: &Source| !["sys", "observe", "narrate"].contains(&source.room());
    let mut found = places(AROUND, concerned, |source| &source.product);
    // Nor can the observer speak through the door that it watches: what it opened there it holds as a `File`.
    let narrator = places(AROUND, |source| source.room() == "narrate", |source| &source.without_file_type);
    found.extend(narrator);
    none(&found, "files and programs are opened only through src/sys (src/observe reads for itself):");
}

#[test]
fn only_words_and_programs_print() {
    const PRINTS: &[&str] =
        &["print!", "println!", "eprint!", "eprintln!", "dbg!", "colored", "io::stdout", "io::stderr"];
    let concerned = |source: &Source| !["narrate", "bin"].contains(&source.room());
    none(
        &places(PRINTS, concerned, |source| &source.product),
        "only src/narrate and src/bin print or colour:",
    );
}

const MECHANISMS: &[&str] =
    &["namespace", "cgroup", "overlay", "rootfs", "network", "security", "image", "console"];

/// Imports of one mechanism by another, each with the reason why the kernel, or the shape of the thing, forces it.
const FORCED: &[(&str, &str, &str)] =
    &[("image", "overlay", "a layer is kept in the form in which overlayfs takes it, whiteouts and all")];

/// What each room may import.
fn may_import(room: &str) -> Vec<&'static str> {
    match room {
        "error" | "observe" => vec![],
        "sys" => vec!["error"],
        "step" => vec!["sys", "error"],
        "process" => vec!["namespace", "step", "sys", "error"],
        "state" => vec!["process", "step", "sys", "error"],
        // The files of a layer are many owners', and whoever writes them must be root over all of these.
        "image" => vec!["process", "step", "sys", "error"],
        mechanism if MECHANISMS.contains(&mechanism) => vec!["step", "sys", "error"],
        "container" => [MECHANISMS, &["process", "state", "step", "error"]].concat(),
        // It is the observer, and says what the values of the door and of the readers mean.
        "narrate" => {
            [MECHANISMS, &["container", "observe", "process", "state", "step", "sys", "error"]].concat()
        }
        "demo" => {
            let above = ["container", "narrate", "observe", "process", "state", "step", "sys", "error"];
            [MECHANISMS, &above].concat()
        }
        // It looks at what the kernel says, starts programs, and waits for them.
        "lab" => {
            let above = [
                "container",
                "demo",
                "narrate",
                "observe",
                "process",
                "said",
                "state",
                "step",
                "sys",
                "error",
            ];
            [MECHANISMS, &above].concat()
        }
        "cli" => {
            let above = [
                "demo",
                "narrate",
                "lab",
                "said",
                "container",
                "observe",
                "process",
                "state",
                "step",
                "error",
            ];
            [MECHANISMS, &above].concat()
        }
        "bin" => vec!["cli", "narrate", "lab", "container"],
        other => panic!("src/{other} has no place in the table of who may import whom: tests/tidy.rs"),
    }
}

/// The rooms that `source` imports, each with a line: `crate::ROOM`, `crate::{ROOM, …}`, `minidocker::ROOM`.
fn imports(source: &Source) -> Vec<(String, usize)> {
    let code = &source.product;
    let door = if source.room() == "bin" { "minidocker::" } else { "crate::" };
    let mut found = Vec::new();
    for index in occurrences(code, door) {
        let after = &code[index + door.len()..];
        let list = if after.starts_with('{') { &after[1..block_length(after) - 1] } else { after };
        let mut depth = 0;
        let mut starts = vec![0];
        for (at, byte) in list.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b',' if depth == 0 && after.starts_with('{') => starts.push(at + 1),
                _ => {}
            }
        }
        for start in starts {
            let room: String = list[start..].trim_start().chars().take_while(|c| is_word(*c)).collect();
            if !room.is_empty() {
                found.push((room, line_of(code, index)));
            }
        }
    }
    found
}

#[test]
fn imports_go_one_way() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.room() != "lib") {
        let room = source.room();
        let allowed = may_import(room);
        for (import, line) in imports(source) {
            let between_mechanisms =
                MECHANISMS.contains(&room) && MECHANISMS.contains(&import.as_str()) && room != import;
            let own = import == room || (room == "bin" && import == "main");
            if !own && !between_mechanisms && !allowed.contains(&import.as_str()) {
                found.push(format!("{}:{line}: src/{room} imports `{import}`", source.name));
            }
        }
    }
    none(
        &found,
        "bin → cli, narrate, lab → container → mechanisms → step → sys → error; observe stands alone:",
    );
}

#[test]
fn mechanisms_do_not_import_each_other() {
    let mut found = Vec::new();
    let mut used = Vec::new();
    for source in sources().iter().filter(|source| MECHANISMS.contains(&source.room())) {
        for (import, line) in imports(source) {
            if import == source.room() || !MECHANISMS.contains(&import.as_str()) {
                continue;
            }
            match FORCED.iter().find(|(who, whom, _)| (*who, *whom) == (source.room(), import.as_str())) {
                Some(forced) => used.push(*forced),
                None => found.push(format!("{}:{line}: `{import}`", source.name)),
            }
        }
    }
    none(&found, "a mechanism imports another only where tests/tidy.rs gives the reason:");
    let idle = FORCED.iter().filter(|forced| !used.contains(forced));
    let idle: Vec<String> = idle.map(|(who, whom, _)| format!("{who} → {whom}")).collect();
    none(&idle, "an exception that nobody needs any more:");
}

/// Where the body of the function at the start of `code` begins, if it has one: no `;` comes before it, but in
/// the type of an array.
fn body_of(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' => return Some(index),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Every function with a body: where it stands and how many lines it has, from `fn` to its closing brace.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    let mut found = Vec::new();
    for index in occurrences(code, "fn") {
        let after = &code[index..];
        let name: String = after[2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
        // A function pointer's type has no name; a trait's method may have no body.
        let (Some(open), false) = (body_of(after), name.is_empty()) else { continue };
        let lines = after[..open + block_length(&after[open..])].matches('\n').count() + 1;
        found.push((format!("{}:{}: {name}", source.name, line_of(code, index)), lines));
    }
    found
}

#[test]
fn a_function_fits_on_a_screen() {
    let all: Vec<(String, usize)> = sources().iter().flat_map(functions).collect();
    assert!(all.len() > 300, "functions were not found: {}", all.len());
    let say = |(place, lines): &(String, usize)| format!("{place}: {lines} lines");
    let long: Vec<String> = all.iter().filter(|(_, lines)| *lines > 70).map(say).collect();
    none(&long, "no function has more than 70 lines:");
    let longish: Vec<String> = all.iter().filter(|(_, lines)| *lines >= 40).map(say).collect();
    if longish.len() * 10 > all.len() {
        none(&longish, "nine of ten functions have less than 40 lines; these have not:");
    }
}

#[test]
fn a_file_says_first_what_it_is() {
    let silent = sources();
    let silent = silent
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}:1: {}", source.name, source.text.lines().next().unwrap_or("(empty)")));
    none(&silent.collect::<Vec<_>>(), "every file begins with `//!`:");
}

#[test]
fn a_file_can_be_read_in_one_go() {
    let all = sources();
    let long =
        all.iter().map(|source| (source, source.text.lines().count())).filter(|(_, lines)| *lines > 400);
    let long: Vec<String> = long.map(|(source, lines)| format!("{}: {lines} lines", source.name)).collect();
    none(&long, "no file has more than 400 lines:");
}

#[test]
fn the_text_speaks_of_containers_only() {
    const STRANGE: &[&str] =
        &["issue #", "issue 1", "issue 2", "this session", "the chief", "Claude", "/tmp/md", "/work/"];
    let mut found = places(STRANGE, |_| true, |source| &source.text);
    for name in ["Cargo.toml", "README.md", "README.zh.md", "rustfmt.toml", "clippy.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for word in STRANGE {
            let lines = occurrences(&text, word).map(|index| line_of(&text, index));
            found.extend(lines.map(|line| format!("{name}:{line}: `{word}`")));
        }
    }
    none(&found, "how the text came about is no part of it:");
}

#[test]
fn the_reader_of_this_test_sees_code_alone() {
    let text = "fn a<'x>() { let c = '\"'; /* fn b { */ let s = r#\"libc:: \"#; } // unsafe {\nfn d() {}\n";
    let code = blank_comments_and_literals(text);
    assert_eq!(code.len(), text.len());
    let mut shown = String::new();
    write!(shown, "{}", code.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
    assert_eq!(shown, "fn a< x>() { let c = ; let s = ; } fn d() {}");
    let module = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    assert_eq!(
        blank_test_modules(module).split_whitespace().collect::<Vec<_>>().join(" "),
        "fn a() {} fn c() {}"
    );
}
