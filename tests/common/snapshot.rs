//! The machine as it is seen from outside any container: what must be the same before and after.
//!
//! | part | read from |
//! |---|---|
//! | mounts | `/proc/self/mountinfo`, without the numbers that only count |
//! | links, addresses, routes | ip(8), without what comes and goes by itself |
//! | rules | iptables-save(8): rules and policies; a built-in table that is empty is none |
//! | forwarding | `/proc/sys/net/ipv4/ip_forward` |
//! | cgroups | every directory named after a container that was ever in the state root |
//! | processes | every descendant of this process |
//! | state | every path below the state root, with its kind |

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The state of everything looked at: part → its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<&'static str, BTreeSet<String>>);

impl Snapshot {
    /// All that was seen, a line each.
    pub fn lines(&self) -> Vec<String> {
        let parts = self.0.iter();
        parts.flat_map(|(part, lines)| lines.iter().map(move |line| format!("{part}: {line}"))).collect()
    }

    /// What differs in `later`: `+ mounts: …` for what has come, `- mounts: …` for what has gone.
    pub fn diff(&self, later: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (part, before) in &self.0 {
            let after = &later.0[part];
            lines.extend(before.difference(after).map(|line| format!("- {part}: {line}")));
            lines.extend(after.difference(before).map(|line| format!("+ {part}: {line}")));
        }
        lines
    }
}

/// Someone who watches a state root, and so knows which cgroups are its containers', on a machine where others
/// have containers too.
pub struct Watcher {
    root: PathBuf,
    /// Whether mounts and network are ours alone; else only what bears our name is looked at.
    alone: bool,
    births: Inotify,
    ids: RefCell<BTreeSet<String>>,
}

impl Watcher {
    /// Watch the state root `root`, which must be there with its directory `containers`.
    pub fn new(root: &Path, alone: bool) -> Self {
        let births = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).unwrap();
        births.add_watch(&root.join("containers"), AddWatchFlags::IN_CREATE).unwrap();
        Self { root: root.to_owned(), alone, births, ids: RefCell::default() }
    }

    /// The machine as it is now. Every orphan this process was left with is reaped first.
    pub fn take(&self) -> Snapshot {
        reap_orphans(true);
        self.snapshot()
    }

    /// The same while containers may run whose supervisors this process was left with: those are not waited for.
    pub fn look(&self) -> Snapshot {
        reap_orphans(false);
        self.snapshot()
    }

    fn snapshot(&self) -> Snapshot {
        self.note_births();
        let parts = [
            ("mounts", self.mounts()),
            ("network", self.network()),
            ("rules", self.rules()),
            ("forwarding", read("/proc/sys/net/ipv4/ip_forward")),
            ("cgroups", self.cgroups()),
            ("processes", descendants(std::process::id()).into_iter().map(describe).collect()),
            ("state", self.state()),
        ];
        let set = |text: String| text.lines().map(str::to_owned).collect();
        Snapshot(parts.into_iter().map(|(part, text)| (part, set(text))).collect())
    }

    /// The ids of all containers that ever had a directory, also if it was gone before anybody could look.
    fn note_births(&self) {
        let mut ids = self.ids.borrow_mut();
        while let Ok(events) = self.births.read_events() {
            ids.extend(
                events.into_iter().filter_map(|event| Some(event.name?.to_string_lossy().into_owned())),
            );
        }
    }

    fn concerns_us(&self, line: &str) -> bool {
        self.alone || line.contains("minidocker") || line.contains(&*self.root.to_string_lossy())
    }

    /// ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - FSTYPE SOURCE SUPEROPTIONS, from ROOT on.
    fn mounts(&self) -> String {
        let text = read("/proc/self/mountinfo");
        let lines = text.lines().filter_map(|line| line.splitn(4, ' ').nth(3));
        lines.filter(|line| self.concerns_us(line)).map(|line| format!("{line}\n")).collect()
    }

    fn network(&self) -> String {
        let text = output("ip", &["-o", "-batch", "-"], "link show\naddress show\nroute show table all\n");
        let lines = text.lines().filter_map(without_passing_states);
        lines.filter(|line| self.concerns_us(line)).map(|line| line + "\n").collect()
    }

    /// Policies and rules, each with its table. Only root has any.
    fn rules(&self) -> String {
        if !self.alone {
            return String::new();
        }
        let mut table = "";
        let mut lines = String::new();
        for line in output("iptables-save", &[], "").lines() {
            match line.as_bytes().first() {
                Some(b'*') => table = Box::leak(line.to_owned().into_boxed_str()),
                Some(b':') if line.contains(" ACCEPT ") => {}
                Some(b':') => lines += &format!("{table} {}\n", line.split(" [").next().unwrap()),
                Some(b'-') => lines += &format!("{table} {line}\n"),
                _ => {}
            }
        }
        lines
    }

    fn cgroups(&self) -> String {
        let ids = self.ids.borrow();
        let ours = |name: &str| {
            let id = name.strip_prefix("minidocker-").and_then(|rest| rest.split('-').next());
            id.is_some_and(|id| ids.contains(id))
        };
        let mut found = String::new();
        for directory in cgroup_parents() {
            let Ok(entries) = std::fs::read_dir(&directory) else { continue };
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            found.extend(
                names.filter(|name| ours(name)).map(|name| format!("{}/{name}\n", directory.display())),
            );
        }
        found
    }

    fn state(&self) -> String {
        let mut lines = String::new();
        walk(&self.root, &self.root, &mut lines);
        lines
    }
}

/// A line of ip(8) without what changes with no one's doing: numbers of links, lifetimes, carrier, and what the
/// kernel does by itself for IPv6 on every link.
fn without_passing_states(line: &str) -> Option<String> {
    if line.contains("fe80:") || line.contains("ff00::/8") {
        return None;
    }
    let line = line.split(" valid_lft").next()?;
    let numbered =
        line.split_once(": ").is_some_and(|(head, _)| head.bytes().all(|byte| byte.is_ascii_digit()));
    let line = if numbered { line.split_once(' ')?.1 } else { line };
    let mut kept = Vec::new();
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "state" => drop(words.next()),
            "linkdown" | "tentative" => {}
            flags if flags.starts_with('<') => {
                let flags = flags.trim_matches(['<', '>']).split(',');
                kept.extend(
                    flags.filter(|flag| !["LOWER_UP", "NO-CARRIER"].contains(flag)).map(str::to_owned),
                );
            }
            word => kept.push(word.split("@if").next()?.to_owned()),
        }
    }
    Some(kept.join(" "))
}

/// Where a container's cgroup may stand: at the top of each hierarchy, and in this process's own group.
fn cgroup_parents() -> BTreeSet<PathBuf> {
    let own = read("/proc/self/cgroup");
    let own: Vec<&str> = own.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    let mut found = BTreeSet::new();
    for line in read("/proc/self/mounts").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if matches!(fields[2], "cgroup" | "cgroup2") {
            found.insert(PathBuf::from(fields[1]));
            found.extend(own.iter().map(|path| Path::new(fields[1]).join(path.trim_start_matches('/'))));
        }
    }
    found
}

/// Every path below `directory` and the kind of what stands there. Links are not followed.
fn walk(root: &Path, directory: &Path, lines: &mut String) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let letter = if kind.is_dir() {
            'd'
        } else if kind.is_symlink() {
            'l'
        } else {
            'f'
        };
        *lines += &format!("{letter} {}\n", path.strip_prefix(root).unwrap().display());
        // What is in a layer is nobody's business here: it is there whole, or under an unfinished name.
        if kind.is_dir() && !directory.ends_with("layers") {
            walk(root, &path, lines);
        }
    }
}

/// The processes that descend from `pid`, as long as each was started by its parent's first thread.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    for task in tasks {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

fn describe(pid: u32) -> String {
    let name = read(&format!("/proc/{pid}/comm"));
    format!("{pid} {}\n", name.trim())
}

/// The children of this process that it did not start itself and so does not wait for: it was handed them, as
/// their *subreaper*, when their own parent died. With `all` each is waited for: a container that does not die is a
/// hang. Else those that have ended are.
fn reap_orphans(all: bool) {
    let mut started = STARTED.lock().unwrap();
    started.retain(|pid| Path::new(&format!("/proc/{pid}")).exists());
    let flags = if all { None } else { Some(WaitPidFlag::WNOHANG) };
    loop {
        let me = std::process::id();
        let children = read(&format!("/proc/{me}/task/{me}/children"));
        let mut orphans = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .filter(|pid| !started.contains(pid));
        let reap = |pid: u32| waitpid(Pid::from_raw(pid as i32), flags);
        // Whoever is reaped may leave children of its own.
        if !orphans.any(|pid| reap(pid).is_ok_and(|ended| ended != WaitStatus::StillAlive)) {
            return;
        }
    }
}

static STARTED: std::sync::Mutex<Vec<u32>> = std::sync::Mutex::new(Vec::new());

/// This child is waited for by whoever started it.
pub fn is_waited_for(pid: u32) {
    STARTED.lock().unwrap().push(pid);
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// What a program of the host's writes; nothing when it is not there.
fn output(program: &str, arguments: &[&str], stdin: &str) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut process) = command.spawn() else { return String::new() };
    process.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    String::from_utf8_lossy(&process.wait_with_output().unwrap().stdout).into_owned()
}
