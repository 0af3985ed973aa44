//! The package in which others' files are built: `lab/grade/` in cargo's target directory.
//!
//! It has nothing of the directory that is graded but the files put there. Its only dependency is the `minidocker` that
//! this grader itself was built from, built with the same settings, and once for all submissions.

use crate::error::Result;
use crate::lab::build::{self, Built};
use crate::lab::lesson::Lesson;
use crate::sys::file::Kind;
use crate::sys::flags::O_DIRECTORY;
use crate::sys::{file, lock, remove};
use std::fmt::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Where this very grader's source is.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

/// The package. Nobody else has it at the same time.
#[derive(Debug)]
pub struct Shadow {
    directory: PathBuf,
    target: PathBuf,
    _alone: OwnedFd,
}

impl Shadow {
    /// Make it anew, for `lessons`. Whoever grades there just now is waited for.
    pub fn make(lessons: &[&Lesson]) -> Result<Self> {
        let source = Path::new(SOURCE);
        let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = chosen.unwrap_or_else(|| source.join("target"));
        let directory = target.join("lab/grade");
        file::mkdir_all(&directory, 0o755)?;
        let alone = file::open_file(&directory, O_DIRECTORY, 0)?;
        lock::lock_file(alone.as_fd(), &directory, true, true)?;
        for (name, kind) in file::list(&directory)? {
            let path = directory.join(name);
            if kind == Kind::Directory { remove::remove_all(&path)? } else { file::unlink(&path)? }
        }
        let settings = file::read_text(&source.join("Cargo.toml"))?;
        file::write_new(&directory.join("Cargo.toml"), &manifest(source, &settings, lessons), 0o644)?;
        // The very versions that were tested. cargo leaves out what is not needed.
        if let Some(versions) = file::if_there(file::read_text(&source.join("Cargo.lock")))? {
            file::write_new(&directory.join("Cargo.lock"), &versions, 0o644)?;
        }
        file::write_new(&directory.join("lib.rs"), "//! What the files stand beside.\n", 0o644)?;
        Ok(Self { directory, target, _alone: alone })
    }

    /// Put the file of a lesson into it, unless it is there already.
    pub fn put(&self, lesson: &Lesson, text: &str) -> Result<()> {
        let directory = self.directory.join(lesson.name);
        file::mkdir_all(&directory, 0o755)?;
        let path = directory.join("lab.rs");
        if file::exists(&path)? { Ok(()) } else { file::write_new(&path, text, 0o644) }
    }

    /// Build the program of a lesson. The compiler's messages name the file as the student does.
    pub fn build(&self, lesson: &Lesson, color: bool) -> Result<Built> {
        let target = self.target.display().to_string();
        let name = format!("lab-{}", lesson.name);
        let manifest = self.directory.join("Cargo.toml").display().to_string();
        let arguments = ["build", "--quiet", "--manifest-path", &manifest, "--example", &name];
        let built = build::cargo(&[&arguments[..], &["--target-dir", &target]].concat(), color)?;
        Ok(match built {
            Built::Broken(said) => Built::Broken(self.as_the_student_sees(&said)),
            program => program,
        })
    }

    fn as_the_student_sees(&self, said: &str) -> String {
        let here = format!("{}/", self.directory.display());
        let lines = said.split_inclusive('\n').map(|line| match line.split_once("--> ") {
            Some((before, place)) if place.contains("/lab.rs:") => format!("{before}--> lessons/{place}"),
            _ => line.to_owned(),
        });
        lines.collect::<String>().replace(&here, "")
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
        let _ = write!(text, "\n[[example]]\nname = \"lab-{name}\"\npath = \"{name}/lab.rs\"\n");
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
        let text = manifest(Path::new("/a \"b\""), settings, &[]);
        assert!(
            text.contains("minidocker = { path = \"/a \\\"b\\\"\" }") && text.ends_with(expected),
            "{text}"
        );
    }
}
