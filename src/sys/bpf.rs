//! bpf(2): load a program that a cgroup asks about every device, and attach it.
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// One instruction of (extended) BPF: struct bpf_insn of linux/bpf.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Destination register in the low four bits, source register in the high four.
    pub registers: u8,
    /// Jump distance or memory offset.
    pub offset: i16,
    /// The constant it works with.
    pub immediate: i32,
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Groups below may have programs of their own; a device then needs the yes of all.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The part of union bpf_attr that BPF_PROG_LOAD needs.
#[repr(C)]
#[derive(Default)]
struct LoadAttr {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
}

/// The part of union bpf_attr that BPF_PROG_ATTACH needs.
#[repr(C)]
struct AttachAttr {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
}

pub(super) fn bpf<T>(command: libc::c_int, attr: &T) -> nix::Result<i32> {
    // SAFETY: `attr` begins a union bpf_attr as linux/bpf.h lays it out for `command`, of the size passed;
    // the kernel takes what is beyond as zero. Pointers in it outlive the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<T>()) };
    Errno::result(answer).map(|number| number as i32)
}

/// Load a program of type BPF_PROG_TYPE_CGROUP_DEVICE. `EPERM` without CAP_BPF (or CAP_SYS_ADMIN), `EACCES`
/// or `EINVAL` when the verifier refuses it.
pub fn load_device_program(program: &[Instruction]) -> Result<OwnedFd> {
    ask(Call::BpfProgLoad { instructions: program.len() }, || load(BPF_PROG_TYPE_CGROUP_DEVICE, program))
}

/// BPF_PROG_LOAD of a program of type `kind`.
pub(super) fn load(kind: u32, program: &[Instruction]) -> nix::Result<OwnedFd> {
    let attr = LoadAttr {
        prog_type: kind,
        insn_cnt: program.len() as u32,
        insns: program.as_ptr() as u64,
        license: c"MIT".as_ptr() as u64,
        ..LoadAttr::default()
    };
    let descriptor = bpf(BPF_PROG_LOAD, &attr)?;
    // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Attach a loaded program to a cgroup v2 directory. The cgroup keeps it; it goes when the cgroup goes.
pub fn attach_device_program(
    program: BorrowedFd<'_>,
    directory: BorrowedFd<'_>,
    cgroup: &Path,
) -> Result<()> {
    ask(Call::BpfProgAttach { cgroup }, || {
        let attr = AttachAttr {
            target_fd: directory.as_raw_fd() as u32,
            attach_bpf_fd: program.as_raw_fd() as u32,
            attach_type: BPF_CGROUP_DEVICE,
            attach_flags: BPF_F_ALLOW_MULTI,
        };
        bpf(BPF_PROG_ATTACH, &attr).map(drop)
    })
}
