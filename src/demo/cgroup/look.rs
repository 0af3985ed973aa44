//! tree, stat: any cgroup of the machine, as it is now or live. They only look.

use super::files::{self, File};
use crate::cgroup::Group;
use crate::cgroup::group::Place;
use crate::cgroup::hierarchy::{self, Hierarchy, Version};
use crate::error::{Error, Problem, Result};
use crate::narrate::stage::Entry;
use crate::narrate::{Ink, Stage, text};
use crate::observe::{self, Subject};
use crate::sys::eventfd::wait_any;
use std::path::{Path, PathBuf};

const MEMORY: File = File { controller: "memory", v1: "memory.usage_in_bytes", v2: "memory.current" };
const LIMIT: File = File { controller: "memory", v1: "memory.limit_in_bytes", v2: "memory.max" };
const TIME: File = File { controller: "cpuacct", v1: "cpuacct.usage", v2: "cpu.stat usage_usec" };
const PIDS: File = File { controller: "pids", v1: "pids.current", v2: "pids.current" };

/// What `stat` shows, where the group has it.
const FILES: [File; 19] = [
    MEMORY,
    LIMIT,
    File { controller: "memory", v1: "memory.max_usage_in_bytes", v2: "memory.peak" },
    File { controller: "memory", v1: "memory.failcnt", v2: "memory.events max" },
    File { controller: "memory", v1: "memory.oom_control oom_kill", v2: "memory.events oom_kill" },
    TIME,
    File { controller: "cpuacct", v1: "cpuacct.stat user", v2: "cpu.stat user_usec" },
    File { controller: "cpuacct", v1: "cpuacct.stat system", v2: "cpu.stat system_usec" },
    File { controller: "cpu", v1: "cpu.cfs_quota_us", v2: "cpu.max" },
    File { controller: "cpu", v1: "cpu.shares", v2: "cpu.weight" },
    File { controller: "cpu", v1: "cpu.stat nr_periods", v2: "cpu.stat nr_periods" },
    File { controller: "cpu", v1: "cpu.stat nr_throttled", v2: "cpu.stat nr_throttled" },
    PIDS,
    File { controller: "pids", v1: "pids.max", v2: "pids.max" },
    File { controller: "cpuset", v1: "cpuset.cpus", v2: "cpuset.cpus.effective" },
    File { controller: "cpuset", v1: "cpuset.mems", v2: "cpuset.mems.effective" },
    File { controller: "freezer", v1: "freezer.state", v2: "cgroup.freeze" },
    File { controller: "freezer", v1: "-", v2: "cgroup.controllers" },
    File { controller: "freezer", v1: "-", v2: "cgroup.subtree_control" },
];

/// How often to look again: on a terminal, every so many seconds; else once.
pub fn repeat(stage: &Stage, seconds: Option<u16>, mut look: impl FnMut() -> Result<()>) -> Result<u8> {
    let Some(seconds) = seconds.filter(|_| stage.is_terminal()) else {
        look()?;
        return Ok(0);
    };
    loop {
        stage.wipe();
        look()?;
        let ends = text!("Ctrl-C ends it.", "按 Ctrl-C 结束。");
        stage.line(&[(Ink::Faint, &ends)]);
        wait_any(&[], Some(seconds.clamp(1, 60) * 1000))?;
    }
}

/// A directory of a hierarchy as a group of one place.
fn group_at(hierarchy: &Hierarchy, directory: PathBuf) -> Group {
    let mut group = Group::default();
    group.places.push(Place { hierarchy: hierarchy.clone(), directory });
    group
}

/// The hierarchy in which a directory lies.
fn hierarchy_of<'a>(all: &'a [Hierarchy], directory: &Path) -> Option<&'a Hierarchy> {
    all.iter().filter(|one| directory.starts_with(&one.mount)).max_by_key(|one| one.mount.as_os_str().len())
}

/// What a person called a cgroup, as a group with a place in every hierarchy that has it: a directory, or a path inside
/// the hierarchies. `NoSuchCgroup` when none has.
fn find(path: &Path) -> Result<Group> {
    let all = hierarchy::all()?;
    let named =
        all.iter().find_map(|one| path.strip_prefix(&one.mount).ok().filter(|_| observe::is_group(path)));
    let inside = named.unwrap_or_else(|| path.strip_prefix("/").unwrap_or(path));
    let climbs = inside.components().any(|part| part.as_os_str() == "..");
    let mut group = Group::default();
    for hierarchy in all.iter().filter(|_| !climbs) {
        let top = inside.as_os_str().is_empty();
        let directory = if top { hierarchy.mount.clone() } else { hierarchy.mount.join(inside) };
        if observe::is_group(&directory) {
            group.places.push(Place { hierarchy: hierarchy.clone(), directory });
        }
    }
    if group.places.is_empty() {
        return Err(Error::new(Problem::NoSuchCgroup { path: path.display().to_string() }));
    }
    Ok(group)
}

/// `cgroup-demo tree [PATH]`: the groups at and below `path`, or of every hierarchy.
pub fn tree(stage: &Stage, path: Option<&Path>) -> Result<()> {
    let all = hierarchy::all()?;
    let tops: Vec<PathBuf> = match path {
        None => all.iter().map(|one| one.mount.clone()).collect(),
        Some(path) => find(path)?.places.into_iter().map(|place| place.directory).collect(),
    };
    stage.title("tree", &text!("The cgroups of this machine", "本机的 Cgroup"));
    for top in tops {
        let Some(hierarchy) = hierarchy_of(&all, &top) else { continue };
        let version = if hierarchy.version == Version::V1 { "v1" } else { "v2" };
        let controllers = hierarchy.controllers.join(" ");
        stage.scene(&format!("{version}  {controllers}"));
        stage.command(&format!("find {} -type d", top.display()));
        let mut rows = Vec::new();
        branch(hierarchy, &top, &top.display().to_string(), "", &mut rows);
        let processes = text!("processes", "进程");
        stage.table(&["", &processes, ""], &rows);
    }
    Ok(())
}

/// One group, and those below it: `└─ NAME  PROCESSES  WHAT IT USES`.
fn branch(hierarchy: &Hierarchy, directory: &Path, name: &str, before: &str, rows: &mut Vec<Vec<Entry>>) {
    let group = group_at(hierarchy, directory.to_owned());
    let members = observe::members(directory).len();
    let figures: Vec<String> = [
        MEMORY.number(&group).map(in_bytes),
        microseconds(&group).map(in_seconds),
        PIDS.number(&group).map(|tasks| text!("{tasks} tasks", "{tasks} 个任务")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let count = if members == 0 { "-".to_owned() } else { members.to_string() };
    let mut row = vec![Entry::of(Ink::Object, name), Entry::of(Ink::Fact, count)];
    if !figures.is_empty() {
        row.push(Entry::of(Ink::Plain, figures.join("  ")));
    }
    rows.push(row);
    let below = observe::groups_below(directory);
    for (index, group) in below.iter().enumerate() {
        let last = index + 1 == below.len();
        let own = group.file_name().unwrap_or_default().to_string_lossy();
        let own = shortened(&own, 36usize.saturating_sub(before.chars().count()));
        let name = format!("{before}{} {own}", if last { "└─" } else { "├─" });
        branch(hierarchy, group, &name, &format!("{before}{}", if last { "   " } else { "│  " }), rows);
    }
}

/// A name of at most `most` characters, its middle left out.
fn shortened(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    let most = most.max(8);
    if letters.len() <= most {
        return name.to_owned();
    }
    let half = (most - 1) / 2;
    let (start, end) = (&letters[..most - 1 - half], &letters[letters.len() - half..]);
    format!("{}…{}", start.iter().collect::<String>(), end.iter().collect::<String>())
}

fn microseconds(group: &Group) -> Option<u64> {
    let time = TIME.number(group)?;
    Some(if TIME.version(group) == Some(Version::V1) { time / 1000 } else { time })
}

fn in_seconds(microseconds: u64) -> String {
    format!("{}.{:02} s", microseconds / 1_000_000, microseconds % 1_000_000 / 10_000)
}

fn in_bytes(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= MIB {
        format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
    } else {
        format!("{} KiB", bytes >> 10)
    }
}

/// What `stat` saw before, for its curves.
#[derive(Debug, Default)]
pub struct History {
    memory: Vec<u64>,
    /// Processor time in all, and in thousandths of a processor since the look before.
    time: Option<(u64, u64)>,
    load: Vec<u64>,
}

impl History {
    fn note(&mut self, group: &Group) {
        self.memory.extend(MEMORY.number(group));
        let now = crate::sys::process::monotonic();
        if let Some(time) = microseconds(group) {
            if let Some((then, used)) = self.time {
                self.load.push(time.saturating_sub(used) * 1000 / (now - then).max(1));
            }
            self.time = Some((now, time));
        }
    }
}

/// `cgroup-demo stat PATH`: what a group is allowed and has used, in the files of both versions.
pub fn stat(stage: &Stage, path: &Path, history: &mut History) -> Result<()> {
    let group = find(path)?;
    history.note(&group);
    stage.title("stat", &path.display().to_string());
    for place in &group.places {
        let version = if place.hierarchy.version == Version::V1 { "v1" } else { "v2" };
        stage.fact(version, &place.directory.display().to_string());
    }
    let there: Vec<File> = FILES.into_iter().filter(|file| file.read(&group).is_some()).collect();
    files::table(stage, &there, &[(&text!("now", "现在"), &group)]);
    curves(stage, &group, history);
    let members = observe::members(&group.places[0].directory);
    let some = members.iter().take(8).map(|pid| {
        let name = observe::read(&Subject::Contents(PathBuf::from(format!("/proc/{pid}/comm"))));
        format!("{pid} {}", name.unwrap_or_default())
    });
    let (count, some) = (members.len(), some.collect::<Vec<_>>().join(", "));
    stage.fact(&text!("processes ({count})", "进程（{count} 个）"), &some);
    Ok(())
}

/// The memory as a bar against its limit, and what was seen so far as curves.
fn curves(stage: &Stage, group: &Group, history: &History) {
    let width = stage.width().saturating_sub(34).clamp(10, 40);
    if let (Some(used), Some(limit)) = (MEMORY.number(group), LIMIT.number(group)) {
        if limit < 1 << 46 {
            let (bar, used, limit) = (bar(used, limit, width), in_bytes(used), in_bytes(limit));
            stage.line(&[
                (Ink::Faint, "memory "),
                (Ink::Fact, &bar),
                (Ink::Plain, &format!(" {used} / {limit}")),
            ]);
        }
    }
    if history.memory.len() > 1 {
        let most = in_bytes(history.memory.iter().copied().max().unwrap_or(0));
        let curve = curve(&history.memory, width);
        stage.line(&[(Ink::Faint, "memory "), (Ink::Fact, &curve), (Ink::Plain, &format!(" ≤ {most}"))]);
    }
    if history.load.len() > 1 {
        let most = history.load.iter().copied().max().unwrap_or(0);
        let most = format!(" ≤ {}.{:02} CPU", most / 1000, most % 1000 / 10);
        stage.line(&[
            (Ink::Faint, "cpu    "),
            (Ink::Fact, &curve(&history.load, width)),
            (Ink::Plain, &most),
        ]);
    }
}

/// `[####....]`: how much of `limit` is used.
fn bar(used: u64, limit: u64, width: usize) -> String {
    let full = (used as f64 / limit.max(1) as f64 * width as f64).round().min(width as f64) as usize;
    format!("[{}{}]", "#".repeat(full), ".".repeat(width - full))
}

/// The last `width` values as columns of eight heights, the highest of them full.
fn curve(values: &[u64], width: usize) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let last = &values[values.len().saturating_sub(width)..];
    let most = last.iter().copied().max().unwrap_or(0).max(1);
    last.iter().map(|value| HEIGHTS[(value * 7 / most) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_curves_fill_their_width() {
        assert_eq!(bar(16, 32, 8), "[####....]");
        assert_eq!(bar(99, 32, 4), "[####]");
        assert_eq!(bar(0, 0, 2), "[..]");
        assert_eq!(curve(&[0, 7, 14], 8), "▁▄█");
        assert_eq!(curve(&[9, 0, 0], 2), "▁▁");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("docker-0123456789abcdef.scope", 12), "docker…scope");
        assert_eq!(shortened("init.scope", 12), "init.scope");
    }
}
