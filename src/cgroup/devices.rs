//! Which device nodes the container's processes may use.
//!
//! Root inside a container may make any device node (CAP_MKNOD); the cgroup decides which of them open. On v1
//! that is a list in `devices.allow`. On v2 there is no file: the kernel asks a small BPF program, attached to
//! the group, at every open and mknod. Both are made here from one table.

use super::group::Place;
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::bpf::{self, Instruction};
use crate::sys::file;
use crate::sys::flags::O_DIRECTORY;
use std::os::fd::AsFd;

/// A character device: (major, minor), where no minor means all of that major.
pub type Device = (u32, Option<u32>);

/// Character devices that a container may open. Documentation/admin-guide/devices.txt has the numbers.
const ALLOWED: [Device; 8] = [
    (1, Some(3)), // null
    (1, Some(5)), // zero
    (1, Some(7)), // full
    (1, Some(8)), // random
    (1, Some(9)), // urandom
    (5, Some(0)), // tty
    (5, Some(2)), // ptmx
    (136, None),  // pts/*
];

/// Allow the group at `place` the devices of the table, and the making of (but not opening of) any node.
pub fn guard(place: &Place) -> Result<()> {
    allow_only(place, &ALLOWED)
}

/// The same with just `devices`. On v2 it adds to what was said before: a device needs the yes of all programs.
pub fn allow_only(place: &Place, devices: &[Device]) -> Result<()> {
    match place.hierarchy.version {
        Version::V1 if place.hierarchy.has("devices") => guard_v1(place, devices),
        Version::V1 => Ok(()),
        Version::V2 => guard_v2(place, devices),
    }
}

fn guard_v1(place: &Place, devices: &[Device]) -> Result<()> {
    file::write(&place.directory.join("devices.deny"), "a")?;
    let mut lines = vec!["c *:* m".to_owned(), "b *:* m".to_owned()];
    for (major, minor) in devices {
        let minor = minor.map_or("*".to_owned(), |minor| minor.to_string());
        lines.push(format!("c {major}:{minor} rwm"));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    file::write_each(&place.directory.join("devices.allow"), &lines)
}

fn guard_v2(place: &Place, devices: &[Device]) -> Result<()> {
    let program = bpf::load_device_program(&program(devices))?;
    let directory = file::open_file(&place.directory, O_DIRECTORY, 0)?;
    bpf::attach_device_program(program.as_fd(), directory.as_fd(), &place.directory)
}

// The few operations used, as linux/bpf.h and linux/bpf_common.h number them.
const LOAD_WORD: u8 = 0x61; // r = *(u32 *)(src + offset)
const MOVE: u8 = 0xb7; // r = immediate
const AND: u8 = 0x54; // (u32) r &= immediate
const SHIFT_RIGHT: u8 = 0x74; // (u32) r >>= immediate
const JUMP_IF_NOT: u8 = 0x55; // if r != immediate, jump
const EXIT: u8 = 0x95; // return r0

/// The program: r1 points to struct bpf_cgroup_dev_ctx { access_type, major, minor }, whose first member holds
/// the kind of device in its low half and the access (1 mknod, 2 read, 4 write) in its high half. The answer,
/// in r0, is 1 for yes.
pub fn program(devices: &[Device]) -> Vec<Instruction> {
    const CHARACTER: i32 = 2; // BPF_DEVCG_DEV_CHAR
    const MAKE: i32 = 1; // BPF_DEVCG_ACC_MKNOD
    let load = |to: u8, offset| Instruction { code: LOAD_WORD, registers: 0x10 | to, offset, immediate: 0 };
    let with = |code, register, immediate| Instruction { code, registers: register, offset: 0, immediate };
    let unless = |register, immediate, skip| Instruction {
        code: JUMP_IF_NOT,
        registers: register,
        offset: skip,
        immediate,
    };
    let yes = [with(MOVE, 0, 1), with(EXIT, 0, 0)];

    let mut program = vec![load(2, 0), load(3, 0), load(4, 4), load(5, 8)];
    program.extend([with(AND, 2, 0xffff), with(SHIFT_RIGHT, 3, 16)]);
    // Only making a node, not opening one: yes.
    program.push(unless(3, MAKE, 2));
    program.extend(yes);
    for &(major, minor) in devices {
        let rest = if minor.is_some() { 3 } else { 2 };
        program.push(unless(2, CHARACTER, rest + 1));
        program.push(unless(4, major as i32, rest));
        if let Some(minor) = minor {
            program.push(unless(5, minor as i32, 2));
        }
        program.extend(yes);
    }
    program.extend([with(MOVE, 0, 0), with(EXIT, 0, 0)]);
    program
}
