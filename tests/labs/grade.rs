//! `lab grade DIR`: what is taken of others' files, what is refused, and that nothing else of a directory counts.

use super::program::checkout;
use crate::common::need::Need;
use crate::common::space::program_named;
use crate::common::{Test, test};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    [
        test(&[Need::Root], submissions_are_graded_one_after_the_other),
        test(&[Need::Root], nothing_else_of_the_directory_counts),
        test(&[], what_does_not_build_is_told_with_its_line),
        test(&[], what_cannot_be_taken_is_told),
        test(&[], only_the_one_file_is_read),
        test(&[], ours_in_their_place_is_refused),
        test(&[], another_minidocker_is_refused),
        test(&[], the_grader_itself_is_out_of_reach),
        test(&[], a_wrong_command_is_no_verdict),
        test(&[Need::Root], reports_go_where_they_are_asked_to_go),
        test(&[], what_the_machine_cannot_is_neither_passed_nor_failed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Somebody's directory.
struct Submission(TempDir);

impl Submission {
    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("minidocker-test-").tempdir().unwrap())
    }

    /// With this file for the lesson `uts`.
    fn with(text: &str) -> Self {
        let submission = Self::new();
        submission.put(text);
        submission
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("lessons/uts/lab.rs")
    }

    fn put(&self, text: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        std::fs::write(self.file(), text).unwrap();
    }

    fn lab(&self, words: &[&str]) -> Output {
        lab(&[&["grade", &self.0.path().display().to_string()], words].concat())
    }

    /// The exit status, and the report on `uts`.
    fn graded(&self) -> (i32, Value) {
        let output = self.lab(&["uts", "--report", "json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let report: Value = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), report["lessons"][0].clone())
    }

    /// Why the file was not taken.
    fn reason(&self) -> String {
        let (status, lesson) = self.graded();
        assert_eq!((status, &lesson["earned"]), (1, &0.into()));
        lesson["state"]["no-file"]["en"].as_str().unwrap_or_else(|| panic!("{lesson:#}")).to_owned()
    }
}

fn lab(words: &[&str]) -> Output {
    let mut command = Command::new(program_named("lab"));
    command.args(words).current_dir(checkout()).env("CARGO", env!("CARGO")).env("LC_ALL", "C");
    command.output().unwrap()
}

/// What a student begins with.
fn starter() -> String {
    std::fs::read_to_string(checkout().join("lessons/uts/lab.rs")).unwrap()
}

/// The starter with each `todo!(…)` replaced by what the product does.
fn right() -> String {
    let bodies = [
        "unshare(clone(CLONE_NEWUTS))?; sethostname(&spec.hostname)",
        "unshare(clone(CLONE_NEWIPC))",
        "doors.each().into_iter().try_for_each(|door| setns(door.descriptor, door.path, door.kind))",
    ];
    let text = starter();
    let mut pieces = text.split("    todo!(");
    let mut answer = pieces.next().unwrap().to_owned();
    for (piece, body) in pieces.zip(bodies) {
        let rest = piece.split_once('\n').unwrap().1;
        answer += &format!("    {body}\n{rest}");
    }
    answer
}

fn submissions_are_graded_one_after_the_other() {
    for (text, status, earned) in [(right(), 0, 10), (starter(), 1, 0), (right(), 0, 10)] {
        let (said, lesson) = Submission::with(&text).graded();
        assert_eq!((said, &lesson["earned"], &lesson["state"]), (status, &earned.into(), &"examined".into()));
    }
}

/// Checks of their own, a `minidocker` of their own, programs that cargo would run: none is looked at.
fn nothing_else_of_the_directory_counts() {
    let submission = Submission::with(&starter());
    let top = submission.0.path();
    let mark = top.join("was-here");
    let touch = format!("fn main() {{ std::fs::write({:?}, \"\").unwrap(); }}", mark.display().to_string());
    let put = |name: &str, text: &str| {
        let path = top.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("build.rs", &touch);
    put("lessons/build.rs", &touch);
    put("lessons/uts/check.rs", "compile_error!(\"taken\");");
    put("src/lib.rs", "compile_error!(\"taken\");");
    put("Cargo.toml", "this is no manifest");
    let wrapper = top.join("wrapper");
    put("wrapper", &format!("#!/bin/sh\ntouch {}\nexec \"$@\"\n", mark.display()));
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    put(".cargo/config.toml", &format!("[build]\nrustc-wrapper = {:?}\n", wrapper.display().to_string()));
    let (status, lesson) = submission.graded();
    assert_eq!((status, &lesson["state"]), (1, &"examined".into()), "{lesson:#}");
    assert!(!mark.exists(), "something of the directory was executed");
}

fn what_does_not_build_is_told_with_its_line() {
    let text = starter().replace("todo!(\"leave", "tod!(\"leave");
    let line = 1 + text.lines().position(|line| line.contains("tod!(")).unwrap();
    let (status, lesson) = Submission::with(&text).graded();
    let said = lesson["state"]["does-not-build"].as_str().unwrap_or_else(|| panic!("{lesson:#}"));
    assert!(said.contains(&format!("lessons/uts/lab.rs:{line}:")) && said.contains("tod"), "{said}");
    assert_eq!((status, &lesson["earned"], &lesson["points"]), (2, &0.into(), &10.into()));
    // One that is not a program at all, and one whose signature is another.
    assert_eq!(Submission::with("").graded().0, 2);
    let strange = starter().replace("pub fn enter(spec: &Spec)", "pub fn enter(spec: Spec)");
    let (status, lesson) = Submission::with(&strange).graded();
    assert_eq!(status, 2);
    let said = lesson["state"]["does-not-build"].as_str().unwrap();
    assert!(said.contains("mismatched types"), "{said}");
}

fn what_cannot_be_taken_is_told() {
    let submission = Submission::new();
    assert!(submission.reason().contains("there is no lessons/uts/lab.rs"));
    submission.put("x".repeat(300 << 10));
    assert!(submission.reason().contains("bytes"));
    submission.put([0xff, 0xfe, 0x00]);
    assert!(submission.reason().contains("UTF-8"));
    let replace = |target: &Path| {
        std::fs::remove_file(submission.file()).unwrap();
        symlink(target, submission.file()).unwrap();
    };
    replace(Path::new("/etc/passwd"));
    assert!(submission.reason().contains("symbolic link"));
    replace(&checkout().join("src/namespace/uts.rs"));
    assert!(submission.reason().contains("symbolic link"));
    replace(Path::new("nowhere"));
    assert!(submission.reason().contains("symbolic link"));
    std::fs::remove_file(submission.file()).unwrap();
    assert!(Command::new("mkfifo").arg(submission.file()).status().unwrap().success());
    assert!(submission.reason().contains("not a regular file"));
    std::fs::remove_file(submission.file()).unwrap();
    std::fs::create_dir(submission.file()).unwrap();
    assert!(submission.reason().contains("not a regular file"));
}

fn only_the_one_file_is_read() {
    let secret = "\nconst SECRET: &str = include_str!(\"/etc/hostname\");\n";
    assert!(Submission::with(&(starter() + secret)).reason().contains("include_str"));
    let module = "\n#[path = \"/etc/hostname\"]\nmod elsewhere;\n";
    assert!(Submission::with(&(starter() + module)).reason().contains("#[path]"));
}

fn ours_in_their_place_is_refused() {
    let text = starter()
        .replace("    todo!(\"leave the host's queues\")", "    (Parts::REFERENCE\n        .ipc)(_spec)");
    assert!(Submission::with(&text).reason().contains("Parts::REFERENCE.ipc"));
    let by_path =
        starter().replace("todo!(\"leave the host's queues\")", "minidocker::namespace::ipc::enter()");
    assert!(Submission::with(&by_path).reason().contains("ipc::enter"));
    // Nor does ours stay where a function was not handed over.
    let kept = right().replace("enter: join, ", "");
    assert!(Submission::with(&kept).reason().contains("`enter: join`"));
}

fn another_minidocker_is_refused() {
    // What lies below /tmp is out of sight there, and the checkout may.
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let other = place.path().join("minidocker");
    // Another process copies: see `common::space`.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_minidocker")).arg(&other).status();
    assert!(copied.unwrap().success());
    let before = format!(
        "#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic BEFORE: extern \"C\" fn() = before;\n\
         extern \"C\" fn before() {{\n    use std::os::unix::process::CommandExt as _;\n    \
         std::process::Command::new({other:?}).args(std::env::args().skip(1)).exec();\n}}\n"
    );
    let (status, lesson) = Submission::with(&(starter() + &before)).graded();
    assert_eq!((status, &lesson["earned"]), (1, &0.into()), "{lesson:#}");
    let saw = lesson["checks"][0]["verdict"]["fail"]["saw"]["en"].as_str().unwrap_or_default();
    assert!(saw.contains("executed `") && saw.contains("/minidocker`"), "{lesson:#}");
}

/// Or one could tell in its place what it found, and write to the real host's files.
fn the_grader_itself_is_out_of_reach() {
    let body = "{ panic!(\"{:?}\", [\"fd/1\", \"root\", \"mem\"].map(|name| std::fs::File::open(format!(\"/proc/1/{name}\")).is_ok())) }";
    let text = starter().replace("{\n    todo!(\"name this process {:?}\", spec.hostname)\n}", body);
    let (_, lesson) = Submission::with(&text).graded();
    let saw = lesson["checks"][0]["verdict"]["fail"]["saw"]["en"].as_str().unwrap_or_default();
    assert!(saw.contains("[false, false, false]"), "{lesson:#}");
}

fn a_wrong_command_is_no_verdict() {
    let status = |words: &[&str]| lab(words).status.code().unwrap();
    assert_eq!(status(&["grade", "/nowhere/at/all", "uts"]), 125);
    assert_eq!(status(&["grade"]), 125);
    let output = Submission::new().lab(&["no-such-lesson"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stdout).contains("uts"), "the lessons that there are");
    assert_eq!(Submission::new().lab(&["uts", "-o", "x"]).status.code(), Some(125), "-o needs --report");
}

fn reports_go_where_they_are_asked_to_go() {
    let submission = Submission::with(&starter());
    let file = submission.0.path().join("out");
    let name = file.display().to_string();
    let output = submission.lab(&["uts", "--report", "gradescope", "-o", &name]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("of 10 points"), "a person is told as well");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&report["score"], &report["tests"][0]["status"]), (&0.into(), &"failed".into()));
    let output = submission.lab(&["uts", "--report", "github"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("::notice title=Autograding complete::Points 0/10\n"), "{text}");
    let line = 1 + starter().lines().position(|line| line.starts_with("pub fn enter(")).unwrap();
    assert!(text.contains(&format!("::error file=lessons/uts/lab.rs,line={line},title=uts")), "{text}");
    let output = submission.lab(&["uts", "--report", "junit", "--lang", "zh"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("<?xml") && text.contains("尚未实现"), "{text}");
    let output = submission.lab(&["uts", "--report", "json", "-o", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(125));
}

/// On a machine without user namespaces.
fn what_the_machine_cannot_is_neither_passed_nor_failed() {
    let submission = Submission::with(&right());
    let script = "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" grade \"$1\" uts --report json";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", script])
        .arg(program_named("lab"))
        .arg(submission.0.path())
        .current_dir(checkout())
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["cannot"]), (Some(3), &10.into()), "{report:#}");
    let said = &report["lessons"][0]["checks"][0]["verdict"]["cannot"]["en"];
    assert!(said.as_str().is_some_and(|said| said.contains("ENOSPC") && said.contains("doctor")), "{said}");
}
