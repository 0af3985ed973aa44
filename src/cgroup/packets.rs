//! Programs that a v2 group asks about each packet of its processes: what took the place of v1's `net_cls`.
//!
//! A v1 group marks packets with a number (`net_cls.classid`) for others to look at; a v2 group decides by itself. Both
//! go by the group of the process that made the socket.

use super::group::Place;
use crate::error::Result;
use crate::sys::bpf::Instruction;
use crate::sys::cgroup_skb::{self, Counter};
use crate::sys::file;
use crate::sys::flags::O_DIRECTORY;
use std::os::fd::AsFd;

const fn with(code: u8, registers: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers, offset, immediate }
}

/// r0 = `answer`; return it.
const fn answer(answer: i32) -> [Instruction; 2] {
    [with(0xb7, 0, 0, answer), with(0x95, 0, 0, 0)]
}

/// Count each packet in `counter`, and let it pass. bpf-helpers(7) has the helper, number 1: bpf_map_lookup_elem.
pub fn counting(counter: &Counter) -> Vec<Instruction> {
    let mut program = vec![
        with(0x62, 10, -4, 0),                     // *(u32 *)(r10 - 4) = 0: the key, on the stack
        with(0xbf, 0xa2, 0, 0),                    // r2 = r10
        with(0x07, 2, 0, -4),                      // r2 += -4
        with(0x18, 0x11, 0, counter.descriptor()), // r1 = the map that this descriptor is, a constant of 64 bits
        with(0, 0, 0, 0),
        with(0x85, 0, 0, 1),    // r0 = bpf_map_lookup_elem(r1, r2)
        with(0x15, 0, 2, 0),    // if r0 == 0, over the next two
        with(0xb7, 1, 0, 1),    // r1 = 1
        with(0xdb, 0x10, 0, 0), // *(u64 *)r0 += r1, in one step
    ];
    program.extend(answer(1));
    program
}

/// Let no packet pass.
pub fn refusing() -> Vec<Instruction> {
    answer(0).to_vec()
}

/// Let the v2 group at `place` ask `program` about each packet that leaves. `EPERM` without CAP_BPF and CAP_NET_ADMIN.
pub fn ask_at(place: &Place, program: &[Instruction]) -> Result<()> {
    let program = cgroup_skb::load(program)?;
    let directory = file::open_file(&place.directory, O_DIRECTORY, 0)?;
    cgroup_skb::attach_egress(program.as_fd(), directory.as_fd(), &place.directory)
}
