//! Programs that a cgroup asks about every packet of its processes: bpf(2), type BPF_PROG_TYPE_CGROUP_SKB.
//!
//! A program may count in a map, which the one who loaded it reads.
#![allow(unsafe_code)]

use super::bpf::{self, Instruction, bpf};
use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

#[derive(Debug)]
enum Skb<'a> {
    MapCreate,
    MapLookup,
    Load { instructions: usize },
    Attach { cgroup: &'a Path },
}

impl Request for Skb<'_> {
    fn name(&self) -> &'static str {
        "bpf"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Skb::MapCreate => {
                each("cmd", Value::Symbol("BPF_MAP_CREATE"));
                each("map_type", Value::Symbol("BPF_MAP_TYPE_ARRAY"));
            }
            Skb::MapLookup => each("cmd", Value::Symbol("BPF_MAP_LOOKUP_ELEM")),
            Skb::Load { instructions } => {
                each("cmd", Value::Symbol("BPF_PROG_LOAD"));
                each("type", Value::Symbol("BPF_PROG_TYPE_CGROUP_SKB"));
                each("instructions", Value::Number(instructions as i64));
            }
            Skb::Attach { cgroup } => {
                each("cmd", Value::Symbol("BPF_PROG_ATTACH"));
                each("cgroup", Value::Path(cgroup));
                each("type", Value::Symbol("BPF_CGROUP_INET_EGRESS"));
            }
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Skb::MapLookup)
    }
}

const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_PROG_TYPE_CGROUP_SKB: u32 = 8;
const BPF_CGROUP_INET_EGRESS: u32 = 1;
const BPF_F_ALLOW_MULTI: u32 = 2;

fn owned(descriptor: i32) -> OwnedFd {
    // SAFETY: called with what the kernel has just returned; nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// A number that programs can add to: an array map of one element of eight bytes.
#[derive(Debug)]
pub struct Counter(OwnedFd);

impl Counter {
    /// A new one, 0. `EPERM` without CAP_BPF.
    pub fn new() -> Result<Self> {
        #[repr(C)]
        struct CreateAttr {
            map_type: u32,
            key_size: u32,
            value_size: u32,
            max_entries: u32,
        }
        let attr = CreateAttr { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 8, max_entries: 1 };
        ask(Call::Other(&Skb::MapCreate), || bpf(BPF_MAP_CREATE, &attr).map(owned)).map(Self)
    }

    /// Its descriptor, which the loading of a program that uses it names.
    pub fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// What it says now.
    pub fn read(&self) -> Result<i64> {
        #[repr(C)]
        struct LookupAttr {
            map_fd: u32,
            padding: u32,
            key: u64,
            value: u64,
            flags: u64,
        }
        ask(Call::Other(&Skb::MapLookup), || {
            let (key, mut value) = (0u32, 0i64);
            let attr = LookupAttr {
                map_fd: self.descriptor() as u32,
                padding: 0,
                key: &raw const key as u64,
                value: &raw mut value as u64,
                flags: 0,
            };
            bpf(BPF_MAP_LOOKUP_ELEM, &attr)?;
            // SAFETY: `value` is valid; the kernel has written it behind the compiler's back.
            Ok(unsafe { std::ptr::read_volatile(&raw const value) })
        })
    }
}

/// Load a program of type BPF_PROG_TYPE_CGROUP_SKB. `EPERM` without CAP_BPF and CAP_NET_ADMIN, `EACCES` or `EINVAL`
/// when the verifier refuses it.
pub fn load(program: &[Instruction]) -> Result<OwnedFd> {
    ask(Call::Other(&Skb::Load { instructions: program.len() }), || {
        bpf::load(BPF_PROG_TYPE_CGROUP_SKB, program)
    })
}

/// Let the v2 cgroup at `cgroup`, opened as `directory`, ask the program about each packet that leaves: 1 is yes. It
/// goes when the cgroup goes; several may be attached, and then all must say yes.
pub fn attach_egress(program: BorrowedFd<'_>, directory: BorrowedFd<'_>, cgroup: &Path) -> Result<()> {
    #[repr(C)]
    struct AttachAttr {
        target_fd: u32,
        attach_bpf_fd: u32,
        attach_type: u32,
        attach_flags: u32,
    }
    ask(Call::Other(&Skb::Attach { cgroup }), || {
        let attr = AttachAttr {
            target_fd: directory.as_raw_fd() as u32,
            attach_bpf_fd: program.as_raw_fd() as u32,
            attach_type: BPF_CGROUP_INET_EGRESS,
            attach_flags: BPF_F_ALLOW_MULTI,
        };
        bpf(BPF_PROG_ATTACH, &attr).map(drop)
    })
}
