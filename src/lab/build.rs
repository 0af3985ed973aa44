//! The student's program, made by cargo from the student's file.

use crate::error::Result;
use crate::sys::command::{self, Output};
use std::path::{Path, PathBuf};

/// What came of it.
#[derive(Debug)]
pub enum Built {
    /// The program.
    Program(PathBuf),
    /// It does not compile: what cargo said.
    Broken(String),
}

/// The checkout: where `lessons/` is. cargo says where, when it runs this program; else the working directory or the
/// next one above that has it.
pub fn checkout() -> Option<PathBuf> {
    let is_one = |path: &Path| crate::sys::file::exists(&path.join("lessons/Cargo.toml")).unwrap_or(false);
    let by_cargo = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = std::env::current_dir().ok();
    let mut starts = [by_cargo, here].into_iter().flatten();
    starts.find_map(|path| Some(path.ancestors().find(|above| is_one(above))?.to_owned()))
}

/// Build the example `name` of the package of the lessons in `checkout`, and return where it is. `color`: cargo's
/// messages are for a terminal.
pub fn build(checkout: &Path, name: &str, color: bool) -> Result<Built> {
    let manifest = checkout.join("lessons/Cargo.toml").display().to_string();
    cargo(&["build", "--quiet", "--manifest-path", &manifest, "--example", name], color)
}

/// Let cargo build the one program that `arguments` ask for.
pub(super) fn cargo(arguments: &[&str], color: bool) -> Result<Built> {
    run(&[], arguments, color)
}

/// The same, in no more than so many seconds; then cargo and the compiler are ended.
pub(super) fn cargo_within(seconds: u32, arguments: &[&str], color: bool) -> Result<Built> {
    run(&["timeout", "--kill-after=5", &seconds.to_string()], arguments, color)
}

/// Let cargo do it, `through` another program if there is one.
fn run(through: &[&str], arguments: &[&str], color: bool) -> Result<Built> {
    let format = if color { "json-diagnostic-rendered-ansi" } else { "json" };
    let format = format!("--message-format={format}");
    let manner = [&*format, "--color", if color { "always" } else { "never" }];
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let words = [through, &[&*cargo], arguments, &manner].concat();
    let Output { status, stdout, stderr } = command::run(Path::new(words[0]), &words[1..], "")?;
    let messages: Vec<serde_json::Value> =
        stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    // A test comes with the binaries that it drives, in any order.
    let wanted = arguments.iter().skip_while(|argument| !["--example", "--test"].contains(argument)).nth(1);
    let is_wanted =
        |message: &&serde_json::Value| wanted.is_none_or(|name| message["target"]["name"] == **name);
    let executable = messages.iter().rev().filter(is_wanted).find_map(|one| one["executable"].as_str());
    match executable {
        Some(path) if status == 0 => Ok(Built::Program(path.into())),
        _ => Ok(Built::Broken(said(&messages, &stderr))),
    }
}

/// What the compiler said of errors, or else all that cargo said.
fn said(messages: &[serde_json::Value], stderr: &str) -> String {
    let errors = messages.iter().filter(|message| message["message"]["level"] == "error");
    let rendered: String = errors.filter_map(|message| message["message"]["rendered"].as_str()).collect();
    if rendered.is_empty() { stderr.to_owned() } else { rendered }
}
