//! `/proc/PID/ns`: the namespaces a process is in. Equal numbers, same namespace. See namespaces(7).

use super::Who;

/// The eight kinds, by their names in `/proc/PID/ns`.
pub const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// What the link says: `uts:[4026531838]`.
pub(super) fn link(who: Who, kind: &str) -> Option<String> {
    let target = std::fs::read_link(format!("{}/ns/{kind}", who.directory())).ok()?;
    Some(target.to_string_lossy().into_owned())
}

/// The number of the namespace of `kind` that the reader is in: `ns_common.inum` in the kernel.
pub fn inode(kind: &str) -> Option<u64> {
    number(&link(Who::Myself, kind)?)
}

/// `4026531838` of `uts:[4026531838]`.
pub(super) fn number(link: &str) -> Option<u64> {
    link.split_once('[')?.1.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_in_brackets() {
        assert_eq!(number("uts:[4026531838]"), Some(4026531838));
        assert_eq!(number("uts:"), None);
        assert_eq!(number("uts:[x]"), None);
    }

    #[test]
    fn this_process_is_in_a_namespace_of_each_kind_the_kernel_has() {
        assert!(inode("mnt").is_some());
        assert_eq!(inode("no such kind"), None);
    }
}
