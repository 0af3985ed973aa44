//! What a group of processes uses of disks and network; and what of processor and memory, where its cgroups do not
//! count that: then its processes are asked. See cgroups(7), Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst, and proc(5).

use std::path::{Path, PathBuf};

/// What is in use at one moment, and what was used until then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on processors until now, in nanoseconds.
    pub processor: u64,
    /// Bytes of memory, without those of the page cache that can be had back at once.
    pub memory: u64,
    /// The most that it may be; `None` without a limit.
    pub limit: Option<u64>,
    /// Processes and threads.
    pub tasks: u64,
    /// Bytes read from disks until now.
    pub read: u64,
    /// Bytes written to disks until now.
    pub written: u64,
}

/// What the cgroups were asked for already; `None` is what they do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Time on processors until now, in nanoseconds.
    pub processor: Option<u64>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub tasks: Option<u64>,
}

/// The usage of the group that has these `directories`, one for each hierarchy that it is in, and whose first process
/// is `pid`. What was not `counted` is summed up over that process and its descendants.
pub fn usage(directories: &[PathBuf], pid: i32, counted: Counted) -> Usage {
    let group = Group(directories);
    let mut of_processes = None;
    let mut processes = || *of_processes.get_or_insert_with(|| tree(pid));
    let (read, written) = group.disks();
    Usage {
        processor: counted.processor.unwrap_or_else(|| processes().processor),
        memory: counted.memory.unwrap_or_else(|| processes().memory),
        limit: group.limit(),
        tasks: counted.tasks.unwrap_or_else(|| processes().tasks),
        read,
        written,
    }
}

/// The memory of the machine, in bytes.
pub fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    field(&text, "MemTotal:").map(|kibibytes| kibibytes << 10)
}

/// Bytes that came in and that went out over the links of the network namespace of process `pid`, but for loopback.
pub fn network_bytes(pid: i32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    text.lines().filter_map(link_bytes).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// `  eth0: 1090 13 0 0 0 0 0 0 126 3 …`: received bytes are the first number, sent ones the ninth.
fn link_bytes(line: &str) -> Option<(u64, u64)> {
    let (name, counts) = line.split_once(':')?;
    let mut counts = counts.split_whitespace().map(|count| count.parse::<u64>().unwrap_or(0));
    (name.trim() != "lo").then(|| (counts.next().unwrap_or(0), counts.nth(7).unwrap_or(0)))
}

/// The number after `key` in lines `KEY NUMBER`.
fn field(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(char::is_whitespace))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The directories of a group.
struct Group<'a>(&'a [PathBuf]);

impl Group<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|directory: &PathBuf| std::fs::read_to_string(directory.join(name)).ok())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.trim().parse().ok()
    }

    /// v1 says that there is none by a number beyond every machine's memory, v2 by a word.
    fn limit(&self) -> Option<u64> {
        let limit = self.number("memory.limit_in_bytes").or_else(|| self.number("memory.max"))?;
        (limit < 1 << 60).then_some(limit)
    }

    fn disks(&self) -> (u64, u64) {
        match self.text("blkio.throttle.io_service_bytes") {
            Some(text) => (sum_v1(&text, "Read"), sum_v1(&text, "Write")),
            None => {
                let text = self.text("io.stat").unwrap_or_default();
                (sum_v2(&text, "rbytes="), sum_v2(&text, "wbytes="))
            }
        }
    }
}

/// The sum over all devices of `8:0 Read 4096`.
fn sum_v1(text: &str, what: &str) -> u64 {
    let count = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        (words.next() == Some(what)).then(|| words.next()?.parse::<u64>().ok()).flatten()
    };
    text.lines().filter_map(count).sum()
}

/// The sum over all devices of `8:0 rbytes=4096 wbytes=0 …`.
fn sum_v2(text: &str, key: &str) -> u64 {
    text.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
}

/// The same for a process and all below it.
fn tree(pid: i32) -> Usage {
    let mut sum = Usage::default();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        let directory = PathBuf::from(format!("/proc/{pid}"));
        let Some(own) = of_process(&directory) else { continue };
        sum.processor += own.processor;
        sum.memory += own.memory;
        sum.tasks += own.tasks;
        for task in std::fs::read_dir(directory.join("task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        }
    }
    sum
}

/// proc_pid_stat(5): fields 14 to 17 are its time and that of its children that have ended, in hundredths of a second;
/// 20 its threads; 24 its pages in memory.
fn of_process(directory: &Path) -> Option<Usage> {
    const TICK: u64 = 10_000_000;
    const PAGE: u64 = 4096;
    let text = std::fs::read_to_string(directory.join("stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let ticks: u64 = (14..=17).map(number).sum();
    Some(Usage { processor: ticks * TICK, memory: number(24) * PAGE, tasks: number(20), ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let directories = vec![directory.path().join("nowhere"), directory.path().to_owned()];
        (directory, directories)
    }

    #[test]
    fn both_versions_are_read() {
        let counted = Counted { processor: Some(1234), memory: Some(4096), tasks: Some(3) };
        let (_v1, directories) = group(&[
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("blkio.throttle.io_service_bytes", "8:0 Read 10\n8:0 Write 20\n8:16 Read 5\nTotal 35\n"),
        ]);
        let v1 = Usage { processor: 1234, memory: 4096, limit: None, tasks: 3, read: 15, written: 20 };
        assert_eq!(usage(&directories, 0, counted), v1);
        let (_v2, directories) = group(&[
            ("memory.max", "65536\n"),
            ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=5 wbytes=0\n"),
        ]);
        assert_eq!(usage(&directories, 0, counted), Usage { limit: Some(65536), ..v1 });
    }

    #[test]
    fn without_a_group_the_processes_are_asked() {
        let own = usage(&[], std::process::id() as i32, Counted::default());
        assert!(own.memory > 1 << 16 && own.tasks >= 1 && own.limit.is_none(), "{own:?}");
        assert!(machine_memory() > Some(own.memory));
    }

    #[test]
    fn links_are_summed_up_without_loopback() {
        let line = "  eth0:    1090      13    0    0    0     0          0         0      126       3    0 0 0 0 0 0";
        assert_eq!(link_bytes(line), Some((1090, 126)));
        assert_eq!(link_bytes("    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0"), None);
        assert_eq!(link_bytes("Inter-|   Receive"), None);
    }
}
