//! What went wrong, as data: what was asked, what the kernel answered, and what it means.
//!
//! An [`Error`] has two halves. [`Refusal`] is written by the door (`sys::ask`) and holds the request and
//! the kernel's `errno`. [`Problem`] is written by the mechanism that knows what the request was *for*.
//! Neither holds a sentence: `narrate::words` says both, in the reader's language, with what to do about it.
//! Both serialize, since the container's first process sends its error to its parent over a pipe.

mod console;
mod image;
mod inside;
mod lab;
mod life;
mod look;
mod net;
mod rootless;
mod volume;

pub use console::ConsoleProblem;
pub use image::ImageProblem;
pub use inside::InsideProblem;
pub use lab::LabProblem;
pub use life::LifeProblem;
pub use look::LookProblem;
pub use net::NetProblem;
pub use rootless::RootlessProblem;
pub use volume::VolumeProblem;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure: its meaning, and the kernel's refusal if the kernel was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// What it means for the person who typed the command.
    pub problem: Problem,
    /// The request that the kernel refused; `None` when we refused before asking.
    pub refusal: Option<Box<Refusal>>,
}

/// One refused request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The call, by the name of its manual page: `mount`, `clone3`, `write`.
    pub call: String,
    /// Its arguments, rendered as in the narration.
    pub args: String,
    /// The number of the error, as in errno(3).
    pub errno: i32,
    /// The symbol for that number (`EPERM`) and the C library's text for it.
    pub name: String,
    /// `Operation not permitted`.
    pub message: String,
}

/// What a failure means, with the values a sentence about it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum Problem {
    /// Nothing more is known than the refusal itself.
    Refused,
    // The command line.
    BadMemory {
        text: String,
    },
    BadCpus {
        text: String,
    },
    CpusAboveMachine {
        asked: String,
        online: usize,
    },
    BadCpuset {
        text: String,
        online: String,
    },
    BadPids {
        text: String,
    },
    BadRate {
        text: String,
    },
    BadVolume {
        text: String,
    },
    VolumeSourceMissing {
        path: String,
    },
    VolumeTwice {
        target: String,
    },
    VolumeInProc {
        target: String,
    },
    BadEnvironment {
        text: String,
    },
    EnvironmentNotUtf8 {
        name: String,
    },
    BadUser {
        text: String,
    },
    BadHostname {
        text: String,
    },
    BadName {
        name: String,
    },
    BadWorkdir {
        path: String,
    },
    UnknownCapability {
        name: String,
    },
    UnknownNetwork {
        name: String,
    },
    StepNeedsTerminal,
    TraceUnusable {
        path: String,
    },
    PictureUnusable {
        path: String,
    },
    // Images and containers.
    UnknownImage {
        name: String,
        known: Vec<String>,
    },
    NoCommand {
        image: String,
    },
    NameTaken {
        name: String,
        id: String,
    },
    NoSuchContainer {
        name: String,
    },
    NotRunning {
        name: String,
    },
    StillRunning {
        name: String,
    },
    ContainersRunning,
    NoSuchUser {
        name: String,
    },
    NoSuchGroup {
        name: String,
    },
    WorkdirMissing {
        path: String,
    },
    NotADirectory {
        path: String,
    },
    NotAFile {
        path: String,
    },
    LeadsNowhere {
        path: String,
    },
    FileOnDirectory {
        source: String,
        target: String,
    },
    DirectoryOnFile {
        source: String,
        target: String,
    },
    NotTheDevice {
        path: String,
    },
    CommandNotFound {
        name: String,
    },
    CommandNotExecutable {
        name: String,
    },
    // The machine.
    StateUnusable {
        path: String,
    },
    StateDamaged {
        path: String,
        detail: String,
    },
    NoHome,
    StateNotUtf8 {
        path: String,
    },
    StateOnOverlay {
        path: String,
    },
    LayerNotWhole {
        path: String,
    },
    BadArchive {
        detail: String,
    },
    NoProc,
    TooLong {
        path: String,
        mebibytes: u64,
    },
    NoIptables {
        program: String,
    },
    NatRefused {
        program: String,
        said: String,
    },
    NoOverlay,
    NoBridge,
    BridgeTaken {
        name: String,
    },
    NoUserNamespaces {
        sysctl: Option<String>,
    },
    NoNamespaces {
        which: String,
    },
    NotMapped {
        id: u32,
    },
    BridgeNeedsRoot,
    JoinNeedsRights {
        name: String,
    },
    NoSubnet,
    NoAddress {
        subnet: String,
    },
    CgroupNotWritable {
        asked: String,
        path: String,
    },
    CgroupNoController {
        asked: String,
        controller: String,
    },
    CgroupBusy {
        path: String,
    },
    CgroupForDemo {
        path: String,
    },
    NoSuchCgroup {
        path: String,
    },
    CgroupLimitRefused {
        file: String,
        value: String,
    },
    NoShell {
        looked: String,
    },
    LoaderFailed {
        program: String,
        said: String,
    },
    /// A throw-away host cannot have a `/proc` of its own: parts of the one here are covered.
    ProcHidden,
    /// What was asked for on the real host is root's to do.
    OnHostNeedsRoot,
    NoSuchType {
        name: String,
        kernel: String,
        near: String,
    },
    NoSuchProcess {
        pid: i32,
    },
    /// The namespaces of a process may not be looked at.
    ProcessClosed {
        pid: i32,
    },
    /// A namespace of a process may be looked at and not joined.
    NamespaceClosed {
        kind: String,
        pid: i32,
    },
    /// The person gave up while the container was starting.
    Interrupted {
        signal: i32,
    },
    /// A signal ended a demo; what it had made has been removed.
    DemoInterrupted {
        signal: i32,
    },
    /// The container's first process ended before it could say why.
    ChildVanished,
    // One enum a room: see the files beside this.
    Life(LifeProblem),
    Lab(LabProblem),
    Look(LookProblem),
    Net(NetProblem),
    Volume(VolumeProblem),
    Image(ImageProblem),
    Console(ConsoleProblem),
    Inside(InsideProblem),
    Rootless(RootlessProblem),
}

impl Error {
    /// A failure found before the kernel was asked.
    pub fn new(problem: Problem) -> Self {
        Self { problem, refusal: None }
    }

    /// The same refusal with its meaning: called by the mechanism that knows what the request was for.
    /// A meaning already given stays, since the innermost mechanism knows best.
    pub fn meaning(mut self, problem: Problem) -> Self {
        if self.problem == Problem::Refused {
            self.problem = problem;
        }
        self
    }

    /// The kernel's error number, if the kernel was asked.
    pub fn errno(&self) -> Option<i32> {
        self.refusal.as_ref().map(|refusal| refusal.errno)
    }

    /// Whether the kernel answered with this error number (a constant of `sys::errno`).
    pub fn is(&self, errno: i32) -> bool {
        self.errno() == Some(errno)
    }

    /// Whether the kernel answered that there is no such thing: `ENOENT`, which is 2 everywhere.
    pub fn is_absence(&self) -> bool {
        self.is(2)
    }

    /// The exit status that `docker run` documents: 127 when the command does not exist, 126 when it cannot
    /// be executed, 125 for every failure of minidocker's own.
    pub fn exit_status(&self) -> u8 {
        match self.problem {
            Problem::CommandNotFound { .. } => 127,
            Problem::CommandNotExecutable { .. } => 126,
            Problem::Interrupted { signal } | Problem::DemoInterrupted { signal } => (128 + signal) as u8,
            // The kernel has killed the container with it.
            Problem::Life(LifeProblem::SupervisorVanished) => 137,
            Problem::Console(ConsoleProblem::NotATerminal | ConsoleProblem::OutputBroken) => 1,
            _ => 125,
        }
    }
}

/// Attach a meaning to the error of a result, as [`Error::meaning`] does.
pub trait Meaning {
    /// The same result; a refusal in it now means `problem`.
    fn meaning(self, problem: impl FnOnce() -> Problem) -> Self;
}

impl<T> Meaning for Result<T> {
    fn meaning(self, problem: impl FnOnce() -> Problem) -> Self {
        self.map_err(|error| error.meaning(problem()))
    }
}

impl fmt::Display for Refusal {
    /// `mount("overlay", "/merged", …) = EPERM (Operation not permitted)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}) = {} ({})", self.call, self.args, self.name, self.message)
    }
}

impl std::error::Error for Error {}
