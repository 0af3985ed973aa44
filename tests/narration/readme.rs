//! The READMEs show a step as it is printed. Here it is printed again.

use super::text::{chapter, chapters, columns};
use crate::common::container::Running;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use std::path::Path;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_english_readme_shows_what_is_printed),
        as_both(&[], the_chinese_readme_shows_what_is_printed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn the_english_readme_shows_what_is_printed(who: Who) {
    compare(who, "README.md", "en");
}

fn the_chinese_readme_shows_what_is_printed(who: Who) {
    compare(who, "README.zh.md", "zh");
}

/// The first command of the README explains the step `uts` as its block shows it.
fn compare(who: Who, name: &str, lang: &str) {
    let space = Space::new(who);
    let script = "hostname; id; ps; ls /";
    let words = ["run", "--rm", "--network", "none", "--lang", lang, "--explain", "base", "sh", "-c", script];
    let outcome = Running::start(space.command().args(words).env("COLUMNS", "80")).end();
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    let printed = chapter(&chapters(&outcome.err), "uts").text();

    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    assert!(readme.contains(script), "{name} has another first command");
    let marker = "<!-- tests/narration.rs compares this block with what the program prints -->\n```text\n";
    let block = readme.split(marker).nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    assert_eq!(renamed(block), renamed(&printed), "{name}: the block is not what is printed:\n{printed}");
    block.lines().for_each(|line| assert!(columns(line) <= 80, "{line}"));
}

/// The text with one word for each thing that every run has another of.
fn renamed(text: &str) -> String {
    let mut renamed = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        if let Some((hostname, _)) = line.split_once('→').filter(|(before, _)| before.contains("hostname "))
        {
            let host = hostname.trim_end().rsplit(' ').next().unwrap().to_owned();
            line = line.replace(&format!(" {host} →"), " HOST →");
        }
        while line.contains("──") {
            line = line.replace("──", "─");
        }
        let words = line.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
        renamed.extend(words.map(renamed_word));
        renamed.push('\n');
    }
    renamed
}

fn renamed_word(word: &str) -> String {
    let end = word.trim_end_matches(|character: char| !character.is_ascii_alphanumeric()).len();
    let (name, rest) = word.split_at(end);
    let is_id = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Pids and inodes; `12`, the length of an id, is neither.
    let is_number =
        !name.is_empty() && name != "12" && name != "0" && name.bytes().all(|byte| byte.is_ascii_digit());
    match (is_id, is_number) {
        (true, _) => format!("ID{rest}"),
        (_, true) => format!("N{rest}"),
        _ => word.to_owned(),
    }
}
