//! The text of an explanation, taken apart.

use crate::common::container::Running;
use crate::common::space::Space;

/// One step as it was explained.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// `uts`, `overlay`, …
    pub word: String,
    /// The rule with the title.
    pub heading: String,
    /// What follows it; a line of the program's with its continuations, which are indented deeper, is one.
    pub lines: Vec<String>,
}

impl Chapter {
    /// Whether this process spoke: `runtime` or `init`, in English or Chinese.
    pub fn is_by(&self, role: &str) -> bool {
        self.heading.contains(&format!("─ {role}, pid "))
    }

    /// The pid in the heading.
    pub fn pid(&self) -> u32 {
        let after = self.heading.split(", pid ").nth(1).unwrap();
        after.split(' ').next().unwrap().parse().unwrap()
    }

    /// The calls, each on one line, with the continuations put behind.
    pub fn calls(&self) -> Vec<String> {
        let is_call =
            |line: &&String| line.starts_with("     ") && line.contains('(') && line.contains(") =");
        self.lines
            .iter()
            .map(|line| joined(line))
            .collect::<Vec<_>>()
            .iter()
            .filter(is_call)
            .cloned()
            .collect()
    }

    /// The whole chapter as it was printed.
    pub fn text(&self) -> String {
        let mut text = self.heading.clone() + "\n";
        self.lines.iter().for_each(|line| text += &(line.clone() + "\n"));
        text.trim_end().to_owned()
    }
}

/// The parts of a broken line, put together: no blank where the line was broken inside a word.
pub fn joined(line: &str) -> String {
    let mut parts = line.split('\n');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if !whole.ends_with(['|', '/', ':']) {
            whole.push(' ');
        }
        whole.push_str(part.trim_start());
    }
    whole
}

/// Take an explanation apart.
pub fn chapters(text: &str) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("── ") {
            let word = rest.split(' ').next().unwrap().to_owned();
            chapters.push(Chapter { word, heading: line.to_owned(), lines: Vec::new() });
            continue;
        }
        // Before the first step a minidocker may make its state root.
        let Some(chapter) = chapters.last_mut() else {
            assert!(line.is_empty() || line.starts_with("     mkdir("), "before any heading: {line:?}");
            continue;
        };
        let deep = line.starts_with("      ");
        match chapter.lines.last_mut() {
            Some(last) if deep => *last += &format!("\n{line}"),
            _ => chapter.lines.push(line.to_owned()),
        }
    }
    chapters
}

/// The first chapter with this word.
pub fn chapter<'a>(chapters: &'a [Chapter], word: &str) -> &'a Chapter {
    let found = chapters.iter().find(|chapter| chapter.word == word);
    found.unwrap_or_else(|| panic!("no step {word} in {:?}", words(chapters)))
}

/// The words of the steps, in order.
pub fn words(chapters: &[Chapter]) -> Vec<&str> {
    chapters.iter().map(|chapter| chapter.word.as_str()).collect()
}

/// What `minidocker run OPTIONS base true` explains, at 80 columns.
pub fn explained(space: &Space, options: &[&str]) -> String {
    explained_at(space, "80", options)
}

/// The same at so many columns.
pub fn explained_at(space: &Space, columns: &str, options: &[&str]) -> String {
    let words = [&["run", "--rm", "--explain"], options, &["base", "true"]].concat();
    let outcome = Running::start(space.command().args(words).env("COLUMNS", columns)).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, ""), "{}", outcome.err);
    outcome.err
}

/// Whether a character is a Chinese one, or Chinese punctuation: two columns wide.
pub fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}')
}

/// How many columns of a terminal a line takes.
pub fn columns(line: &str) -> usize {
    line.chars().map(|character| 1 + usize::from(is_chinese(character))).sum()
}
