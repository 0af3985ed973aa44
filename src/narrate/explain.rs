//! `--explain`: each step for a person: a title, why, the calls with their answers, and the evidence.

use super::calls::{arguments, capability, ink, result};
use super::chapter::{Chapter, label};
use super::evidence::Change;
use super::line::Line;
use super::narrator::{Place, Sink};
use super::page::{Ink, Page, columns};
use super::shell;
use super::step::Gate;
use super::words::{self, Label, Lang};
use crate::sys::observer::{Role, Step};
use crate::sys::{Answer, Call};
use std::fmt::Write;

/// Where prose begins; where calls and facts do, and the rest of a long call.
const MARGIN: usize = 3;
const INDENT: usize = 5;
const HANG: usize = 9;

/// Facts shown at the end of a step.
const FACTS: usize = 16;

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
    /// What the child says before the runtime has given its go: the calls, and their answers.
    held: Vec<(&'static str, Line, Line)>,
    /// The child has not yet read the runtime's go.
    waits: bool,
}

impl Explain {
    /// An explanation on `page`; with a gate, each step waits there.
    pub fn new(page: Page, lang: Lang, gate: Option<Gate>) -> Self {
        Self {
            page,
            lang,
            gate,
            chapters: Vec::new(),
            loose: false,
            dropped: Vec::new(),
            held: Vec::new(),
            waits: false,
        }
    }

    /// Say which step this is, if that was not said yet, and wait at the gate.
    fn title(&mut self, place: &Place) {
        if self.chapters.last().is_none_or(|chapter| chapter.titled) {
            return;
        }
        self.release(place);
        let Some(chapter) = self.chapters.last_mut() else { return };
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

    /// Say what the child held back: the runtime has given its go, so nothing of its can come between.
    fn release(&mut self, place: &Place) {
        self.waits = false;
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return;
        }
        let (title, why) = (Label::AnsweredTwice.get(self.lang), Label::AnsweredTwiceWhy.get(self.lang));
        heading(&self.page, self.lang, place, words::step_word(Step::Clone), title, why);
        for (name, arguments, result) in &held {
            let (call, answer) = ((Ink::Call, *name), (Ink::Granted, result.as_str()));
            let pieces = [call, (Ink::Plain, arguments.as_str()), (Ink::Faint, " ="), answer];
            self.page.set(INDENT, HANG, &pieces);
        }
        self.loose = true;
    }

    fn show(&self, place: &Place, call: &Call<'_>, answer: Option<&Answer<'_>>) {
        // Several processes of a demo speak into one page: each call says whose it is.
        let actor = match place.role {
            Role::Actor(name) => format!("{name} ▸ "),
            Role::Runtime | Role::Client | Role::Init => String::new(),
        };
        let result = answer.map(result);
        let ink = answer.map_or(Ink::Plain, |answer| ink(call, answer));
        let result = result.as_ref().map_or("", Line::as_str);
        let equals = if result.is_empty() { "" } else { " =" };
        if let Call::Command { program, arguments, stdin } = call {
            let program = program.to_string_lossy();
            let arguments = arguments.iter().fold(String::new(), |all, one| all + " " + &shell::word(one));
            let pieces = [
                (Ink::Word, &*actor),
                (Ink::Call, &*program),
                (Ink::Plain, &arguments),
                (Ink::Faint, equals),
                (ink, result),
            ];
            self.page.set(INDENT, HANG, &pieces);
            for line in stdin.lines() {
                self.page.set(INDENT, HANG, &[(Ink::Faint, "│ "), (Ink::Command, line)]);
            }
            return;
        }
        let arguments = arguments(call);
        let pieces = [
            (Ink::Word, &*actor),
            (Ink::Call, call.name()),
            (Ink::Plain, arguments.as_str()),
            (Ink::Faint, equals),
            (ink, result),
        ];
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
        let (count, list) = chapter.left_out();
        if count > 0 {
            let text = format!("… {count} {}: {list}", Label::More.get(self.lang));
            self.page.set(INDENT, HANG, &[(Ink::Faint, &text)]);
        }
        if !place.sealed {
            chapter.look_again();
        }
        let facts = chapter.facts();
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
            let (before, after) = (value(&fact.before), format!(" {}", value(&fact.after)));
            let pieces = [
                (Ink::Faint, &**name),
                (Ink::Plain, &pad),
                (Ink::Plain, &before),
                (Ink::Faint, " →"),
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
        Role::Client => Label::Client,
        Role::Init => Label::Init,
        Role::Actor(_) => Label::Process,
    };
    let mut who = Line::new();
    let _ = write!(who, "{}, pid {}", role.get(lang), place.pid);
    page.rule(word, title, who.as_str());
    page.set(MARGIN, MARGIN, &[(Ink::Plain, why)]);
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
        if call.only_looks() {
            return;
        }
        self.title(place);
        if matches!(call, Call::Execve { .. }) {
            // Success does not return: what is not said now is never said.
            self.show(place, call, None);
            self.page.blank();
        }
    }

    fn answered(&mut self, place: &Place, call: &Call<'_>, answer: &Answer<'_>, changes: &[Change]) {
        // A supervisor's own answer comes while the client still tells of its: that one says enough.
        if (place.role, answer) == (Role::Runtime, &Answer::Number(0)) && matches!(call, Call::Clone3 { .. })
        {
            return;
        }
        if self.waits && self.chapters.is_empty() && !call.only_looks() {
            self.held.push((call.name(), arguments(call), result(answer)));
            return;
        }
        if self.waits && matches!(call, Call::ReadPipe) {
            self.release(place);
        }
        if call.only_looks() {
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
        let shown = match self.chapters.last_mut() {
            Some(chapter) => chapter.takes(call.name()),
            None => {
                self.loose = true;
                true
            }
        };
        if shown {
            self.show(place, call, Some(answer));
        }
    }

    fn became(&mut self, place: &Place) {
        // The open steps are the runtime's, who will close them.
        self.chapters.clear();
        // What a demo's process was answered by clone3 is told by the demo.
        self.held.clear();
        self.waits = place.role == Role::Init;
    }
}

#[cfg(test)]
mod tests {
    use super::super::chapter::CALLS_OF_IMAGE;
    use super::super::line::Out;
    use super::*;
    use crate::observe::Subject;
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
    fn an_answer_that_does_not_fit_goes_whole_to_the_next_line() {
        let call = Call::Chdir { path: Path::new("/a/directory/whose/name/leaves/room/for/on") };
        let text = explained(Step::Root, &[(call, Answer::Number(11))], &[]);
        assert!(text.contains("\"/a/directory/whose/name/leaves/room/for/on\") =\n         11\n"), "{text}");
    }

    #[test]
    fn dropped_capabilities_share_a_line() {
        let drop = |capability| (Call::PrctlCapbsetDrop { capability }, Answer::Done);
        let text = explained(Step::Harden, &[drop(12), drop(21), (Call::PrctlNoNewPrivs, Answer::Done)], &[]);
        let lines = "prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN) = 0\n     … and the same for SYS_ADMIN\n     prctl(PR_SET_NO";
        assert!(text.contains(lines), "{text}");
    }
}
