//! Whose a bridge is, in its link group.
//!
//! State roots that share a network namespace do not know each other's ledgers. So the kernel remembers beside
//! each bridge which root it belongs to, and whether the host forwarded packets before. The link group is a number
//! that RTM_NEWLINK sets in the instant in which the link comes into being; an alias (IFLA_IFALIAS) would be more
//! readable, but is heeded by RTM_SETLINK alone, and between the two requests a process may be killed.
//!
//! ```text
//! 31 30 29                                                  1 0
//! |0 1 | state root (device, inode) and bridge, 29 bits mixed | did the host forward? |
//! ```

use crate::error::Result;
use crate::sys::file;
use std::path::Path;

/// A link group of ours. It stands on a bridge and on every veth of it, which are deleted in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u32);

/// The two top bits, by which a group is known as a mark. No table of groups (ip-link(8)) goes so high.
const TOP: u32 = 0b01 << 30;
const FORWARDED: u32 = 1;

impl Mark {
    /// The mark of the bridge `name` of the state root `root`, on a host that does not forward.
    pub fn of(root: &Path, name: &str) -> Result<Self> {
        file::status(root).map(|status| Self::mix(status.identity, name))
    }

    /// A product spreads neighbouring inodes over the whole range; its upper bits depend on all of theirs.
    fn mix((device, inode): (u64, u64), name: &str) -> Self {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let named =
            name.bytes().fold(0u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(ODD).rotate_left(23));
        let mixed = (inode ^ device.rotate_left(40) ^ named).wrapping_mul(ODD);
        Self(TOP | ((mixed >> 35) as u32) << 1)
    }

    /// The mark that `group` is, if it is one.
    pub fn read(group: u32) -> Option<Self> {
        (group & (0b11 << 30) == TOP).then_some(Self(group))
    }

    /// The same, on a host that forwarded before, or did not.
    pub fn on_host(self, forwarded: bool) -> Self {
        Self(self.0 & !FORWARDED | u32::from(forwarded))
    }

    /// Whether the host forwarded packets before.
    pub fn forwarded(self) -> bool {
        self.0 & FORWARDED != 0
    }

    /// Whether `group` is a mark of the same bridge of the same state root.
    pub fn owns(self, group: u32) -> bool {
        self.on_host(false) == Self(group).on_host(false)
    }

    /// The number.
    pub fn group(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_mark_says_whose_and_what_was() {
        let (one, other) = (Mark::mix((9, 4711), "a"), Mark::mix((9, 4712), "a"));
        for forwarded in [false, true] {
            let group = one.on_host(forwarded).group();
            assert_eq!(Mark::read(group).map(Mark::forwarded), Some(forwarded));
            assert!(one.owns(group) && one.on_host(true).owns(group) && !other.owns(group));
        }
        for group in [0, 0x6d64, u32::MAX] {
            assert!(Mark::read(group).is_none() && !one.owns(group));
        }
    }

    #[test]
    fn neighbours_differ() {
        let marks: BTreeSet<u32> = (0..50)
            .flat_map(|device| (0..200).map(move |inode| Mark::mix((device, inode), "minidocker0").group()))
            .collect();
        assert_eq!(marks.len(), 50 * 200);
        let named: BTreeSet<u32> =
            (0..2000).map(|n| Mark::mix((9, 4711), &format!("md-{n:012x}")).group()).collect();
        assert_eq!(named.len(), 2000);
    }
}
