//! `overlay-demo`.

use super::told::snapshots;
use crate::common::space::Who;
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], walkthrough_is_told),
        as_both(&[], copy_up_is_told),
        as_both(&[], whiteout_is_told),
        as_both(&[], opaque_is_told),
        as_both(&[], rename_is_told),
        as_both(&[], layers_is_told),
        as_both(&[], share_is_told),
        as_both(&[], allocate_is_told),
        as_both(&[], readonly_is_told),
        as_both(&[], bootfs_is_told),
        as_both(&[], diff_is_told),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs from run to run: inode and device numbers, times, and how long something took.
const FILTERS: &[(&str, &str)] = &[
    (r"\d{10}\.\d{9}", "TIME"),
    (r"(utimensat\([^,]+,) \d+,", "$1 SECONDS,"),
    (r"\d+ µs +", "MICROSECONDS  "),
    (r" +(time taken|用时) +", "  $1  "),
    (r"((?:lower|upper|merged)/(?:big|other)) +\d+ +", "$1  INODE  "),
    (r"(c---------  0:0      )\d+ +\d+", "${1}INODE LINKS"),
    (r"(lower/in_\w+\.txt +)\d+ +TIME", "${1}INODE TIME"),
    (r"((?:a/in_a|disk/in_disk) +)0x[0-9a-f]+", "${1}DEVICE"),
    (r"((?:image|one/merged|two/merged) +)0x[0-9a-f]+ +\d+ +", "${1}DEVICE INODE "),
];

fn tell(who: Who, walk: &str) {
    snapshots(who, "overlay-demo", &[walk], FILTERS);
}

fn walkthrough_is_told(who: Who) {
    tell(who, "walkthrough");
}

fn copy_up_is_told(who: Who) {
    tell(who, "copy-up");
}

fn whiteout_is_told(who: Who) {
    tell(who, "whiteout");
}

fn opaque_is_told(who: Who) {
    tell(who, "opaque");
}

fn rename_is_told(who: Who) {
    tell(who, "rename");
}

fn layers_is_told(who: Who) {
    tell(who, "layers");
}

fn share_is_told(who: Who) {
    tell(who, "share");
}

fn allocate_is_told(who: Who) {
    tell(who, "allocate");
}

fn readonly_is_told(who: Who) {
    tell(who, "readonly");
}

fn bootfs_is_told(who: Who) {
    let machine = [
        (r"(?s)     uname -r  .*?\n\n── rootfs", "     (what this machine has)\n\n── rootfs"),
        (r"(?m)^( +(?:bootfs|rootfs) +/\S+) .*$", "$1"),
        (r"(?s)     … \d+ [^\n]*: command.*?\n\n", "     (and more)\n\n"),
        (r"device \d+:\d+, inode \d+", "device N:N, inode N"),
        (r"(?m)^( +(?:outside|inside|外面|里面) ).*?(  device)", "$1 (kernel and system)$2"),
        (r"(?m)^( +)(?:kernel|内核) +/etc/os-release", "${1}kernel /etc/os-release"),
    ];
    snapshots(who, "overlay-demo", &["bootfs"], &machine);
}

fn diff_is_told(who: Who) {
    tell(who, "diff");
}
