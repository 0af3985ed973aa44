//! Evidence: which facts a call may change, read before it is asked and after it is answered.

use crate::observe::{self, Subject, Who};
use crate::sys::flags::{self, Flags};
use crate::sys::netlink::Rtnetlink;
use crate::sys::{Answer, Call};
use std::path::Path;

/// One fact, before and after. `None` is "there was nothing to read".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was looked at.
    pub subject: Subject,
    /// What the kernel said before the call.
    pub before: Option<String>,
    /// What it said after.
    pub after: Option<String>,
}

impl Change {
    /// Whether the call made a difference.
    pub fn is_visible(&self) -> bool {
        self.before != self.after
    }
}

/// Look before the call.
pub fn before(call: &Call<'_>) -> Vec<Change> {
    let look = |subject: Subject| {
        // A process that is yet to be made has no pids.
        let known = !matches!(subject, Subject::Pids(_));
        Change { before: known.then(|| observe::read(&subject)).flatten(), after: None, subject }
    };
    subjects(call).into_iter().map(look).collect()
}

/// Look again after the answer. A new process is looked at from its parent's side.
pub fn after(changes: &mut [Change], call: &Call<'_>, answer: &Answer<'_>) {
    for change in changes {
        if let (Call::Clone3 { .. }, Answer::Number(pid @ 1..)) = (call, answer) {
            let child = Who::Pid(*pid as i32);
            match &mut change.subject {
                Subject::Namespace(who, _) | Subject::Pids(who) => *who = child,
                _ => {}
            }
        }
        change.after = observe::read(&change.subject);
    }
}

/// The kinds of namespace that `CLONE_NEW*` flags name, by their names in `/proc/PID/ns`.
pub fn namespaces(flags: Flags) -> impl Iterator<Item = &'static str> {
    const NAMES: [(u64, &str); 8] = [
        (flags::CLONE_NEWUSER, "user"),
        (flags::CLONE_NEWPID, "pid"),
        (flags::CLONE_NEWNET, "net"),
        (flags::CLONE_NEWNS, "mnt"),
        (flags::CLONE_NEWUTS, "uts"),
        (flags::CLONE_NEWIPC, "ipc"),
        (flags::CLONE_NEWCGROUP, "cgroup"),
        (flags::CLONE_NEWTIME, "time"),
    ];
    NAMES.into_iter().filter(move |(bit, _)| flags.has(*bit)).map(|(_, name)| name)
}

/// The facts that a call may change.
fn subjects(call: &Call<'_>) -> Vec<Subject> {
    use Subject as S;
    let namespace = |kind: &'static str| S::Namespace(Who::Myself, kind);
    match *call {
        Call::Clone3 { flags, .. } => {
            namespaces(flags).map(namespace).chain(std::iter::once(S::Pids(Who::Myself))).collect()
        }
        Call::Unshare { flags } => namespaces(flags).map(|kind| namespace(for_children(kind))).collect(),
        Call::Setns { flags, .. } => namespaces(flags).map(namespace).collect(),
        Call::Sethostname { .. } => vec![S::Hostname],
        // Whoever waits for a process sees what else of its group has gone with it.
        Call::PollPidfd { pid, .. } => observe::home(Who::Pid(pid)).map(S::Members).into_iter().collect(),
        Call::Mount { target, flags, .. } if flags.has(flags::MS_PRIVATE) || flags.has(flags::MS_SLAVE) => {
            vec![S::Mount(observe::place(target)), S::SharedMounts]
        }
        Call::Mount { target, .. } | Call::MoveMount { target, .. } | Call::MountSetattr { target, .. } => {
            vec![S::Mount(observe::place(target))]
        }
        Call::Umount2 { .. } => vec![S::Mounts],
        Call::PivotRoot { .. } => vec![S::Root],
        Call::Write { path, .. } => written(path),
        Call::Mkdir { path, .. }
        | Call::Mknod { path, .. }
        | Call::Symlink { link: path, .. }
        | Call::Chmod { path, .. }
        | Call::Rmdir { path } => vec![S::Path(path.into())],
        Call::Rtnetlink(request) => network(request),
        Call::Setresuid { .. } => vec![S::Status("Uid"), S::Status("CapEff")],
        Call::Setresgid { .. } => vec![S::Status("Gid")],
        Call::Setgroups { .. } => vec![S::Status("Groups")],
        Call::Capset { .. } => vec![S::Status("CapEff"), S::Status("CapPrm"), S::Status("CapInh")],
        Call::PrctlCapbsetDrop { .. } => vec![S::Status("CapBnd")],
        Call::PrctlAmbientClear => vec![S::Status("CapAmb")],
        Call::PrctlNoNewPrivs => vec![S::Status("NoNewPrivs")],
        _ => Vec::new(),
    }
}

/// unshare(2) gives a new pid or time namespace to the children to come, and `/proc` says so.
fn for_children(kind: &'static str) -> &'static str {
    match kind {
        "pid" => "pid_for_children",
        "time" => "time_for_children",
        kind => kind,
    }
}

/// A write to a file of the kernel's own: what the file says, or which cgroup the writer is in.
fn written(path: &Path) -> Vec<Subject> {
    let name = path.file_name().unwrap_or_default();
    if name == "tasks" || name == "cgroup.procs" {
        return vec![Subject::Cgroup(path.into())];
    }
    let of_kernel = path.starts_with("/proc") || path.starts_with("/sys");
    if of_kernel { vec![Subject::Contents(path.into())] } else { Vec::new() }
}

fn network(request: Rtnetlink<'_>) -> Vec<Subject> {
    match request {
        Rtnetlink::GetLink { .. }
        | Rtnetlink::DumpRoutes
        | Rtnetlink::DumpBridges
        | Rtnetlink::SetHairpin { .. } => Vec::new(),
        Rtnetlink::NewBridge { .. } | Rtnetlink::NewVeth { .. } => vec![Subject::Links],
        Rtnetlink::DelLink { .. } | Rtnetlink::DelGroup { .. } => vec![Subject::Links, Subject::Routes],
        Rtnetlink::SetUp { .. } | Rtnetlink::NewAddress { .. } | Rtnetlink::NewDefaultRoute { .. } => {
            vec![Subject::Addresses, Subject::Routes]
        }
    }
}
