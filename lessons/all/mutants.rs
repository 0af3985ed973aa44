//! Wrong answers of the lessons, each as the one wrong part of a whole: the whole must not hide it.

use super::{cgroup_cpu, cgroup_memory, harden, image, mounts, net, overlay, pid, user, uts};
use minidocker::lab::mutant::Mutant;

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    whole(uts::MUTANTS, "not-named", &["uts/named-inside"]),
    whole(pid::MUTANTS, "waits-for-one", &["pid/orphans"]),
    whole(mounts::MUTANTS, "chroot", &["mounts/no-way-back"]),
    whole(user::MUTANTS, "setgroups-kept", &["user/uid-map"]),
    whole(cgroup_memory::MUTANTS, "memory-unlimited", &["cgroup-memory/hog-killed"]),
    whole(cgroup_cpu::MUTANTS, "only-the-first", &["cgroup-cpu/everybody-killed"]),
    whole(overlay::MUTANTS, "upper-out-of-sight", &["overlay/changes-land-above"]),
    whole(net::MUTANTS, "unknown-sender", &["net/outside-sees-the-host"]),
    whole(image::MUTANTS, "absolute-taken-relative", &["image/links-stay-in-the-image"]),
    whole(harden::MUTANTS, "clone3-allowed", &["harden/no-new-namespaces"]),
];

/// The mutant `name` of a lesson. Of the checks of the whole it fails those in `fails`. A name that is not there is no
/// program.
const fn whole(of: &[Mutant], name: &str, fails: &'static [&'static str]) -> Mutant {
    let mut index = 0;
    while !same(of[index].name.as_bytes(), name.as_bytes()) {
        index += 1;
    }
    Mutant { fails, ..of[index] }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}
