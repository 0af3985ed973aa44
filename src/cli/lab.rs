//! The command line of `lab`: the table of lessons, a lesson graded, hints.
//!
//! Exit status: 0 full marks; 1 a check failed; 2 the student's file does not build; 3 this machine cannot; 125 the
//! grader itself, its command line included.

mod doctor;
mod grade;
mod report;
mod whole;

use super::narration::Narration;
use crate::error::Result;
use crate::lab::build::{self, Built};
use crate::lab::lesson::Lesson;
use crate::lab::report::human::{self, Progress, Row};
use crate::lab::report::{LessonReport, Report, State};
use crate::lab::{examine, need, probe, shell, source, trap};
use crate::narrate::{self, Ink, Page, lang, text};
use crate::said;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The course: edit one function in one file, and read what the kernel says of it
#[derive(Debug, Parser)]
#[command(name = "lab", bin_name = "cargo lab", version, max_term_width = 100, args_override_self = true)]
#[command(after_help = STATUSES)]
struct CommandLine {
    #[command(flatten)]
    narration: Narration,
    #[command(flatten)]
    form: report::Form,
    #[command(subcommand)]
    command: Option<Command>,
    /// A lesson (see the table), or `all`
    #[arg(value_name = "LESSON")]
    lesson: Option<String>,
    /// Grade again whenever the file is saved
    #[arg(long)]
    watch: bool,
    /// Show the first hint, or the first N
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    hint: Option<usize>,
    /// Look around yourself: a shell where your program is graded, and is called minidocker
    #[arg(long)]
    shell: bool,
    /// Show your part beside ours
    #[arg(long)]
    diff: bool,
    /// With `all`, after full marks: run minidocker's own tests on your program, on this machine
    #[arg(long)]
    tests: bool,
    /// Grade this program instead of building the student's file: for the wrong answers in lessons/mutants.rs, whose
    /// name is then LAB_MUTANT
    #[arg(long, value_name = "PROGRAM", hide = true)]
    with: Option<PathBuf>,
    /// The seed of the nonces: the same seed, the same names
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

const STATUSES: &str = "Exit status: 0 full marks, 1 a check failed, 2 the file does not build, 3 this machine cannot tell, \
                        125 the grader itself, its command line included.";

/// What is no lesson.
#[derive(Debug, Subcommand)]
enum Command {
    /// What keeps this machine from the lessons, and the one command that changes it
    Doctor(doctor::Doctor),
    /// Grade the files of somebody else: 0 full marks, 1 a check failed, 2 does not build, 3 this machine cannot
    Grade(grade::Grade),
}

/// The status of every failure of the grader's own.
const OWN_FAILURE: u8 = 125;

/// The whole of a grader with these lessons. On the grader's throw-away host the same program is also the container's
/// command, and stands in for those that would do the student's work; it knows by its name.
pub fn main(lessons: &'static [Lesson]) -> ExitCode {
    let mut arguments = std::env::args();
    let path = PathBuf::from(arguments.next().unwrap_or_default());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name == probe::NAME {
        let all: Vec<&Lesson> = lessons.iter().collect();
        return probe::main(&all, &arguments.next().unwrap_or_default()).into();
    }
    if trap::is_one(&name) {
        // If the mark cannot be made, failing is all that can be done.
        let _ = trap::mark(&name);
        return OWN_FAILURE.into();
    }
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(help) => {
            // Help that was asked for is no failure. If nobody reads it, nobody misses it.
            let _ = help.print();
            return if help.use_stderr() { OWN_FAILURE.into() } else { ExitCode::SUCCESS };
        }
    };
    obey(lessons, &line)
        .unwrap_or_else(|error| {
            narrate::report(&error);
            OWN_FAILURE
        })
        .into()
}

/// One command, with what it needs.
struct Desk {
    lessons: &'static [Lesson],
    checkout: PathBuf,
    page: Page,
    color: bool,
    seed: u64,
    with: Option<PathBuf>,
    form: report::Form,
}

fn obey(lessons: &'static [Lesson], line: &CommandLine) -> Result<u8> {
    let options = line.narration.options();
    narrate::install(&options)?;
    let page = Page::of_stdout(options.color);
    if let Some(Command::Doctor(doctor)) = &line.command {
        return Ok(doctor.look(lessons));
    }
    // A program that is there already needs no checkout.
    let checkout = build::checkout().or(line.with.as_ref().map(|_| PathBuf::new()));
    let Some(checkout) = checkout else {
        let sentence = text!(
            "there is no lessons/ here or above; change to the checkout",
            "这里和上层目录都没有 lessons/；请进入代码目录"
        );
        page.set(0, 0, &[(Ink::Refused, &sentence)]);
        return Ok(OWN_FAILURE);
    };
    let color = narrate::is_seen() && std::env::var_os("NO_COLOR").is_none();
    let seed = line.seed.map_or_else(random, Ok)?;
    let (with, form) = (line.with.clone(), line.form.clone());
    // What a program reads is not for a terminal.
    let color = color && !form.is_silent();
    let desk = Desk { lessons, checkout, page, color, seed, with, form };
    if let Some(Command::Grade(grade)) = &line.command {
        return grade.grade(&desk);
    }
    match line.lesson.as_deref() {
        None => desk.table(),
        Some(name) => {
            let Some(lesson) = lessons.iter().find(|lesson| lesson.name == name) else {
                return Ok(desk.unknown(name));
            };
            match line {
                CommandLine { hint: Some(count), .. } => Ok(desk.hint(lesson, *count)),
                CommandLine { shell: true, .. } => desk.shell(lesson),
                CommandLine { watch: true, .. } => desk.watch(lesson),
                CommandLine { tests: true, .. } => desk.grade_and_test(lesson),
                _ => desk.grade(lesson, line.diff),
            }
        }
    }
}

fn random() -> Result<u64> {
    let bytes = crate::process::random(8)?;
    Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl Desk {
    fn unknown(&self, name: &str) -> u8 {
        let known: Vec<&str> = self.lessons.iter().map(|lesson| lesson.name).collect();
        let known = known.join(", ");
        let sentence =
            text!("there is no lesson `{name}`; there are: {known}", "没有课程 `{name}`；有：{known}");
        self.page.set(0, 2, &[(Ink::Refused, &sentence)]);
        OWN_FAILURE
    }

    fn file(&self, lesson: &Lesson) -> PathBuf {
        self.checkout.join("lessons").join(lesson.name).join("lab.rs")
    }

    fn text(&self, path: &Path) -> Option<String> {
        crate::lab::text_of(path)
    }

    fn table(&self) -> Result<u8> {
        // The same few needs in all lessons: each is tried once.
        let lacks = need::lacking(self.lessons.iter().flat_map(Lesson::all_needs).collect());
        let row = |lesson: &'static Lesson| {
            let lack = need::first(&lacks, &lesson.all_needs());
            let cannot = lack.map(|lack| lack.said().get(lang()).to_owned());
            Row { lesson, progress: self.progress(lesson), cannot }
        };
        human::table(&self.page, &self.lessons.iter().map(row).collect::<Vec<_>>());
        Ok(0)
    }

    fn progress(&self, lesson: &Lesson) -> Progress {
        if lesson.is_whole() {
            return self.progress_of_others();
        }
        let Some(text) = self.text(&self.file(lesson)) else { return Progress::Missing };
        match source::unfinished(&text, lesson.parts).len() {
            0 => Progress::Written,
            some if some < lesson.parts.len() => Progress::Begun,
            _ => Progress::Untouched,
        }
    }

    fn hint(&self, lesson: &Lesson, count: usize) -> u8 {
        for (index, hint) in lesson.hints.iter().take(count.max(1)).enumerate() {
            let (number, all) = (index + 1, lesson.hints.len());
            let label = format!("{number}/{all} ");
            self.page.set(1, 5, &[(Ink::Word, &label), (Ink::Plain, hint.get(lang()))]);
        }
        let next = count.max(1) + 1;
        if next <= lesson.hints.len() {
            let command = format!("cargo lab {} --hint {next}", lesson.name);
            let words = text!("Not enough: ", "还不够：");
            self.page.set(1, 3, &[(Ink::Faint, &words), (Ink::Command, &command)]);
        }
        0
    }

    /// Build, examine, tell.
    fn grade(&self, lesson: &'static Lesson, diff: bool) -> Result<u8> {
        let report = self.examine(lesson)?;
        let status = report.status();
        let report = Report { lessons: vec![report] };
        self.form.write(&report, self.lessons)?;
        if self.form.is_silent() {
            return Ok(status);
        }
        let [report] = &report.lessons[..] else { return Ok(status) };
        human::tell(&self.page, lesson, report);
        if lesson.is_whole() {
            self.tell_of_tests(status);
        } else if self.with.is_none() && (status == 0 || diff) {
            let theirs = self.text(&self.file(lesson)).unwrap_or_default();
            if status == 0 {
                human::compare(&self.page, lesson, &theirs, |file| self.text(&self.checkout.join(file)));
            } else {
                let sentence = text!(
                    "your part is shown beside ours after full marks",
                    "得满分之后，你的实现会与我们的并排显示"
                );
                self.page.set(1, 3, &[(Ink::Faint, &sentence)]);
            }
        }
        Ok(status)
    }

    fn examine(&self, lesson: &'static Lesson) -> Result<LessonReport> {
        if let Some(program) = &self.with {
            // As if nothing else were written yet: so the tests prove which functions a check is about.
            let alone = std::env::var_os("LAB_ALONE").is_some();
            let unfinished: Vec<&str> =
                lesson.parts.iter().filter(|_| alone).map(|part| part.function).collect();
            return examine::examine(lesson, program, self.seed, &unfinished);
        }
        let taken = self.text(&self.file(lesson)).ok_or_else(|| {
            let path = self.file(lesson).display().to_string();
            State::NoFile(said!("there is no {path}", "没有 {path}"))
        });
        let taken = taken.and_then(|text| self.see_others(lesson, text));
        let build = |_: &str| build::build(&self.checkout, &format!("lab-{}", lesson.name), self.color);
        crate::lab::grade::examine(lesson, taken, self.seed, build)
    }

    /// Build, and let the person look around; the exit status of the shell.
    fn shell(&self, lesson: &'static Lesson) -> Result<u8> {
        match build::build(&self.checkout, &format!("lab-{}", lesson.name), self.color)? {
            Built::Program(program) => {
                let words = text!(
                    "A throw-away host: `minidocker` is your program, its image is `lab`, and what is done here ends with `exit`. The commands that begin with `cargo` are for another terminal.",
                    "这是一台用完即弃的主机：`minidocker` 就是你的程序，镜像叫 `lab`，`exit` 之后什么也不留下。以 `cargo` 开头的命令请在另一个终端里运行。"
                );
                self.page.set(1, 1, &[(Ink::Plain, &words)]);
                shell::open(lesson, &program)
            }
            Built::Broken(said) => {
                self.page.raw(&said);
                Ok(2)
            }
        }
    }

    /// Grade now, and whenever a file of the lesson changes, until interrupted.
    fn watch(&self, lesson: &'static Lesson) -> Result<u8> {
        let path = self.file(lesson);
        crate::lab::watch::each_change(&path, || {
            self.grade(lesson, false)?;
            let path = format!("lessons/{}/lab.rs", lesson.name);
            let words =
                text!("Waiting until {path} is saved; Ctrl-C ends it.", "等待 {path} 保存；按 Ctrl-C 结束。");
            self.page.blank();
            self.page.set(1, 3, &[(Ink::Faint, &words)]);
            Ok(())
        })?;
        Ok(0)
    }
}
