//! Rights of a process: capset(2), prctl(2), seccomp(2).
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;

const _LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// struct __user_cap_header_struct of linux/capability.h.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// struct __user_cap_data_struct: one for capabilities 0–31, one for 32–63.
#[repr(C)]
#[derive(Default, Clone, Copy)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The caller's effective capabilities as a bit set (capget(2)). Only looks, so the door is not involved.
pub fn effective_capabilities() -> u64 {
    let mut header = Header { version: _LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: both structures have the layout of version 3, which takes two elements of data.
    unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    u64::from(data[0].effective) | u64::from(data[1].effective) << 32
}

/// Replace the caller's three capability sets, each a bit set by capability number. `EPERM` for a capability
/// that the caller does not hold in `permitted`.
pub fn capset(effective: u64, permitted: u64, inheritable: u64) -> Result<()> {
    ask(Call::Capset { effective, permitted, inheritable }, || {
        let header = Header { version: _LINUX_CAPABILITY_VERSION_3, pid: 0 };
        let half = |shift: u32| Data {
            effective: (effective >> shift) as u32,
            permitted: (permitted >> shift) as u32,
            inheritable: (inheritable >> shift) as u32,
        };
        let data = [half(0), half(32)];
        // SAFETY: as in `effective_capabilities`; the kernel only reads both.
        let answer = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
        Errno::result(answer).map(drop)
    })
}

fn prctl(option: libc::c_int, argument: u64) -> nix::Result<()> {
    // SAFETY: every option used in this file takes plain integers.
    Errno::result(unsafe { libc::prctl(option, argument, 0u64, 0u64, 0u64) }).map(drop)
}

/// Take one capability out of the bounding set: no exec, setuid or not, gives it back. `EINVAL` past the last
/// capability that this kernel knows.
pub fn drop_from_bounding_set(capability: u32) -> Result<()> {
    ask(Call::PrctlCapbsetDrop { capability }, || prctl(libc::PR_CAPBSET_DROP, capability.into()))
}

/// Empty the ambient set, from which an ordinary user's exec would inherit.
pub fn clear_ambient_set() -> Result<()> {
    ask(Call::PrctlAmbientClear, || prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64))
}

/// From now on no exec gains rights, by setuid bit or file capability; inherited, and irrevocable.
pub fn set_no_new_privs() -> Result<()> {
    ask(Call::PrctlNoNewPrivs, || prctl(libc::PR_SET_NO_NEW_PRIVS, 1))
}

/// Whether others of the same user may look into this process (`/proc/PID/exe`, `mem`, ptrace).
pub fn set_dumpable(dumpable: bool) -> Result<()> {
    ask(Call::PrctlDumpable { dumpable }, || prctl(libc::PR_SET_DUMPABLE, dumpable.into()))
}

/// Have the kernel send this process `signal` when its parent ends. A change of user id clears this.
pub fn set_parent_death_signal(signal: i32) -> Result<()> {
    ask(Call::PrctlPdeathsig { signal }, || prctl(libc::PR_SET_PDEATHSIG, signal as u64))
}

/// One instruction of classic BPF: struct sock_filter of linux/filter.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jt: u8,
    /// How many when it does not.
    pub jf: u8,
    /// The constant it works with.
    pub k: u32,
}

/// Load a seccomp filter for this process and all its descendants. Needs `no_new_privs` or CAP_SYS_ADMIN
/// (`EACCES` otherwise); the kernel refuses a malformed program with `EINVAL`.
pub fn load_seccomp_filter(program: &[Instruction]) -> Result<()> {
    ask(Call::Seccomp { instructions: program.len() }, || {
        let program =
            libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut().cast() };
        // SAFETY: `Instruction` has the layout of sock_filter and the slice outlives the call; the kernel
        // copies it.
        let answer =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        Errno::result(answer).map(drop)
    })
}
