//! Somebody else's files, graded: of a directory only `lessons/*/lab.rs` is taken, and all else is this checkout's.
//!
//! The files are copied into a package of the grader's own ([`shadow`]), and built there. Nothing of the directory is
//! executed but those files, compiled, on a throw-away host.

pub mod reach;
pub mod shadow;

use super::build::Built;
use super::lesson::Lesson;
use super::report::{LessonReport, State};
use super::verdict::Said;
use super::{examine, source};
use crate::error::{Error, Problem, Result};
use crate::said;
use crate::sys::errno::{ENOENT, ENOTDIR};
use crate::sys::file::Kind;
use crate::sys::within::{Contents, Directory};
use std::path::Path;
use std::time::Duration;

/// A file of more bytes than this is nobody's answer to a lesson.
pub const LARGEST: u64 = 256 << 10;

/// The file of the lesson `name` below `directory`, which is trusted, while nothing in it is: no link is followed.
///
/// `Err` within is the state of a lesson whose file cannot be taken. Errors: `directory` itself cannot be opened.
pub fn take(directory: &Path, name: &str) -> Result<std::result::Result<String, State>> {
    let alone = |text: String| match reach::beyond(&text) {
        Some(reader) => Err(Why::Reaches(reader)),
        None => Ok(text),
    };
    read(directory, name, alone)
}

/// The same of a file that may read others, or may not: `judge` says so.
fn read(
    directory: &Path,
    name: &str,
    judge: impl FnOnce(String) -> std::result::Result<String, Why>,
) -> Result<std::result::Result<String, State>> {
    let top = Directory::open(directory)?;
    let shown = format!("lessons/{name}/lab.rs");
    let found = find(top, name).and_then(text).and_then(judge);
    Ok(found.map_err(|why| State::NoFile(why.said(&shown))))
}

/// The same of any lesson. For one that is made of all others, theirs are taken and given to `put`, and how they are put
/// together is what `checkout` says, the grader's own.
pub fn take_whole(
    directory: &Path,
    lesson: &Lesson,
    (lessons, checkout): (&'static [Lesson], &Path),
    mut put: impl FnMut(&Lesson, &str) -> Result<()>,
) -> Result<std::result::Result<String, State>> {
    if !lesson.is_whole() {
        return take(directory, lesson.name);
    }
    for other in lessons.iter().filter(|other| !other.is_whole()) {
        match take(directory, other.name)?.and_then(|text| own(other, text)) {
            Ok(text) => put(other, &text)?,
            Err(state) => return Ok(Err(state)),
        }
    }
    read(checkout, lesson.name, Ok)
}

/// The `text` of a student's file, if it does not let ours do the work.
pub fn own(lesson: &Lesson, text: String) -> std::result::Result<String, State> {
    let name = lesson.name;
    let Some(ours) = source::borrowed(&text, lesson.parts) else { return Ok(text) };
    Err(State::NoFile(said!(
        "lessons/{name}/lab.rs uses `{ours}`, which is ours",
        "lessons/{name}/lab.rs 用了 `{ours}`，那是我们的实现"
    )))
}

/// The `text` of a student's file, if its `main` gives `minidocker` each of its functions, and does nothing else. One of a whole is the grader's.
fn handed_over(lesson: &Lesson, text: &str) -> std::result::Result<(), State> {
    let missing = source::not_handed_over(text, lesson.parts).filter(|_| !lesson.is_whole());
    let Some(missing) = missing else { return Ok(()) };
    let name = lesson.name;
    Err(State::NoFile(said!(
        "the `main` of lessons/{name}/lab.rs is not the one it came with: `{missing}`",
        "lessons/{name}/lab.rs 的 `main` 不是原来的样子：`{missing}`"
    )))
}

/// What the kernel says of a file that was taken, or was not: `build` makes a program of it.
///
/// On entry this process has one thread. Errors: of cargo and of the throw-away host; what is wrong with the file is
/// in the report.
pub fn examine(
    lesson: &'static Lesson,
    taken: std::result::Result<String, State>,
    seed: u64,
    build: impl FnOnce(&str) -> Result<Built>,
) -> Result<LessonReport> {
    let not_examined = |state| LessonReport::new(lesson, state, Vec::new(), Duration::ZERO);
    let text = match taken.and_then(|text| own(lesson, text)) {
        Ok(text) => text,
        Err(state) => return Ok(not_examined(state)),
    };
    match build(&text)? {
        Built::Broken(said) => Ok(not_examined(State::DoesNotBuild(said))),
        Built::Program(program) => {
            if let Err(state) = handed_over(lesson, &text) {
                return Ok(not_examined(state));
            }
            let unfinished = source::unfinished(&text, lesson.parts);
            let mut report = examine::examine(lesson, &program, seed, &unfinished)?;
            for (told, check) in report.checks.iter_mut().zip(lesson.checks) {
                let about = check.about.first().or(lesson.parts.first().map(|part| &part.function));
                told.line = about.and_then(|function| source::line_of(&text, function));
            }
            Ok(report)
        }
    }
}

/// Why a file is not taken.
enum Why {
    Missing,
    Link,
    NotAFile,
    TooLarge(u64),
    NotText,
    Reaches(&'static str),
    Refused(Error),
}

impl Why {
    fn said(self, path: &str) -> Said {
        match self {
            Why::Missing => said!("there is no {path}", "没有 {path}"),
            Why::Link => said!(
                "{path}, or a directory on the way to it, is a symbolic link; only a file is taken",
                "{path} 或路径上的某个目录是符号链接；只采用普通文件"
            ),
            Why::NotAFile => said!("{path} is not a regular file", "{path} 不是普通文件"),
            Why::TooLarge(size) => said!(
                "{path} has {size} bytes; no more than {LARGEST} are taken",
                "{path} 有 {size} 字节；最多采用 {LARGEST} 字节"
            ),
            Why::NotText => said!("{path} is not UTF-8 text", "{path} 不是 UTF-8 文本"),
            Why::Reaches(reader) => said!(
                "{path} reads other files by {reader}; only the one file is taken",
                "{path} 用 {reader} 读取别的文件；只采用这一个文件"
            ),
            Why::Refused(error) => {
                let refused = error.refusal.map(|refusal| refusal.to_string()).unwrap_or_default();
                said!("{path} cannot be read: {refused}", "{path} 无法读取：{refused}")
            }
        }
    }
}

fn find(top: Directory, name: &str) -> std::result::Result<Contents, Why> {
    let mut directory = top;
    for step in ["lessons", name] {
        refuse_link(&directory, step)?;
        directory = directory.enter(step.as_ref()).map_err(why)?;
    }
    refuse_link(&directory, "lab.rs")?;
    directory.file("lab.rs".as_ref()).map_err(why)
}

/// The kernel would follow no link either, but its answer does not say that there is one.
fn refuse_link(directory: &Directory, name: &str) -> std::result::Result<(), Why> {
    let inode = directory.inode_if_there(name.as_ref()).map_err(why)?;
    match inode.map(|inode| inode.status.kind) {
        None => Err(Why::Missing),
        Some(Kind::Link) => Err(Why::Link),
        Some(_) => Ok(()),
    }
}

fn why(error: Error) -> Why {
    match error.problem {
        Problem::NotAFile { .. } => Why::NotAFile,
        _ if error.is(ENOENT) => Why::Missing,
        _ if error.is(ENOTDIR) => Why::NotAFile,
        _ => Why::Refused(error),
    }
}

/// All of the file, which may grow meanwhile.
fn text(mut contents: Contents) -> std::result::Result<String, Why> {
    if contents.size() > LARGEST {
        return Err(Why::TooLarge(contents.size()));
    }
    let mut bytes = Vec::new();
    let mut room = [0; 1 << 14];
    loop {
        match contents.read(&mut room).map_err(why)? {
            0 => break,
            length => bytes.extend_from_slice(&room[..length]),
        }
        if bytes.len() as u64 > LARGEST {
            return Err(Why::TooLarge(bytes.len() as u64));
        }
    }
    String::from_utf8(bytes).map_err(|_| Why::NotText)
}

/// The lessons with these names, in the course's order; all when none is named. `Err` has a name that is no lesson.
pub fn chosen<'a>(
    lessons: &'static [Lesson],
    names: &'a [String],
) -> std::result::Result<Vec<&'static Lesson>, &'a str> {
    if let Some(strange) = names.iter().find(|name| !lessons.iter().any(|lesson| lesson.name == **name)) {
        return Err(strange);
    }
    Ok(lessons
        .iter()
        .filter(|lesson| names.is_empty() || names.iter().any(|name| name == lesson.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn taken(directory: &Path) -> std::result::Result<String, String> {
        take(directory, "uts").unwrap().map_err(|state| match state {
            State::NoFile(said) => said.en,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn only_a_text_of_moderate_length_is_taken() {
        let top = tempfile::tempdir().unwrap();
        let refused = |word: &str| {
            let said = taken(top.path()).unwrap_err();
            assert!(said.contains(word), "{said}");
        };
        refused("there is no lessons/uts/lab.rs");
        let uts = top.path().join("lessons/uts");
        std::fs::create_dir_all(&uts).unwrap();
        refused("there is no");
        let file = uts.join("lab.rs");
        std::fs::create_dir(&file).unwrap();
        refused("not a regular file");
        std::fs::remove_dir(&file).unwrap();
        symlink("/etc/passwd", &file).unwrap();
        refused("symbolic link");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        refused("not UTF-8");
        std::fs::write(&file, vec![b' '; LARGEST as usize + 1]).unwrap();
        refused("no more than");
        std::fs::write(&file, "fn main() {}").unwrap();
        assert_eq!(taken(top.path()).as_deref(), Ok("fn main() {}"));
        std::fs::rename(&uts, top.path().join("elsewhere")).unwrap();
        symlink("../elsewhere", &uts).unwrap();
        refused("symbolic link");
        assert!(take(&top.path().join("none"), "uts").is_err());
    }
}
