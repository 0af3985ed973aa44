//! Which process is in which namespaces: `/proc/PID/ns` of every process at once. See namespaces(7).

use super::Who;
use super::namespaces::{KINDS, link, number};
use super::process::status;

/// One process, with its namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Its pid in the reader's `/proc`.
    pub pid: i32,
    /// Its effective user id.
    pub uid: u32,
    /// Its command line, or the name of a thread of the kernel.
    pub command: String,
    /// The number of its namespace of each kind, in the order of [`KINDS`]; `None` of a kind that this kernel lacks.
    pub namespaces: [Option<u64>; KINDS.len()],
}

/// Every process whose namespaces may be read, by pid; and how many there are of which they may not.
///
/// A process that ends meanwhile, and one that has ended and was not waited for, are in none and left out.
pub fn census() -> (Vec<Resident>, usize) {
    let mut pids: Vec<i32> = std::fs::read_dir("/proc")
        .map(|entries| entries.flatten().filter_map(|one| one.file_name().to_str()?.parse().ok()).collect())
        .unwrap_or_default();
    pids.sort_unstable();
    let denied = |pid: &&i32| {
        std::fs::read_link(format!("/proc/{pid}/ns/mnt"))
            .is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    };
    let hidden = pids.iter().filter(denied).count();
    (pids.into_iter().filter_map(resident).collect(), hidden)
}

/// The process `pid`; `None` when there is none, or its namespaces may not be read.
pub fn resident(pid: i32) -> Option<Resident> {
    let who = Who::Pid(pid);
    let namespaces = KINDS.map(|kind| number(&link(who, kind)?));
    let whole =
        KINDS.iter().zip(&namespaces).all(|(kind, read)| read.is_some() || link(Who::Myself, kind).is_none());
    let uid = status(who, "Uid")?.split(' ').nth(1)?.parse().ok()?;
    whole.then(|| Resident { pid, uid, command: command(pid), namespaces })
}

/// The arguments of the command, parted by blanks; of a thread of the kernel, which has none, its name.
pub(super) fn command(pid: i32) -> String {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&arguments).replace(|c: char| c.is_control(), " ").trim().to_owned();
    if !words.is_empty() {
        return words;
    }
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// The name of a user, from `/etc/passwd` as passwd(5) describes it; its number where there is none.
pub fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut names = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    names.next().unwrap_or_else(|| uid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_counted() {
        let own = std::process::id() as i32;
        let (all, _) = census();
        let found = all.iter().find(|one| one.pid == own).unwrap();
        assert_eq!(found.namespaces[2], super::super::inode("mnt"));
        assert!(!found.command.is_empty());
    }

    #[test]
    fn nobody_is_not_there() {
        assert_eq!(resident(i32::MAX), None);
    }
}
