//! What a group of processes uses: processor, memory, disks, network. From its cgroups, or, where it has none of its
//! own, from its processes. See cgroups(7), Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst, and proc(5).

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

/// The usage of the group that has these `directories`, one for each hierarchy that it is in, and whose first process
/// is `pid`. What no directory says is summed up over that process and its descendants.
pub fn usage(directories: &[PathBuf], pid: i32) -> Usage {
    let group = Group(directories);
    let mut of_processes = None;
    let mut processes = || *of_processes.get_or_insert_with(|| tree(pid));
    let (read, written) = group.disks();
    Usage {
        processor: group.processor().unwrap_or_else(|| processes().processor),
        memory: group.memory().unwrap_or_else(|| processes().memory),
        limit: group.limit(),
        tasks: group.number("pids.current").unwrap_or_else(|| processes().tasks),
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

    fn processor(&self) -> Option<u64> {
        let v2 = || Some(field(&self.text("cpu.stat")?, "usage_usec")? * 1000);
        self.number("cpuacct.usage").or_else(v2)
    }

    fn memory(&self) -> Option<u64> {
        let all = self.number("memory.usage_in_bytes").or_else(|| self.number("memory.current"))?;
        let stat = self.text("memory.stat").unwrap_or_default();
        let cached = field(&stat, "total_inactive_file").or_else(|| field(&stat, "inactive_file"));
        Some(all.saturating_sub(cached.unwrap_or(0)))
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
        let (_v1, directories) = group(&[
            ("cpuacct.usage", "1234\n"),
            ("memory.usage_in_bytes", "8192\n"),
            ("memory.stat", "cache 1\ninactive_file 1\ntotal_inactive_file 4096\n"),
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("pids.current", "3\n"),
            ("blkio.throttle.io_service_bytes", "8:0 Read 10\n8:0 Write 20\n8:16 Read 5\nTotal 35\n"),
        ]);
        let v1 = Usage { processor: 1234, memory: 4096, limit: None, tasks: 3, read: 15, written: 20 };
        assert_eq!(usage(&directories, 0), v1);
        let (_v2, directories) = group(&[
            ("cpu.stat", "usage_usec 7\nuser_usec 5\n"),
            ("memory.current", "8192\n"),
            ("memory.stat", "anon 1\ninactive_file 192\n"),
            ("memory.max", "65536\n"),
            ("pids.current", "1\n"),
            ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=5 wbytes=0\n"),
        ]);
        let v2 = Usage { processor: 7000, memory: 8000, limit: Some(65536), tasks: 1, read: 15, written: 20 };
        assert_eq!(usage(&directories, 0), v2);
    }

    #[test]
    fn without_a_group_the_processes_are_asked() {
        let own = usage(&[], std::process::id() as i32);
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
