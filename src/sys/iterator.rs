//! A BPF iterator over tasks: bpf(2) with BPF_PROG_LOAD, BPF_LINK_CREATE and BPF_ITER_CREATE, and read(2).
//!
//! The kernel runs the program once for each task; what the program writes is what the descriptor reads as. Nothing is
//! pinned in a file system: program, link and iterator go with their descriptors. Documentation/bpf/bpf_iterators.rst.
#![allow(unsafe_code)]

use super::bpf::{Instruction, bpf};
use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What is asked on the way to an iterator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are members of union bpf_attr")]
pub enum TaskIterator {
    ProgLoad { instructions: usize, attach_btf_id: u32 },
    LinkCreate { program: i32 },
    IterCreate { link: i32 },
    Read,
}

impl Request for TaskIterator {
    fn name(&self) -> &'static str {
        if *self == TaskIterator::Read { "read" } else { "bpf" }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Value as V;
        match *self {
            TaskIterator::ProgLoad { instructions, attach_btf_id } => {
                each("cmd", V::Symbol("BPF_PROG_LOAD"));
                each("prog_type", V::Symbol("BPF_PROG_TYPE_TRACING"));
                each("expected_attach_type", V::Symbol("BPF_TRACE_ITER"));
                each("attach_btf_id", V::Number(attach_btf_id.into()));
                each("insn_cnt", V::Number(instructions as i64));
            }
            TaskIterator::LinkCreate { program } => {
                each("cmd", V::Symbol("BPF_LINK_CREATE"));
                each("prog_fd", V::Number(program.into()));
                each("attach_type", V::Symbol("BPF_TRACE_ITER"));
            }
            TaskIterator::IterCreate { link } => {
                each("cmd", V::Symbol("BPF_ITER_CREATE"));
                each("link_fd", V::Number(link.into()));
            }
            TaskIterator::Read => each("fd", V::Symbol("iterator")),
        }
    }

    fn only_looks(&self) -> bool {
        *self == TaskIterator::Read
    }
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_ITER_CREATE: libc::c_int = 33;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_ITER: u32 = 28;

/// The part of union bpf_attr that BPF_PROG_LOAD needs here, up to the member `attach_btf_id`.
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
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// The part of union bpf_attr that BPF_LINK_CREATE needs.
#[repr(C)]
struct LinkAttr {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
}

/// The part of union bpf_attr that BPF_ITER_CREATE needs.
#[repr(C)]
struct IterAttr {
    link_fd: u32,
    flags: u32,
}

fn owned(descriptor: i32) -> OwnedFd {
    // SAFETY: every caller passes a descriptor that bpf(2) has just returned and that nobody else owns.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Load `program` as one that an iterator runs; `attach_btf_id` is the type, in the kernel's BTF, of the function
/// `bpf_iter_task`. `EPERM` without CAP_BPF and CAP_PERFMON in the initial user namespace, `EACCES` or `EINVAL` when the
/// verifier refuses the program.
pub fn load_iterator(program: &[Instruction], attach_btf_id: u32) -> Result<OwnedFd> {
    ask(Call::Other(&TaskIterator::ProgLoad { instructions: program.len(), attach_btf_id }), || {
        let mut attr = LoadAttr {
            prog_type: BPF_PROG_TYPE_TRACING,
            insn_cnt: program.len() as u32,
            insns: program.as_ptr() as u64,
            // The helper bpf_seq_write is there for programs under the GPL only, and this string is how one says so.
            // It speaks of these instructions, which contain nothing of the kernel's.
            license: c"GPL".as_ptr() as u64,
            expected_attach_type: BPF_TRACE_ITER,
            attach_btf_id,
            ..LoadAttr::default()
        };
        attr.prog_name[..7].copy_from_slice(b"structs");
        bpf(BPF_PROG_LOAD, &attr).map(owned)
    })
}

/// Bind a loaded program to the iterator over the tasks of the caller's pid namespace.
pub fn link_iterator(program: &OwnedFd) -> Result<OwnedFd> {
    ask(Call::Other(&TaskIterator::LinkCreate { program: program.as_raw_fd() }), || {
        let attr = LinkAttr {
            prog_fd: program.as_raw_fd() as u32,
            target_fd: 0,
            attach_type: BPF_TRACE_ITER,
            flags: 0,
        };
        bpf(BPF_LINK_CREATE, &attr).map(owned)
    })
}

/// A descriptor that reads as what the program writes on one walk over the tasks.
pub fn start_iterator(link: &OwnedFd) -> Result<OwnedFd> {
    ask(Call::Other(&TaskIterator::IterCreate { link: link.as_raw_fd() }), || {
        bpf(BPF_ITER_CREATE, &IterAttr { link_fd: link.as_raw_fd() as u32, flags: 0 }).map(owned)
    })
}

/// All that the program writes: the walk takes place while it is read. `E2BIG` when the program writes more for one
/// task than the kernel keeps.
pub fn read_iterator(iterator: &OwnedFd) -> Result<Vec<u8>> {
    ask(Call::Other(&TaskIterator::Read), || {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match retry(|| nix::unistd::read(iterator, &mut buffer))? {
                0 => return Ok(all),
                length => all.extend_from_slice(&buffer[..length]),
            }
        }
    })
}
