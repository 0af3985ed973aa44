//! One step as the explanation keeps it while it lasts: what was shown, what was counted, which facts changed.

use super::evidence::Change;
use crate::observe::{self, Subject};
use crate::sys::observer::Step;

/// Calls of one step that are shown one by one; the rest is counted.
const CALLS: usize = 32;
/// The same for making an image, which copies hundreds of files.
pub const CALLS_OF_IMAGE: usize = 6;

/// What was said and seen in one step.
pub struct Chapter {
    /// The step.
    pub step: Step,
    /// Its title was said.
    pub titled: bool,
    shown: usize,
    /// Calls that were not shown, by name.
    counted: Vec<(&'static str, usize)>,
    /// Each fact once: before the first call that concerned it, after the last.
    facts: Vec<Change>,
}

impl Chapter {
    /// A step in which nothing was said yet.
    pub fn new(step: Step) -> Self {
        Self { step, titled: false, shown: 0, counted: Vec::new(), facts: Vec::new() }
    }

    /// Whether a call by this name is to be shown; else it is counted.
    pub fn takes(&mut self, name: &'static str) -> bool {
        let most = match self.step {
            Step::Image | Step::Load | Step::Unpack => CALLS_OF_IMAGE,
            _ => CALLS,
        };
        if self.shown < most {
            self.shown += 1;
            return true;
        }
        match self.counted.iter_mut().find(|(counted, _)| *counted == name) {
            Some((_, count)) => *count += 1,
            None => self.counted.push((name, 1)),
        }
        false
    }

    /// How many calls were only counted, and a list of them: `mkdir ×36, rmdir ×42`.
    pub fn left_out(&self) -> (usize, String) {
        let list: Vec<String> = self.counted.iter().map(|(name, count)| format!("{name} ×{count}")).collect();
        (self.counted.iter().map(|(_, count)| count).sum(), list.join(", "))
    }

    /// Take in what a call has changed.
    pub fn learn(&mut self, changes: &[Change]) {
        for change in changes {
            match self.facts.iter_mut().find(|fact| fact.subject == change.subject) {
                Some(fact) => fact.after.clone_from(&change.after),
                None => self.facts.push(change.clone()),
            }
        }
    }

    /// Read again, now that the step is over, what is best read late.
    pub fn look_again(&mut self) {
        for fact in self.facts.iter_mut().filter(|fact| shows_late(&fact.subject)) {
            fact.after = observe::read(&fact.subject);
        }
    }

    /// The facts that changed, without those that others imply.
    pub fn facts(&self) -> Vec<&Change> {
        let changed: Vec<&Change> = self.facts.iter().filter(|fact| fact.is_visible()).collect();
        changed.iter().filter(|fact| !is_implied(fact, &changed)).copied().collect()
    }
}

/// Whether a fact is best read when the step is over: what one call of it hid, as pivot_root hides `/proc`, a later
/// one may have shown again. The path of a cgroup is read at once: it is told from the root of the reader's cgroup
/// namespace, which may change next.
fn shows_late(subject: &Subject) -> bool {
    !matches!(subject, Subject::Cgroup(_))
}

/// Whether `facts` say this one too: of a tree that went only its root is told, since what stood in it went
/// too; of a mount point the mount, not the directory.
fn is_implied(fact: &Change, facts: &[&Change]) -> bool {
    let Subject::Path(path) = &fact.subject else { return false };
    facts.iter().any(|other| match &other.subject {
        Subject::Mount(point) => point == path && other.after.is_some(),
        Subject::Path(root) => root != path && path.starts_with(root) && other.after.is_none(),
        _ => false,
    })
}

/// The name of a fact; of a file of the kernel's only the last part, since the call shows the whole path.
pub fn label(subject: &Subject) -> String {
    match subject {
        Subject::Contents(path) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        subject => subject.name(),
    }
}
