//! Each step: its word, its title, why it is taken, what it changes in the kernel, and how to look at it.

mod images;
mod run;
mod verbs;

use super::Text;
use crate::sys::observer::Step;

/// The words of one step.
#[derive(Debug, Clone, Copy)]
pub struct StepWords {
    /// One lower-case word; also the value of `step` in the JSON trace.
    pub word: &'static str,
    /// A title of a few words.
    pub title: Text,
    /// One or two sentences.
    pub why: Text,
    /// The structure of the kernel that changes, as its source names it; empty where there is no single one.
    pub object: &'static str,
    /// Commands for a second terminal; `PID` stands for the pid of the process that takes the step.
    pub look: &'static [&'static str],
}

/// The word of a step.
pub fn step_word(of: Step) -> &'static str {
    step(of).word
}

/// The words of some steps, each a constant with the step's name.
macro_rules! steps {
    ($($step:ident $word:literal {
        title: $title_en:literal, $title_zh:literal;
        why: $why_en:literal, $why_zh:literal;
        object: $object:literal;
        look: $($look:literal),*;
    })*) => {
        $(
            #[allow(non_upper_case_globals, reason = "the step's own name")]
            pub(super) const $step: StepWords = StepWords {
                word: $word,
                title: Text { en: $title_en, zh: $title_zh },
                why: Text { en: $why_en, zh: $why_zh },
                object: $object,
                look: &[$($look),*],
            };
        )*
    };
}
use steps;

/// The words of a step.
pub fn step(step: Step) -> &'static StepWords {
    match step {
        Step::Reclaim => &run::Reclaim,
        Step::ThrowAway => &run::ThrowAway,
        Step::Attend => &run::Attend,
        Step::Image => &run::Image,
        Step::Supervise => &run::Supervise,
        Step::Claim => &run::Claim,
        Step::State => &run::State,
        Step::Cgroup => &run::Cgroup,
        Step::Bridge => &run::Bridge,
        Step::Clone => &run::Clone,
        Step::Attach => &run::Attach,
        Step::Record => &run::Record,
        Step::UserMap => &run::UserMap,
        Step::CgroupJoin => &run::CgroupJoin,
        Step::Time => &run::Time,
        Step::Ipc => &run::Ipc,
        Step::Uts => &run::Uts,
        Step::Mount => &run::Mount,
        Step::Overlay => &run::Overlay,
        Step::Root => &run::Root,
        Step::Devices => &run::Devices,
        Step::Volumes => &run::Volumes,
        Step::Networks => &verbs::Networks,
        Step::Connect => &verbs::Connect,
        Step::Disconnect => &verbs::Disconnect,
        Step::Mask => &run::Mask,
        Step::Network => &run::Network,
        Step::Harden => &run::Harden,
        Step::Exec => &run::Exec,
        Step::Reap => &run::Reap,
        Step::Wait => &run::Wait,
        Step::Cleanup => &run::Cleanup,
        Step::Load => &images::Load,
        Step::Unpack => &images::Unpack,
        Step::Pack => &images::Pack,
        Step::Keep => &images::Keep,
        Step::Discard => &images::Discard,
        Step::Save => &images::Save,
        Step::Shared => &verbs::Shared,
        Step::VolumeStore => &verbs::VolumeStore,
        Step::Console => &verbs::Console,
        Step::Doors => &verbs::Doors,
        Step::Itself => &verbs::Itself,
        Step::Spawn => &verbs::Spawn,
        Step::Join => &verbs::Join,
        Step::Copy => &verbs::Copy,
        Step::ExecWait => &verbs::ExecWait,
        Step::Stop => &verbs::Stop,
        Step::Kill => &verbs::Kill,
        Step::Pause => &verbs::Pause,
        Step::Unpause => &verbs::Unpause,
        Step::Rename => &verbs::Rename,
    }
}
