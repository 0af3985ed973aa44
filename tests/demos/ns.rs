//! `ns-demo`.

use super::told::{play, snapshots};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [as_both(&[], uts_is_told), as_both(&[], uts_changes_one_side_only)].into_iter().flatten().collect()
}

fn uts_is_told(who: Who) {
    snapshots(who, "ns-demo", &["uts"], &[]);
}

fn uts_changes_one_side_only(who: Who) {
    let space = Space::new(who);
    let before = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let told = play(&space, "ns-demo", &["uts"]);
    assert!(told.contains("inside   uts:["), "{told}");
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), before);
}
