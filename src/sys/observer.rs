//! Who is told what passes through the door.
//!
//! At most one [`Observer`] is installed, before anything is asked; a fork inherits it, so both processes
//! speak through their own copy. The mechanisms know nothing of it.

use super::{Answer, Call};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Which process is speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The program that the person started; of `minidocker run` and `start` the supervisor that it makes: the container's
    /// parent, outside.
    Runtime,
    /// The `minidocker run` or `start` that the person started, once it leaves the work to a supervisor.
    Client,
    /// The container's first process, before it becomes the person's command.
    Init,
    /// A process of a demo, by the name that the demo gives it: `inside`, `server`, …
    Actor(&'static str),
}

impl Role {
    /// The word for it in the JSON trace.
    pub fn name(self) -> &'static str {
        match self {
            Role::Runtime => "runtime",
            Role::Client => "client",
            Role::Init => "init",
            Role::Actor(name) => name,
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
    ThrowAway,
    Attend,
    Image,
    Supervise,
    Claim,
    State,
    Cgroup,
    Shared,
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
    VolumeStore,
    Networks,
    Connect,
    Disconnect,
    Mask,
    Network,
    Harden,
    Exec,
    Reap,
    Wait,
    Console,
    Cleanup,
    // Images taken in.
    Load,
    Unpack,
    // Into a container that runs.
    Doors,
    Itself,
    Spawn,
    Join,
    ExecWait,
    Pack,
    Keep,
    Discard,
    Save,
    Stop,
    Kill,
    Pause,
    Unpause,
    Rename,
    Copy,
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
    /// Standard error is about to become the container's: whoever speaks there keeps what it is now.
    fn keep_stderr(&self) {}
}

static OBSERVER: OnceLock<Box<dyn Observer>> = OnceLock::new();
/// (A lock, but free whenever a process is made: nobody asks for anything while it is held.)
static ROLE: Mutex<Role> = Mutex::new(Role::Runtime);

/// Install the observer. The first one stays; a second is dropped.
pub fn install(observer: Box<dyn Observer>) {
    let _ = OBSERVER.set(observer);
}

/// The observer, if one was installed.
pub(super) fn installed() -> Option<&'static dyn Observer> {
    OBSERVER.get().map(Box::as_ref)
}

/// Whether somebody is told of requests.
pub fn is_installed() -> bool {
    installed().is_some()
}

/// Which process this is.
pub fn role() -> Role {
    *ROLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Say that this process, just forked, is `role` from now on.
pub fn become_role(role: Role) {
    *ROLE.lock().unwrap_or_else(PoisonError::into_inner) = role;
    if let Some(observer) = installed() {
        observer.became(role);
    }
}

/// Say that descriptor 2 is about to become another file.
pub fn keep_stderr() {
    if let Some(observer) = installed() {
        observer.keep_stderr();
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
