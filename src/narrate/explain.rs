//! `--explain`: each step for a person: a title, why, the calls with their answers, and the evidence.

use super::evidence::{self, Change};
use super::line::Line;
use super::narrator::{Place, Sink};
use super::page::{Ink, Page, columns};
use super::step::Gate;
use super::words::{self, Label, Lang};
use crate::observe::{self, Subject};
use crate::security::capabilities;
use crate::sys::errno::{EEXIST, ENOENT, ENOTEMPTY};
use crate::sys::observer::{Role, Step};
use crate::sys::{Answer, Call, Value};
use std::fmt::Write;

/// Where prose begins; where calls and facts do, and the rest of a long call.
const MARGIN: usize = 3;
const INDENT: usize = 5;
const HANG: usize = 9;

/// Calls of one step that are shown one by one; the rest is counted.
const CALLS: usize = 32;
/// The same for making an image, which copies hundreds of files.
const CALLS_OF_IMAGE: usize = 6;
/// Facts shown at the end of a step.
const FACTS: usize = 16;
/// Bytes shown of a text argument.
const TEXT: usize = 240;

/// Explains to a person on standard error.
pub struct Explain {
    page: Page,
    lang: Lang,
    gate: Option<Gate>,
    /// The steps that are open, the innermost last.
    chapters: Vec<Chapter>,
    /// Lines were said outside of any step, with no empty line after them.
    loose: bool,
    /// Capabilities dropped by calls like the last one shown.
    dropped: Vec<u32>,
    /// What the child has to say of its own answer of clone3, until the runtime has finished its part.
    held: Option<Line>,
}

/// What was said and seen in one step.
struct Chapter {
    step: Step,
    titled: bool,
    shown: usize,
    /// Calls that were not shown, by name.
    counted: Vec<(&'static str, usize)>,
    /// Each fact once: before the first call that concerned it, after the last.
    facts: Vec<Change>,
}

impl Chapter {
    fn new(step: Step) -> Self {
        Self { step, titled: false, shown: 0, counted: Vec::new(), facts: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.shown >= if self.step == Step::Image { CALLS_OF_IMAGE } else { CALLS }
    }

    fn count(&mut self, name: &'static str) {
        match self.counted.iter_mut().find(|(counted, _)| *counted == name) {
            Some((_, count)) => *count += 1,
            None => self.counted.push((name, 1)),
        }
    }

    fn learn(&mut self, changes: &[Change]) {
        for change in changes {
            match self.facts.iter_mut().find(|fact| fact.subject == change.subject) {
                Some(fact) => fact.after.clone_from(&change.after),
                None => self.facts.push(change.clone()),
            }
        }
    }
}

impl Explain {
    /// An explanation on `page`; with a gate, each step waits there.
    pub fn new(page: Page, lang: Lang, gate: Option<Gate>) -> Self {
        Self { page, lang, gate, chapters: Vec::new(), loose: false, dropped: Vec::new(), held: None }
    }

    /// Say which step this is, if that was not said yet, and wait at the gate.
    fn title(&mut self, place: &Place) {
        self.release(place);
        let Some(chapter) = self.chapters.last_mut().filter(|chapter| !chapter.titled) else { return };
        chapter.titled = true;
        if std::mem::take(&mut self.loose) {
            self.page.blank();
        }
        let words = words::step(chapter.step);
        let (title, why) = (words.title.get(self.lang), words.why.get(self.lang));
        heading(&self.page, self.lang, place, words.word, title, why);
        if !words.object.is_empty() {
            let label = Label::Kernel.get(self.lang);
            self.page.set(
                MARGIN,
                INDENT,
                &[(Ink::Faint, label), (Ink::Plain, "  "), (Ink::Object, words.object)],
            );
        }
        if let Some(gate) = self.gate.as_mut().filter(|_| !place.sealed) {
            gate.wait(&self.page, self.lang, words, place.pid);
        }
    }

    /// Say what the child held back: now the runtime has given its go, so nothing of its can come between.
    fn release(&mut self, place: &Place) {
        let Some(call) = self.held.take() else { return };
        if std::mem::take(&mut self.loose) {
            self.page.blank();
        }
        let (title, why) = (Label::AnsweredTwice.get(self.lang), Label::AnsweredTwiceWhy.get(self.lang));
        heading(&self.page, self.lang, place, words::step_word(Step::Clone), title, why);
        self.page.set(
            INDENT,
            HANG,
            &[(Ink::Call, "clone3"), (Ink::Plain, call.as_str()), (Ink::Faint, " = "), (Ink::Granted, "0")],
        );
        self.loose = true;
    }

    fn show(&self, call: &Call<'_>, answer: Option<&Answer<'_>>) {
        let result = answer.map(result);
        let ink = answer.map_or(Ink::Plain, |answer| ink(call, answer));
        let result = result.as_ref().map_or("", Line::as_str);
        let equals = if result.is_empty() { "" } else { " = " };
        if let Call::Command { program, arguments, stdin } = call {
            let program = program.to_string_lossy();
            let arguments = arguments.iter().fold(String::new(), |all, one| all + " " + one);
            let pieces =
                [(Ink::Call, &*program), (Ink::Plain, &arguments), (Ink::Faint, equals), (ink, result)];
            self.page.set(INDENT, HANG, &pieces);
            for line in stdin.lines() {
                self.page.set(INDENT, HANG, &[(Ink::Faint, "│ "), (Ink::Command, line)]);
            }
            return;
        }
        let arguments = arguments(call);
        let pieces =
            [(Ink::Call, call.name()), (Ink::Plain, arguments.as_str()), (Ink::Faint, equals), (ink, result)];
        self.page.set(INDENT, HANG, &pieces);
    }

    /// Whether this only drops one more capability: then it is remembered, to be said in one line with others.
    fn is_repeated(&mut self, call: &Call<'_>, answer: &Answer<'_>) -> bool {
        match (*call, answer) {
            (Call::PrctlCapbsetDrop { capability }, Answer::Done) => {
                self.dropped.push(capability);
                self.dropped.len() > 1
            }
            _ => {
                self.say_dropped();
                false
            }
        }
    }

    /// Name the capabilities that were dropped after the first one.
    fn say_dropped(&mut self) {
        let names: Vec<&str> = self.dropped.iter().skip(1).map(|number| capability(*number)).collect();
        if !names.is_empty() {
            let same = format!("{} {}", Label::SameFor.get(self.lang), names.join(", "));
            self.page.set(INDENT, HANG, &[(Ink::Faint, &same)]);
        }
        self.dropped.clear();
    }

    /// What was left out, and the facts.
    fn close(&mut self, chapter: &mut Chapter, place: &Place) {
        self.say_dropped();
        let left_out: usize = chapter.counted.iter().map(|(_, count)| count).sum();
        if left_out > 0 {
            let list: Vec<String> =
                chapter.counted.iter().map(|(name, count)| format!("{name} ×{count}")).collect();
            let text = format!("… {left_out} {}: {}", Label::More.get(self.lang), list.join(", "));
            self.page.set(INDENT, HANG, &[(Ink::Faint, &text)]);
        }
        for fact in chapter.facts.iter_mut().filter(|fact| !place.sealed && shows_late(&fact.subject)) {
            fact.after = observe::read(&fact.subject);
        }
        chapter.facts.retain(Change::is_visible);
        let facts = telling(&chapter.facts);
        if !facts.is_empty() {
            self.page.blank();
        }
        self.facts(&facts);
    }

    fn facts(&self, facts: &[&Change]) {
        const WIDEST_LABEL: usize = 28;
        let (shown, rest) = facts.split_at(facts.len().min(FACTS));
        let names: Vec<String> = shown.iter().map(|fact| label(&fact.subject)).collect();
        let width =
            names.iter().map(|name| columns(name)).filter(|width| *width <= WIDEST_LABEL).max().unwrap_or(0);
        for (fact, name) in shown.iter().zip(&names) {
            let pad = " ".repeat(width.saturating_sub(columns(name)) + 2);
            let nothing = Label::Nothing.get(self.lang);
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| nothing.to_owned());
            let (before, after) = (value(&fact.before), value(&fact.after));
            let pieces = [
                (Ink::Faint, &**name),
                (Ink::Plain, &pad),
                (Ink::Plain, &before),
                (Ink::Faint, " → "),
                (Ink::Fact, &after),
            ];
            self.page.set(INDENT, INDENT + width.max(2) + 2, &pieces);
        }
        if !rest.is_empty() {
            let text = format!("… {} {}", rest.len(), Label::MoreFacts.get(self.lang));
            self.page.set(INDENT, HANG, &[(Ink::Faint, &text)]);
        }
    }
}

/// `── uts  A host name of its own ─── init, pid 4242 ──` and the sentences below it.
fn heading(page: &Page, lang: Lang, place: &Place, word: &str, title: &str, why: &str) {
    let role = match place.role {
        Role::Runtime => Label::Runtime,
        Role::Init => Label::Init,
    };
    let mut who = Line::new();
    let _ = write!(who, "{}, pid {}", role.get(lang), place.pid);
    page.rule(word, title, who.as_str());
    page.set(MARGIN, MARGIN, &[(Ink::Plain, why)]);
}

/// `("/merged", MS_NODEV, NULL)`; of rtnetlink, whose attributes have no fixed order, with their names.
fn arguments(call: &Call<'_>) -> Line {
    let named = matches!(call, Call::Rtnetlink(_));
    let named_by_descriptor = !matches!(call, Call::Symlink { .. });
    let mut line = Line::new();
    line.push("(");
    let mut separator = "";
    call.arguments(&mut |name, value| {
        line.push(separator);
        separator = ", ";
        if named {
            line.push(name);
            line.push("=");
        }
        // Writing to a Line cannot fail.
        let _ = match value {
            Value::Number(number) if name == "capability" => {
                write!(line, "CAP_{}", capability(number as u32))
            }
            Value::Text(text) if text.len() > TEXT => write!(line, "{:?}…", beginning(text)),
            // As `strace -y` shows it: what the descriptor stands for.
            Value::Path(path) if named_by_descriptor && path.starts_with("/proc/self/fd/") => {
                write!(line, "{path:?}<{}>", evidence::place(path).display())
            }
            value => write!(line, "{value}"),
        };
    });
    line.push(")");
    line
}

/// `0`, `3`, `"text"` or `-1 EPERM (Operation not permitted)`, as strace(1) has it.
fn result(answer: &Answer<'_>) -> Line {
    let mut line = Line::new();
    let _ = match *answer {
        Answer::Done => write!(line, "0"),
        Answer::Number(number) => write!(line, "{number}"),
        Answer::Descriptor(descriptor) => write!(line, "{descriptor}"),
        Answer::Text(text) => write!(line, "{:?}", beginning(text)),
        Answer::Refused(_, name, message) => write!(line, "-1 {name} ({message})"),
    };
    line
}

/// A refusal that a program expects is no alarm: the directory was there, or is not empty yet.
fn ink(call: &Call<'_>, answer: &Answer<'_>) -> Ink {
    match (call, answer) {
        (Call::Mkdir { .. }, Answer::Refused(EEXIST | ENOENT, ..)) => Ink::Faint,
        (Call::Rmdir { .. }, Answer::Refused(ENOTEMPTY | EEXIST | ENOENT, ..)) => Ink::Faint,
        (_, Answer::Refused(..)) => Ink::Refused,
        _ => Ink::Granted,
    }
}

/// Whether a fact is best read when the step is over: what one call of it hid, as pivot_root hides `/proc`, a later
/// one may have shown again. The path of a cgroup is read at once: it is told from the root of the reader's cgroup
/// namespace, which may change next.
fn shows_late(subject: &Subject) -> bool {
    !matches!(subject, Subject::Cgroup(_))
}

/// The facts without those that others imply: of a tree that went only its root, since what stood in it went
/// too; of a mount point the mount, not the directory.
fn telling(facts: &[Change]) -> Vec<&Change> {
    let is_implied = |fact: &Change| {
        let Subject::Path(path) = &fact.subject else { return false };
        facts.iter().any(|other| match &other.subject {
            Subject::Mount(point) => point == path && other.after.is_some(),
            Subject::Path(root) => root != path && path.starts_with(root) && other.after.is_none(),
            _ => false,
        })
    };
    facts.iter().filter(|fact| !is_implied(fact)).collect()
}

/// The name of a fact; of a file of the kernel's only the last part, since the call shows the whole path.
fn label(subject: &Subject) -> String {
    match subject {
        Subject::Contents(path) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        subject => subject.name(),
    }
}

/// The name of a capability, without its prefix.
fn capability(number: u32) -> &'static str {
    capabilities::NAMES.get(number as usize).copied().unwrap_or("?")
}

/// As much of a text as is shown.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether the explanation speaks of a call.
fn is_shown(call: &Call<'_>) -> bool {
    !call.only_looks()
}

impl Sink for Explain {
    fn wants_evidence(&self) -> bool {
        true
    }

    fn begins(&mut self, place: &Place) {
        self.chapters.extend(place.step.map(Chapter::new));
    }

    fn ends(&mut self, place: &Place) {
        let Some(mut chapter) = self.chapters.pop() else { return };
        if chapter.titled {
            self.close(&mut chapter, place);
            self.page.blank();
        }
    }

    fn asking(&mut self, place: &Place, call: &Call<'_>) {
        if !is_shown(call) {
            return;
        }
        self.title(place);
        if matches!(call, Call::Execve { .. }) {
            // Success does not return: what is not said now is never said.
            self.show(call, None);
            self.page.blank();
        }
    }

    fn answered(&mut self, place: &Place, call: &Call<'_>, answer: &Answer<'_>, changes: &[Change]) {
        if place.role == Role::Init && matches!(call, Call::Clone3 { .. }) {
            self.held = Some(arguments(call));
            return;
        }
        if matches!(call, Call::ReadPipe) {
            self.release(place);
        }
        if !is_shown(call) {
            // The container's own output may have come before the end of a wait.
            self.loose |= matches!(call, Call::Waitid { .. });
            return;
        }
        let granted = !matches!(answer, Answer::Refused(..));
        if let Some(chapter) = self.chapters.last_mut().filter(|_| granted) {
            chapter.learn(changes);
        }
        if self.is_repeated(call, answer) {
            return;
        }
        match self.chapters.last_mut() {
            Some(chapter) if chapter.is_full() => return chapter.count(call.name()),
            Some(chapter) => chapter.shown += 1,
            None => self.loose = true,
        }
        self.show(call, Some(answer));
    }

    fn became(&mut self, _place: &Place) {
        // The open steps are the runtime's, who will close them.
        self.chapters.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Out;
    use super::*;
    use crate::sys::flags::{CLONE_NEWUTS, clone};
    use std::path::Path;

    /// What is said of `calls` in `step`, on a page of 60 columns.
    fn explained(step: Step, calls: &[(Call<'_>, Answer<'_>)], changes: &[Change]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let page = Page::plain(60, Out::File(file.reopen().unwrap()));
        let mut explain = Explain::new(page, Lang::En, None);
        let place = Place { role: Role::Init, pid: 4242, step: Some(step), sealed: true };
        explain.begins(&place);
        for (call, answer) in calls {
            explain.asking(&place, call);
            explain.answered(&place, call, answer, changes);
        }
        explain.ends(&place);
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn a_step_is_a_title_a_reason_calls_and_evidence() {
        let change = |before: &str, after: &str| Change {
            subject: Subject::Hostname,
            before: Some(before.into()),
            after: Some(after.into()),
        };
        let calls = [
            (Call::Unshare { flags: clone(CLONE_NEWUTS) }, Answer::Done),
            (Call::Readlink { path: Path::new("/looked") }, Answer::Done),
            (Call::Sethostname { name: "web" }, Answer::Refused(1, "EPERM", "Operation not permitted")),
        ];
        let expected = "\
── uts  A host name of its own ─────────── init, pid 4242 ──
   UTS holds the host name. In a new UTS namespace it can be
   set without renaming the machine.
   kernel  task_struct.nsproxy->uts_ns
     unshare(CLONE_NEWUTS) = 0
     sethostname(\"web\", 3) = -1 EPERM (Operation not
         permitted)

     hostname  vm → web

";
        assert_eq!(explained(Step::Uts, &calls, &[change("vm", "web")]), expected);
    }

    #[test]
    fn a_step_that_only_looks_is_not_mentioned() {
        assert_eq!(explained(Step::Wait, &[(Call::Waitid { pid: 7 }, Answer::Number(7))], &[]), "");
    }

    #[test]
    fn what_is_done_a_hundred_times_is_counted() {
        let copy = Call::Copy { from: Path::new("/a"), to: Path::new("/b") };
        let text = explained(Step::Image, &[(copy, Answer::Done); 100], &[]);
        assert_eq!(text.matches("copy_file_range(").count(), CALLS_OF_IMAGE);
        assert!(text.contains("… 94 more requests: copy_file_range ×94"), "{text}");
    }

    #[test]
    fn dropped_capabilities_share_a_line() {
        let drop = |capability| (Call::PrctlCapbsetDrop { capability }, Answer::Done);
        let text = explained(Step::Harden, &[drop(12), drop(21), (Call::PrctlNoNewPrivs, Answer::Done)], &[]);
        let lines = "prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN) = 0\n     … and the same for SYS_ADMIN\n     prctl(PR_SET_NO";
        assert!(text.contains(lines), "{text}");
    }
}
