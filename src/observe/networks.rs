//! The network namespaces that `/proc` shows: those of its processes, and those that are mounted as files.
//!
//! A namespace lives as long as a process is in it, or a mount of its file stands (`ip netns add`, Docker), or somebody
//! holds a socket or that file open; the last kind cannot be found here. See namespaces(7), ip-netns(8).

use super::namespaces;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A network namespace, as far as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The number in `net:[NUMBER]`.
    pub inode: u64,
    /// A file by which it can be entered.
    pub path: PathBuf,
    /// The processes in it, by pid, with the name of each (`/proc/PID/comm`); no threads of the kernel.
    pub processes: Vec<(i32, String)>,
}

impl Network {
    /// The names of its links, sorted, as `/proc/PID/net/dev` lists them now; `None` of one without processes.
    pub fn links(&self) -> Option<Vec<String>> {
        let (pid, _) = self.processes.first()?;
        let mut names: Vec<String> =
            super::network::links_of(*pid)?.split_whitespace().map(str::to_owned).collect();
        names.sort_unstable();
        Some(names)
    }
}

/// All that can be seen, by their numbers; and of how many processes the namespaces may not be read.
pub fn networks() -> (Vec<Network>, usize) {
    let mut found: BTreeMap<u64, Network> = BTreeMap::new();
    let mut hidden = 0;
    for pid in pids() {
        let Some(name) = user_process(pid) else { continue };
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        match std::fs::read_link(&path) {
            Ok(link) => {
                let Some(inode) = namespaces::number(&link.to_string_lossy()) else { continue };
                let fresh = || Network { inode, path, processes: Vec::new() };
                found.entry(inode).or_insert_with(fresh).processes.push((pid, name));
            }
            Err(error) => hidden += usize::from(error.kind() == ErrorKind::PermissionDenied),
        }
    }
    for (inode, path) in mounted() {
        let network = Network { inode, path, processes: Vec::new() };
        found.entry(inode).or_insert(network);
    }
    (found.into_values().collect(), hidden)
}

fn pids() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids: Vec<i32> = names.collect();
    pids.sort_unstable();
    pids
}

/// The name of a process that is neither a thread of the kernel nor dead: those have no command line.
fn user_process(pid: i32) -> Option<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    (!line.is_empty()).then(|| name.trim_end().to_owned())
}

/// The network namespaces that are mounted as files: in `/proc/self/mountinfo`, file system type `nsfs`.
fn mounted() -> Vec<(u64, PathBuf)> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter_map(namespace_mount).collect()
}

/// The fourth field is what of the file system is mounted, the fifth where.
fn namespace_mount(line: &str) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(' ').skip(3);
    let (root, target) = (fields.next()?, fields.next()?);
    let inode = root.starts_with("net:").then(|| namespaces::number(root))??;
    line.contains(" - nsfs ").then(|| (inode, PathBuf::from(target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_namespace_is_told_by_its_root_and_type() {
        let line = "61 30 0:4 net:[4026532345] /run/netns/blue rw shared:30 - nsfs nsfs rw";
        assert_eq!(namespace_mount(line), Some((4026532345, "/run/netns/blue".into())));
        assert_eq!(namespace_mount(&line.replace("net:", "uts:")), None);
        assert_eq!(namespace_mount("22 1 0:5 / /proc rw - proc proc rw"), None);
    }

    #[test]
    fn this_process_is_in_one_of_them() {
        let (networks, _) = networks();
        let own = networks.iter().find(|network| Some(network.inode) == namespaces::inode("net")).unwrap();
        assert!(own.processes.iter().any(|(pid, _)| *pid == std::process::id() as i32));
    }
}
