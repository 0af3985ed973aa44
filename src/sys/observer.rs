//! Who is told what passes through the door.
//!
//! At most one [`Observer`] is installed, before anything is asked; a fork inherits it, so both processes
//! speak through their own copy. The mechanisms know nothing of it.

use super::{Answer, Call};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

/// Which process is speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// The `minidocker` that the person started; it stays outside, as the container's parent.
    Runtime,
    /// The container's first process, before it becomes the person's command.
    Init,
}

impl Role {
    /// The word for it in the JSON trace.
    pub fn name(self) -> &'static str {
        match self {
            Role::Runtime => "runtime",
            Role::Init => "init",
        }
    }
}

/// One part of the work, in the order in which `container` takes them.
///
/// The words for each (a title, the kernel object it changes, how to look) stand in `narrate::words`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "narrate::words has a title and a sentence for each")]
pub enum Step {
    Reclaim,
    Image,
    Claim,
    State,
    Cgroup,
    Bridge,
    Clone,
    Attach,
    Record,
    UserMap,
    CgroupJoin,
    Time,
    Ipc,
    Uts,
    Mount,
    Overlay,
    Root,
    Devices,
    Volumes,
    Mask,
    Network,
    Harden,
    Exec,
    Reap,
    Wait,
    Cleanup,
}

/// Someone who is told of every step and every request. All methods are called on the asking process's side.
pub trait Observer: Send + Sync {
    /// A step begins. May wait (that is how `--step` works).
    fn begins(&self, step: Step);
    /// The step that began last has ended.
    fn ends(&self, step: Step);
    /// `call` is about to be made.
    fn asking(&self, call: &Call<'_>);
    /// `call` was made; the kernel answered `answer`.
    fn answered(&self, call: &Call<'_>, answer: &Answer<'_>);
    /// This process has just been forked and speaks as `role` from now on.
    fn became(&self, role: Role);
}

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();
static ROLE: AtomicU8 = AtomicU8::new(Role::Runtime as u8);

/// Install the observer. The first one stays; a second is dropped.
pub fn install(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// The observer, if one was installed.
pub(super) fn installed() -> Option<&'static dyn Observer> {
    OBSERVER.get().map(Box::as_ref)
}

/// Which process this is.
pub fn role() -> Role {
    if ROLE.load(Ordering::Relaxed) == Role::Init as u8 { Role::Init } else { Role::Runtime }
}

/// Say that this process, just forked, is `role` from now on.
pub(super) fn become_role(role: Role) {
    ROLE.store(role as u8, Ordering::Relaxed);
    if let Some(observer) = installed() {
        observer.became(role);
    }
}

/// Tell the observer that `step` begins, run it, and tell that it ended (also when it failed).
pub fn take<T>(step: Step, part: impl FnOnce() -> T) -> T {
    let Some(observer) = installed() else { return part() };
    observer.begins(step);
    let result = part();
    observer.ends(step);
    result
}
