//! Flags by their names in the manual pages, so that what is shown is what was passed.

use std::fmt;

/// A set of flag bits of one kind, shown as `CLONE_NEWUTS|CLONE_NEWIPC`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// The bits, as passed to the kernel.
    pub bits: u64,
    names: &'static [(u64, &'static str)],
}

impl Flags {
    /// Whether all bits of `bit` are set.
    pub fn has(self, bit: u64) -> bool {
        self.bits & bit == bit
    }

    /// The names of the bits that are set, in the table's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.names.iter().filter(move |(bit, _)| self.bits & bit == *bit).map(|(_, name)| *name)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.bits;
        let mut separator = "";
        for (bit, name) in self.names.iter().filter(|(bit, _)| self.bits & bit == *bit) {
            write!(f, "{separator}{name}")?;
            separator = "|";
            rest &= !bit;
        }
        match (rest, separator) {
            (0, "") => write!(f, "0"),
            (0, _) => Ok(()),
            _ => write!(f, "{separator}{rest:#x}"),
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Declare constants and the function that makes a [`Flags`] of them, with one table for both.
macro_rules! flags {
    ($(#[$doc:meta])* $make:ident: $($name:ident = $value:expr),* $(,)?) => {
        $(#[$doc])*
        pub const fn $make(bits: u64) -> Flags {
            Flags { bits, names: &[$(($value as u64, stringify!($name))),*] }
        }
        $(#[doc = concat!("The flag `", stringify!($name), "`.")] pub const $name: u64 = $value as u64;)*
    };
}

flags! {
    /// The flags of clone(2), clone3(2), unshare(2) and setns(2).
    clone:
    CLONE_NEWUSER = libc::CLONE_NEWUSER, CLONE_NEWPID = libc::CLONE_NEWPID, CLONE_NEWNET = libc::CLONE_NEWNET,
    CLONE_NEWNS = libc::CLONE_NEWNS, CLONE_NEWUTS = libc::CLONE_NEWUTS, CLONE_NEWIPC = libc::CLONE_NEWIPC,
    CLONE_NEWCGROUP = libc::CLONE_NEWCGROUP, CLONE_NEWTIME = 0x80, CLONE_PIDFD = libc::CLONE_PIDFD,
    CLONE_INTO_CGROUP = 0x2_0000_0000u64,
}

flags! {
    /// The flags of mount(2). Propagation types stand among them, as there.
    mount:
    MS_RDONLY = libc::MS_RDONLY, MS_NOSUID = libc::MS_NOSUID, MS_NODEV = libc::MS_NODEV,
    MS_NOEXEC = libc::MS_NOEXEC, MS_STRICTATIME = libc::MS_STRICTATIME, MS_REMOUNT = libc::MS_REMOUNT,
    MS_BIND = libc::MS_BIND, MS_REC = libc::MS_REC, MS_PRIVATE = libc::MS_PRIVATE, MS_SLAVE = libc::MS_SLAVE,
    MS_SHARED = libc::MS_SHARED,
}

flags! {
    /// The flags of umount2(2).
    umount: MNT_DETACH = libc::MNT_DETACH,
}

flags! {
    /// The attributes of mount_setattr(2).
    mount_attr:
    MOUNT_ATTR_RDONLY = 0x1, MOUNT_ATTR_NOSUID = 0x2, MOUNT_ATTR_NODEV = 0x4, MOUNT_ATTR_NOEXEC = 0x8,
}

flags! {
    /// The flags of open_tree(2) and of the other calls of the mount interface.
    tree:
    OPEN_TREE_CLONE = 0x1, OPEN_TREE_CLOEXEC = libc::O_CLOEXEC, AT_RECURSIVE = 0x8000, AT_EMPTY_PATH = 0x1000,
    AT_SYMLINK_NOFOLLOW = 0x100,
}

flags! {
    /// The flags of open(2).
    open:
    O_WRONLY = libc::O_WRONLY, O_RDWR = libc::O_RDWR, O_CREAT = libc::O_CREAT, O_EXCL = libc::O_EXCL,
    O_TRUNC = libc::O_TRUNC, O_APPEND = libc::O_APPEND, O_DIRECTORY = libc::O_DIRECTORY,
    O_NOFOLLOW = libc::O_NOFOLLOW, O_PATH = libc::O_PATH, O_CLOEXEC = libc::O_CLOEXEC,
    O_NONBLOCK = libc::O_NONBLOCK, O_NOCTTY = libc::O_NOCTTY,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_show_their_names_and_the_rest_in_hexadecimal() {
        assert_eq!(clone(CLONE_NEWUTS | CLONE_NEWIPC).to_string(), "CLONE_NEWUTS|CLONE_NEWIPC");
        assert_eq!(umount(0).to_string(), "0");
        assert_eq!(mount(MS_NODEV | 1 << 40).to_string(), "MS_NODEV|0x10000000000");
    }
}
