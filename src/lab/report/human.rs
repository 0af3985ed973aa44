//! The report for a person: what the kernel said, what it should say, and what helps.

use super::{CheckReport, LessonReport, Report, State};
use crate::lab::lesson::Lesson;
use crate::lab::source;
use crate::lab::verdict::Verdict;
use crate::narrate::{Ink, Lang, Page, lang, text};

/// The column at which the labels' texts begin.
const COLUMN: usize = 9;

/// Tell what came of one lesson.
pub fn tell(page: &Page, lesson: &Lesson, report: &LessonReport) {
    page.rule(&report.name, short(report.title.get(lang())), "");
    match &report.state {
        State::Examined => {
            for (index, check) in report.checks.iter().enumerate() {
                tell_check(page, lesson, check, &report.checks[..index]);
            }
        }
        State::DoesNotBuild(said) => {
            page.raw(said);
            let line = text!(
                "It does not build: the compiler's errors are above. Begin with the first.",
                "无法编译：编译器的报错在上面，从第一个看起。"
            );
            page.set(1, 3, &[(Ink::Refused, "✗ "), (Ink::Plain, &line)]);
        }
        State::NoFile(why) | State::Cannot(why) => {
            page.set(1, 3, &[(Ink::Refused, "? "), (Ink::Plain, why.get(lang()))]);
        }
    }
    score(page, report);
}

/// A title without what follows its colon, so that it fits a line.
fn short(title: &str) -> &str {
    title.split([':', '：']).next().unwrap_or(title)
}

/// One check. A failure that was told of one of the `earlier` ones in full is not told twice.
fn tell_check(page: &Page, lesson: &Lesson, check: &CheckReport, earlier: &[CheckReport]) {
    let (mark, ink) = match check.verdict {
        Verdict::Pass => ("✓", Ink::Granted),
        Verdict::Fail(_) => ("✗", Ink::Refused),
        Verdict::NotYet => ("○", Ink::Faint),
        Verdict::Cannot(_) => ("?", Ink::Command),
        Verdict::Broken(_) => ("!", Ink::Refused),
    };
    let points = format!("  {}/{}", check.earned(), check.points);
    // In a lesson that is made of others, each check is one of theirs.
    let of = check.name.split_once('/').map(|(lesson, _)| format!("{lesson}: ")).unwrap_or_default();
    let title = check.title.get(lang());
    let pieces =
        [(ink, mark), (Ink::Plain, " "), (Ink::Faint, &*of), (Ink::Title, title), (Ink::Faint, &*points)];
    page.set(1, 3, &pieces);
    let say = |label: &str, ink, text: &str| label_line(page, label, ink, text);
    match &check.verdict {
        Verdict::Pass => {}
        Verdict::Fail(failure) => {
            if earlier.iter().any(|other| is_same(&other.verdict, &check.verdict)) {
                say(&text!("saw", "看到"), Ink::Faint, &text!("the same as above", "同上"));
                say(&text!("look", "自查"), Ink::Command, &check.look);
                return;
            }
            say(&text!("saw", "看到"), Ink::Refused, failure.saw.get(lang()));
            say(&text!("want", "应为"), Ink::Fact, failure.want.get(lang()));
            let known = failure.mistake.as_deref();
            let why = lesson.mistakes.iter().find(|mistake| Some(mistake.name) == known);
            if let Some(mistake) = why {
                say(&text!("why", "原因"), Ink::Plain, mistake.why.get(lang()));
            }
            say(&text!("look", "自查"), Ink::Command, &check.look);
            say(&text!("read", "阅读"), Ink::Plain, &handout(lesson.name));
        }
        Verdict::NotYet => {
            let line = not_yet(lesson, check);
            say("", Ink::Faint, &line);
        }
        Verdict::Cannot(why) => say(&text!("cannot", "做不到"), Ink::Plain, why.get(lang())),
        Verdict::Broken(why) => {
            let whose = text!(
                "the grader itself failed; this is no verdict on your part: ",
                "评分程序自己出了错，这不是对你代码的判断："
            );
            say("", Ink::Refused, &format!("{whose}{}", why.get(lang())));
        }
    }
}

/// In which functions a `todo!()` is left, as far as the check is about some and not about all.
fn not_yet(lesson: &Lesson, check: &CheckReport) -> String {
    let about = lesson.checks.iter().find(|one| one.name == check.name).map_or(&[][..], |one| one.about);
    if about.is_empty() {
        return text!(
            "not yet implemented: your part is still `todo!()`",
            "尚未实现：你的部分还是 `todo!()`"
        );
    }
    let names: Vec<String> = about.iter().map(|function| format!("`{function}`")).collect();
    let names = names.join(&text!(" or ", " 或 "));
    text!("not yet implemented: a `todo!()` is left in {names}", "尚未实现：{names} 里还有 `todo!()`")
}

/// Whether two failures are one: the same words, but for names and numbers that are fresh in each check.
fn is_same(one: &Verdict, other: &Verdict) -> bool {
    /// As long as the shortest of those: the hexadecimal digits of a name, or a number of bytes.
    const FRESH: usize = 6;
    let (Verdict::Fail(one), Verdict::Fail(other)) = (one, other) else { return false };
    let words = |text: &str| -> Vec<String> {
        let is_fresh = |word: &&str| word.len() >= FRESH && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
        words.filter(|word| !is_fresh(word)).map(str::to_owned).collect()
    };
    one.mistake == other.mistake && one.want == other.want && words(&one.saw.en) == words(&other.saw.en)
}

fn label_line(page: &Page, label: &str, ink: Ink, text: &str) {
    let padding = " ".repeat((COLUMN - 4).saturating_sub(crate::narrate::columns(label)).max(1));
    page.set(3, 3 + COLUMN - 3, &[(Ink::Faint, label), (Ink::Plain, &padding), (ink, text)]);
}

fn score(page: &Page, report: &LessonReport) {
    let (earned, points, took) = (report.earned(), report.points, report.milliseconds);
    let ink = if earned == points { Ink::Granted } else { Ink::Title };
    let line = text!("{earned} of {points} points", "{points} 分中得 {earned} 分");
    page.set(1, 3, &[(ink, &*line), (Ink::Faint, &format!("  {took} ms"))]);
    if report.checks.iter().any(|check| matches!(check.verdict, Verdict::Fail(_))) {
        let name = &report.name;
        let command = format!("cargo lab {name} --shell");
        let line = text!(
            ": there `minidocker` is yours, for the commands after `look`",
            "：里面的 `minidocker` 就是你的，“自查”后面的命令在那里输入"
        );
        page.set(1, 3, &[(Ink::Command, &*command), (Ink::Faint, &*line)]);
    }
}

/// The sum of several lessons.
pub fn total(page: &Page, report: &Report) {
    let (earned, points) = report.points();
    page.blank();
    let line = text!("{earned} of {points} points in all", "总分 {points} 分，得 {earned} 分");
    page.set(1, 3, &[(Ink::Title, &line)]);
}

/// After full marks: the student's part beside ours, and the wrong answers that were avoided.
pub fn compare(page: &Page, lesson: &Lesson, theirs: &str, ours: impl Fn(&str) -> Option<String>) {
    let title = text!("Your part, and ours", "你的实现与我们的实现");
    page.rule(lesson.name, &title, "");
    for part in lesson.parts {
        let Some(mine) = source::function(theirs, part.function) else { continue };
        page.set(1, 3, &[(Ink::Faint, &format!("lessons/{}/lab.rs", lesson.name))]);
        page.raw(&indented(mine));
        for (file, function) in part.ours {
            let Some(text) = ours(file) else { continue };
            let Some(text) = source::function(&text, function) else { continue };
            page.set(1, 3, &[(Ink::Faint, *file)]);
            page.raw(&indented(text));
        }
    }
    let title = text!("Wrong answers you avoided", "你避开的错误答案");
    page.rule(lesson.name, &title, "");
    for mistake in lesson.mistakes {
        page.set(1, 3, &[(Ink::Granted, "✓ "), (Ink::Plain, mistake.why.get(lang()))]);
    }
}

/// Each line of a function at the same distance from the margin, wherever it stood.
fn indented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines = text.lines().map(|line| format!("     {}\n", line.get(least..).unwrap_or_default()));
    lines.collect::<String>() + "\n"
}

/// One line of the table of lessons.
#[derive(Debug)]
pub struct Row {
    /// The lesson.
    pub lesson: &'static Lesson,
    /// How far the student's file is.
    pub progress: Progress,
    /// Why this machine cannot run it, if so.
    pub cannot: Option<String>,
}

/// How far the student's file is, as the file itself says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is no file.
    Missing,
    /// All its parts are `todo!()`.
    Untouched,
    /// Some are.
    Begun,
    /// None is.
    Written,
}

/// The table of lessons, with what is next.
pub fn table(page: &Page, rows: &[Row]) {
    page.rule("lab", &text!("The lessons", "全部课程"), "");
    for row in rows {
        let (mark, ink) = match row.progress {
            Progress::Missing => ("?", Ink::Refused),
            Progress::Untouched => ("○", Ink::Faint),
            Progress::Begun => ("◐", Ink::Command),
            Progress::Written => ("●", Ink::Granted),
        };
        let name = format!(" {:<14}", row.lesson.name);
        let points: u32 = row.lesson.checks.iter().map(|check| check.points).sum();
        let points = format!("{points:>3} ");
        let title = row.lesson.title.get(lang());
        page.set(1, 22, &[(ink, mark), (Ink::Word, &name), (Ink::Faint, &points), (Ink::Plain, title)]);
        if let Some(why) = &row.cannot {
            let why = text!("not all of it can be done here: {why}", "在这台机器上做不全：{why}");
            page.set(22, 22, &[(Ink::Refused, &why)]);
        }
    }
    page.blank();
    let next = rows.iter().find(|row| row.progress != Progress::Written && row.cannot.is_none());
    if let Some(row) = next {
        let name = row.lesson.name;
        let label = text!("Next: ", "接下来：");
        let (command, handout) = (format!("cargo lab {name}"), handout(name));
        page.set(
            1,
            3,
            &[(Ink::Plain, &label), (Ink::Command, &command), (Ink::Faint, &format!("   {handout}"))],
        );
    }
    let legend = text!(
        "○ not begun  ◐ begun  ● written: the kernel's word on it is `cargo lab NAME`",
        "○ 未开始  ◐ 进行中  ● 已写完：内核怎么说，用 `cargo lab 名字` 看"
    );
    page.set(1, 3, &[(Ink::Faint, &legend)]);
}

fn handout(name: &str) -> String {
    match lang() {
        Lang::En => format!("lessons/{name}/README.md"),
        Lang::Zh => format!("lessons/{name}/README.zh.md"),
    }
}
