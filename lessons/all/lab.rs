//! Lab `all`: a `minidocker` wholly of your parts. Each `mod` is the file that you wrote for that lesson.
//!
//! There is nothing to be written here: what is still `todo!()` in another lesson is so here. `cargo lab all` says what
//! the kernel thinks of the whole, and `cargo lab all --tests` runs minidocker's own tests on it.

#[path = "../cgroup-cpu/lab.rs"]
mod cgroup_cpu;
#[path = "../cgroup-memory/lab.rs"]
mod cgroup_memory;
#[path = "../harden/lab.rs"]
mod harden;
#[path = "../image/lab.rs"]
mod image;
#[path = "../mounts/lab.rs"]
mod mounts;
#[path = "../net/lab.rs"]
mod net;
#[path = "../overlay/lab.rs"]
mod overlay;
#[path = "../pid/lab.rs"]
mod pid;
#[path = "../user/lab.rs"]
mod user;
#[path = "../uts/lab.rs"]
mod uts;

use minidocker::container::parts::Parts;
use std::process::ExitCode;

/// Yours, in the order of the lessons. The rest is no lesson's: what a container may not lack, and nobody need write twice.
const PARTS: Parts = Parts {
    // uts
    uts: uts::enter,
    ipc: uts::ipc,
    enter: uts::join,
    // pid
    birth: pid::birth,
    proc: pid::proc,
    reap: pid::reap,
    // mounts
    mount: mounts::enter,
    root: mounts::exchange,
    leave: mounts::leave,
    devices: mounts::devices,
    // user
    user: user::map,
    assume: user::assume,
    // cgroup-memory
    memory: cgroup_memory::limit,
    join: cgroup_memory::join,
    oom: cgroup_memory::oom_kills,
    // cgroup-cpu
    cpu: cgroup_cpu::limit,
    usage: cgroup_cpu::usage,
    freeze: cgroup_cpu::freeze,
    kill: cgroup_cpu::kill,
    // overlay
    overlay: overlay::unite,
    changes: overlay::changes,
    // net
    bridge: net::bridge,
    way_out: net::way_out,
    attach: net::attach,
    loopback: net::loopback,
    ethernet: net::ethernet,
    // image
    confine: image::confine,
    member: image::member,
    place: image::place,
    // harden
    mask: harden::mask,
    limit: harden::limit,
    filter: harden::filter,
    ..Parts::REFERENCE
};

fn main() -> ExitCode {
    minidocker::main(PARTS)
}
