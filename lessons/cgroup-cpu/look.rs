//! What the checks of lab `cgroup-cpu` read of a container's group, and who may move in there.

use crate::cgroup::Group;
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::lab::ration;
use crate::lab::verdict::{Outcome, Said, Stop, wrong};
use crate::said;
use crate::sys::{file, signal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The group of the container that runs.
pub fn group() -> Outcome<Group> {
    ration::only_group()?.ok_or_else(|| {
        let saw = said!("the container has no cgroup directory", "容器没有 Cgroup 目录");
        wrong(saw, said!("one directory minidocker-ID", "一个目录 minidocker-ID"))
    })
}

/// The directory of the group on which `controller` acts.
pub fn directory(group: &Group, controller: &str) -> Outcome<(PathBuf, Version)> {
    let found = group.directory_of(controller).map(|(path, version)| (path.to_owned(), version));
    found.ok_or_else(|| Stop::Cannot(Said::plain(format!("no controller {controller}"))))
}

pub fn text(path: &Path) -> Outcome<String> {
    Ok(file::read_text(path)?.trim().to_owned())
}

/// The number after `key` in a file of lines `KEY NUMBER`.
pub fn field(path: &Path, key: &str) -> Outcome<u64> {
    let text = text(path)?;
    let count = text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    Ok(count.unwrap_or(0))
}

/// What a file says, as a command would show it.
pub fn content(path: &Path, text: &str) -> Said {
    Said::plain(format!("{}: {text}", path.display()))
}

/// The quota in the group: the file, what is in it, and as thousandths of a processor if there is one.
pub fn quota(group: &Group) -> Outcome<(PathBuf, String, Option<u64>)> {
    let (directory, version) = directory(group, "cpu")?;
    let (path, quota, period) = match version {
        Version::V1 => {
            let path = directory.join("cpu.cfs_quota_us");
            (path.clone(), text(&path)?, text(&directory.join("cpu.cfs_period_us"))?)
        }
        Version::V2 => {
            let path = directory.join("cpu.max");
            let text = text(&path)?;
            let (quota, period) = text.split_once(' ').unwrap_or((&text, "100000"));
            (path, quota.to_owned(), period.to_owned())
        }
    };
    let found = format!("{quota} ({period})");
    let thousandths = quota.parse::<u64>().ok().zip(period.parse::<u64>().ok());
    Ok((path, found, thousandths.map(|(quota, period)| quota * 1000 / period.max(1))))
}

/// Time on processors of the group until now, in nanoseconds.
pub fn processor_time(group: &Group) -> Outcome<u64> {
    match group.directory_of("cpuacct") {
        Some((v1, _)) => Ok(text(&v1.join("cpuacct.usage"))?.parse().unwrap_or(0)),
        None => Ok(field(&directory(group, "cpu")?.0.join("cpu.stat"), "usage_usec ")? * 1000),
    }
}

/// Bytes of memory that the group uses.
pub fn memory_used(group: &Group) -> Outcome<u64> {
    let (directory, version) = directory(group, "memory")?;
    let name = if version == Version::V1 { "memory.usage_in_bytes" } else { "memory.current" };
    Ok(text(&directory.join(name))?.parse().unwrap_or(0))
}

/// What the kernel says of the group's freezer: the file, its words, and whether everybody is frozen.
pub fn frozen(group: &Group) -> Outcome<(PathBuf, String, bool)> {
    let Some((directory, version)) = group.freezer() else {
        return Err(Stop::Cannot(Said::plain("no freezer")));
    };
    let (name, wanted) = match version {
        Version::V1 => ("freezer.state", "FROZEN"),
        Version::V2 => ("cgroup.events", "frozen 1"),
    };
    let path = directory.join(name);
    let said = text(&path)?;
    let all = said.lines().any(|line| line == wanted);
    Ok((path, said.replace('\n', ", "), all))
}

/// A process of the host's own that has come into the group, or into a group below it.
pub struct Lodger(pub Actor<(), ()>);

impl Lodger {
    /// A new process, which moves in.
    pub fn move_in(group: &Group, below: bool) -> Outcome<Self> {
        let mut files = Vec::new();
        for place in &group.places {
            let v1 = place.hierarchy.version == Version::V1;
            let mut directory = place.directory.clone();
            if below {
                // A new v1 cpuset takes nobody before it is furnished.
                if v1 && place.hierarchy.has("cpuset") {
                    continue;
                }
                directory = directory.join("below");
                file::mkdir(&directory, 0o755)?;
            }
            files.push(directory.join(if v1 { "tasks" } else { "cgroup.procs" }));
        }
        let move_in = move |()| files.iter().try_for_each(|path| file::write(path, "0"));
        let actor = Actor::start("lodger", 0, move_in)?;
        actor.ask(())?;
        Ok(Self(actor))
    }

    /// Whether it lives.
    pub fn lives(&self) -> Outcome<bool> {
        Ok(!signal::watch_end(self.0.process(), Some(Duration::ZERO))?)
    }
}
