//! The four demos: each command is run, as root and as an ordinary user, and what it claims is compared with the kernel
//! seen from outside; its story is compared, word for word in both languages, with what was told before.
//!
//! Snapshots stand in `tests/snapshots/` and are renewed by `INSTA_UPDATE=always cargo test --test demos`, to be read by
//! a person afterwards.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a verdict")]

mod common;

mod demos {
    pub mod all;
    pub mod calls;
    pub mod cgroup;
    pub mod cgroup_walks;
    pub mod follow;
    pub mod kinds;
    pub mod net;
    pub mod netlink;
    pub mod ns;
    pub mod ns_kinds;
    pub mod ns_look;
    pub mod overlay;
    pub mod structs;
    pub mod told;
    pub mod topology;
    pub mod town;
    pub mod union;
}

use std::process::ExitCode;

fn main() -> ExitCode {
    let modules = [
        demos::all::tests(),
        demos::calls::tests(),
        demos::ns::tests(),
        demos::ns_kinds::tests(),
        demos::ns_look::tests(),
        demos::structs::tests(),
        demos::kinds::tests(),
        demos::cgroup::tests(),
        demos::cgroup_walks::tests(),
        demos::overlay::tests(),
        demos::union::tests(),
        demos::net::tests(),
        demos::town::tests(),
        demos::follow::tests(),
        demos::netlink::tests(),
        demos::topology::tests(),
    ];
    common::main(modules.into_iter().flatten().collect())
}
