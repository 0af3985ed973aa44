//! The program `lab`, started on a program that was built for it.

use crate::common::space::{Who, as_person, directory_for, program_named};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// What `lab --report json` says of one lesson.
pub struct Told {
    /// Its exit status.
    pub status: i32,
    /// The lesson.
    pub lesson: Value,
}

impl Told {
    /// The verdict on `check`: `pass`, `not-yet`, `fail`, `cannot`, `broken`; with all that is said of it.
    pub fn verdict(&self, check: &str) -> (String, Value) {
        let checks = self.lesson["checks"].as_array().unwrap();
        let found = checks.iter().find(|one| one["name"] == check);
        let verdict = &found.unwrap_or_else(|| panic!("no {check}: {:#}", self.lesson))["verdict"];
        match verdict {
            Value::String(word) => (word.clone(), Value::Null),
            Value::Object(fields) => {
                fields.iter().next().map(|(word, said)| (word.clone(), said.clone())).unwrap()
            }
            other => panic!("{other}"),
        }
    }
}

/// The checkout that is tested.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The examples of the lessons, built once, where everybody may execute them.
pub fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        let directory = directory_for(Who::Root).unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--examples", "--message-format=json", "--manifest-path"])
            .arg(checkout().join("lessons/Cargo.toml"))
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "the lessons do not build: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let messages = String::from_utf8(built.stdout).unwrap();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for executable in messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)) {
            let copy = directory.path().join(executable.file_name().unwrap());
            // Another process copies: see `common::space`.
            assert!(Command::new("cp").arg(&executable).arg(copy).status().unwrap().success());
        }
        directory
    });
    directory.path().join(name)
}

/// `lab LESSON` as `who`, on the built example `program`, which is to play `mutant`.
pub fn grade(who: Who, lesson: &str, program: &str, mutant: &str) -> Told {
    told_by(&mut command(who, lesson, program, mutant))
}

/// The same as if each function had been written by itself, and ours took the place of all others.
pub fn grade_alone(who: Who, lesson: &str, program: &str, mutant: &str) -> Told {
    told_by(command(who, lesson, program, mutant).env("LAB_ALONE", "1"))
}

fn command(who: Who, lesson: &str, program: &str, mutant: &str) -> Command {
    let mut words = as_person(who);
    words.push(program_named("lab").display().to_string());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args([lesson, "--report", "json", "--with"]).arg(example(program));
    command.env("LAB_MUTANT", mutant).current_dir("/");
    command
}

fn told_by(command: &mut Command) -> Told {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let document: Value = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("no report: {said}{}", String::from_utf8_lossy(&output.stderr)));
    Told { status: output.status.code().unwrap(), lesson: document["lessons"][0].clone() }
}
