//! Capabilities: root's powers in 41 pieces, of which a container keeps fourteen. capabilities(7).
//!
//! A process has five sets. *Permitted* is what it may use, *effective* what it uses now; *bounding* is the
//! ceiling for every later exec; *inheritable* and *ambient* pass rights through an exec and stay empty here.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::EINVAL;
use crate::sys::security as rights;
use serde::{Deserialize, Serialize};

/// A set of capabilities: bit N is the capability with number N in linux/capability.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities(pub u64);

/// The names in the order of their numbers.
pub const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

impl Capabilities {
    /// What a container gets unless told otherwise: Docker's fourteen.
    pub const DEFAULT: Self = Self(
        1 << 0 // CHOWN
            | 1 << 1 // DAC_OVERRIDE
            | 1 << 3 // FOWNER
            | 1 << 4 // FSETID
            | 1 << 5 // KILL
            | 1 << 6 // SETGID
            | 1 << 7 // SETUID
            | 1 << 8 // SETPCAP
            | 1 << 10 // NET_BIND_SERVICE
            | 1 << 13 // NET_RAW
            | 1 << 18 // SYS_CHROOT
            | 1 << 27 // MKNOD
            | 1 << 29 // AUDIT_WRITE
            | 1 << 31, // SETFCAP
    );
    /// Every capability that has a name.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);
    /// CAP_SYS_ADMIN, which namespaces and mounts ask for.
    pub const SYS_ADMIN: Self = Self(1 << 21);

    /// Whether every capability of `other` is in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The capabilities that `--cap-add` and `--cap-drop` leave: additions first, then removals, `ALL` as
    /// Docker reads it (`--cap-drop ALL --cap-add X` leaves X).
    pub fn adjusted(self, add: &[String], drop: &[String]) -> Result<Self> {
        let all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("ALL"));
        let union = |names: &[String]| {
            let named = names.iter().filter(|name| !name.eq_ignore_ascii_case("ALL"));
            named.map(|name| Self::named(name)).try_fold(0, |set, one| Ok::<u64, Error>(set | one?.0))
        };
        let (added, dropped) = (union(add)?, union(drop)?);
        let start = if all(add) {
            Self::ALL.0
        } else if all(drop) {
            0
        } else {
            self.0
        };
        Ok(Self((start & !dropped) | (added & !if all(add) { dropped } else { 0 })))
    }

    /// One capability by name, in either case, with or without `CAP_`.
    fn named(name: &str) -> Result<Self> {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        match NAMES.iter().position(|known| *known == bare) {
            Some(number) => Ok(Self(1 << number)),
            None => Err(Error::new(Problem::UnknownCapability { name: name.to_owned() })),
        }
    }

    /// The names of the capabilities in the set, as `CAP_CHOWN`.
    pub fn names(self) -> impl Iterator<Item = String> {
        NAMES
            .iter()
            .enumerate()
            .filter(move |(n, _)| self.0 >> n & 1 == 1)
            .map(|(_, name)| format!("CAP_{name}"))
    }
}

/// Whether this process holds CAP_SYS_ADMIN, without which it can make namespaces only in a user namespace.
pub fn is_privileged() -> bool {
    Capabilities(rights::effective_capabilities()).has(Capabilities::SYS_ADMIN)
}

/// Lower the ceiling: no exec from here on can gain a capability outside `keep`.
///
/// On entry the process holds CAP_SETPCAP. Capabilities that this kernel does not know yet are passed over.
pub fn bound(keep: Capabilities) -> Result<()> {
    for number in 0..NAMES.len() as u32 {
        if keep.0 >> number & 1 == 0 {
            match rights::drop_from_bounding_set(number) {
                Err(error) if error.is(EINVAL) => break,
                answer => answer?,
            }
        }
    }
    rights::clear_ambient_set()
}

/// Hold exactly `keep` (as far as they were held at all), effective and permitted; inherit nothing.
pub fn hold(keep: Capabilities) -> Result<()> {
    let held = rights::effective_capabilities() & keep.0;
    rights::capset(held, held, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_default_is_dockers_fourteen() {
        assert_eq!(Capabilities::DEFAULT.names().count(), 14);
    }

    #[test]
    fn add_and_drop_read_all_as_docker_does() {
        let change =
            |add: &[&str], drop: &[&str]| Capabilities::DEFAULT.adjusted(&set(add), &set(drop)).unwrap();
        assert_eq!(change(&[], &["ALL"]), Capabilities(0));
        assert_eq!(change(&["sys_admin"], &["all"]), Capabilities::SYS_ADMIN);
        assert_eq!(change(&["ALL"], &[]), Capabilities::ALL);
        assert!(!change(&["ALL"], &["CAP_SYS_ADMIN"]).has(Capabilities::SYS_ADMIN));
        assert!(!change(&[], &["CHOWN"]).has(Capabilities(1)));
        assert!(Capabilities::DEFAULT.adjusted(&set(&["FLY"]), &[]).is_err());
    }
}
