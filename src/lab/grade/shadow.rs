//! The package in which others' files are built: `lab/grade/` in cargo's target directory.
//!
//! It has nothing of the directory that is graded but the files put there. Its only dependency is the `minidocker` that
//! the lessons of the grader's own checkout are built with, with the same settings, and once for all submissions.

use crate::error::Result;
use crate::lab::build::{self, Built};
use crate::lab::lesson::Lesson;
use crate::narrate::text;
use crate::sys::flags::O_DIRECTORY;
use crate::sys::{file, lock};
use std::fmt::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Where the source of `minidocker` was when this grader was built.
const BUILT_FROM: &str = env!("CARGO_MANIFEST_DIR");

/// So many seconds the compiler may take for one file.
const PATIENCE: u32 = 120;
/// Of what the compiler says, no more bytes are kept.
const MOST: usize = 32 << 10;

/// How the name of a program begins: not as those of the lessons, which stand in the same directory.
const NAME: &str = "graded-";

/// The package. Nobody else has it at the same time.
#[derive(Debug)]
pub struct Shadow {
    directory: PathBuf,
    manifest: String,
    target: String,
    _alone: OwnedFd,
}

impl Shadow {
    /// Make it anew, for `lessons` of `checkout`. Whoever grades there just now is waited for.
    pub fn make(checkout: &Path, lessons: &[&Lesson]) -> Result<Self> {
        let source = &source_of(checkout)?;
        let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = chosen.unwrap_or_else(|| source.join("target"));
        let directory = target.join("lab/grade");
        file::mkdir_all(&directory, 0o755)?;
        let alone = file::open_file(&directory, O_DIRECTORY, 0)?;
        lock::lock_file(alone.as_fd(), &directory, true, true)?;
        let settings = file::read_text(&source.join("Cargo.toml"))?;
        keep(&directory.join("Cargo.toml"), &manifest(source, &settings, lessons))?;
        // The very versions that were tested. cargo leaves out what is not needed.
        if let Some(versions) = file::if_there(file::read_text(&source.join("Cargo.lock")))? {
            file::write_new(&directory.join("Cargo.lock"), &versions, 0o644)?;
        }
        keep(&directory.join("lib.rs"), "//! What the files stand beside.\n")?;
        let manifest = directory.join("Cargo.toml").display().to_string();
        let shadow = Self { directory, manifest, target: target.display().to_string(), _alone: alone };
        // All but the files themselves, which may take as long as it takes.
        build::cargo(&shadow.arguments("--lib", None), false)?;
        Ok(shadow)
    }

    /// Put the file of a lesson into it, in the place of whoever's was there.
    pub fn put(&self, lesson: &Lesson, text: &str) -> Result<()> {
        let directory = self.directory.join(lesson.name);
        file::mkdir_all(&directory, 0o755)?;
        keep(&directory.join("lab.rs"), text)
    }

    /// Build the program of a lesson. The compiler's messages name the file as the student does.
    pub fn build(&self, lesson: &Lesson, color: bool) -> Result<Built> {
        let name = format!("{NAME}{}", lesson.name);
        let built = build::cargo_within(PATIENCE, &self.arguments("--example", Some(&name)), color)?;
        Ok(match built {
            Built::Broken(said) if said.is_empty() => Built::Broken(text!(
                "the compiler had not ended after {PATIENCE} s",
                "编译器在 {PATIENCE} 秒之后还没有结束"
            )),
            Built::Broken(said) => Built::Broken(self.as_the_student_sees(&said)),
            program => program,
        })
    }

    /// What cargo is to build.
    fn arguments<'a>(&'a self, kind: &'a str, name: Option<&'a str>) -> Vec<&'a str> {
        let mut arguments = vec!["build", "--quiet", "--manifest-path", &*self.manifest];
        arguments.extend(["--target-dir", &*self.target, kind]);
        arguments.extend(name);
        arguments
    }

    fn as_the_student_sees(&self, said: &str) -> String {
        let here = format!("{}/", self.directory.display());
        let lines = said.split_inclusive('\n').map(|line| match line.split_once("--> ") {
            Some((before, place)) if place.contains("/lab.rs:") => format!("{before}--> lessons/{place}"),
            _ => line.to_owned(),
        });
        let mut said = lines.collect::<String>().replace(&here, "");
        if let Some(end) =
            (0..=MOST).rev().find(|end| said.is_char_boundary(*end)).filter(|_| said.len() > MOST)
        {
            said.truncate(end);
            said += "\n…\n";
        }
        said
    }
}

/// The `minidocker` that the lessons of `checkout` depend on, by its absolute path.
fn source_of(checkout: &Path) -> Result<PathBuf> {
    let package = checkout.join("lessons");
    let text = file::read_text(&package.join("Cargo.toml"))?;
    let source = dependency(&text).map_or_else(|| PathBuf::from(BUILT_FROM), |path| package.join(path));
    file::path_of(file::open_file(&source, O_DIRECTORY, 0)?.as_fd())
}

/// The path in the line `minidocker = { path = "…" }` of a manifest.
fn dependency(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines();
    let line = lines.find_map(|line| line.strip_prefix("minidocker")?.trim_start().strip_prefix('='))?;
    line.split_once("path")?.1.split('"').nth(1)
}

/// Let the file at `path` say `text`. One that says so already stays as it is, so that cargo builds nothing anew.
fn keep(path: &Path, text: &str) -> Result<()> {
    match file::if_there(file::read_text(path))? {
        Some(there) if there == text => Ok(()),
        _ => file::write_new(path, text, 0o644),
    }
}

/// `Cargo.toml` for `lessons`, with the profiles that stand in that of `minidocker`, `settings`.
fn manifest(source: &Path, settings: &str, lessons: &[&Lesson]) -> String {
    let path = toml_string(&source.display().to_string());
    let mut text = format!(
        "[package]\nname = \"minidocker-graded\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\
         autoexamples = false\n\n[workspace]\n\n[lib]\npath = \"lib.rs\"\n\n[dependencies]\nminidocker = {{ path = {path} }}\n"
    );
    for lesson in lessons {
        let name = lesson.name;
        let _ = write!(text, "\n[[example]]\nname = \"{NAME}{name}\"\npath = \"{name}/lab.rs\"\n");
    }
    text + "\n" + &profiles(settings)
}

/// The tables `[profile…]` of a manifest, as they stand there.
fn profiles(manifest: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.starts_with("[profile");
        }
        if inside {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// A basic string of TOML.
fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_are_those_of_minidocker() {
        let settings = "[package]\nname = \"a\"\n\n[profile.dev]\ndebug = 1\n\n[profile.dev.package.\"*\"]\n\
                        debug = false\n\n[lints]\nx = 1\n";
        let expected = "[profile.dev]\ndebug = 1\n\n[profile.dev.package.\"*\"]\ndebug = false\n\n";
        assert_eq!(profiles(settings), expected);
        assert_eq!(dependency("[dependencies]\nminidocker = { path = \"..\" }\n"), Some(".."));
        assert_eq!(dependency("[dependencies]\nminidocker-x = { path = \"a\" }\nminidocker = \"1\"\n"), None);
        let text = manifest(Path::new("/a \"b\""), settings, &[]);
        assert!(
            text.contains("minidocker = { path = \"/a \\\"b\\\"\" }") && text.ends_with(expected),
            "{text}"
        );
    }
}
