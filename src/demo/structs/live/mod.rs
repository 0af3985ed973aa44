//! Live pointers: what the structures of real processes hold now, read from the kernel by a BPF iterator over tasks.
//!
//! No file in `/proc` shows a pointer. But a program of a few instructions may run inside the kernel, once for each
//! task, and write out what it finds. [`program`] makes it from expressions of C and the kernel's own BTF, with an
//! [`assembler`] of ten instructions; the verifier checks before it runs that it can do no harm. [`rights`] says who may.

mod assembler;
mod frame;
mod program;
mod rights;

pub use frame::{Told, play};
pub use rights::{Blind, no_btf};

use crate::error::Error;
use crate::observe::btf::Btf;
use crate::sys::iterator;
use program::{Program, Unknown};

/// Who reads.
#[derive(Debug)]
pub struct Reader {
    btf: Btf,
}

/// How many processes one program is made for: each costs it an instruction.
const AT_ONCE: usize = 64;

impl Reader {
    /// A reader, if this process may be one here.
    pub fn new() -> Result<Self, Blind> {
        rights::check()?;
        let btf = Btf::of_running_kernel().map_err(Blind::NoBtf)?;
        Ok(Self { btf })
    }

    /// The description of the kernel that it goes by.
    pub fn btf(&self) -> &Btf {
        &self.btf
    }

    /// The value of each of `expressions` for each task of `pids` that there is, or for every task when there are none
    /// in `pids`. An expression begins with `task` and goes on along members: `task->nsproxy->uts_ns->ns.inum`. Where a
    /// pointer on the way is null the value is 0.
    pub fn read(&self, pids: &[i32], expressions: &[String]) -> Result<Vec<Vec<u64>>, Blind> {
        if pids.is_empty() {
            return self.walk(&self.program(pids, expressions)?);
        }
        let mut all = Vec::new();
        for pids in pids.chunks(AT_ONCE) {
            all.extend(self.walk(&self.program(pids, expressions)?)?);
        }
        Ok(all)
    }

    /// The instructions for the first of `expressions` that follows a pointer, one a line.
    pub fn shown(&self, expressions: &[String]) -> Result<Vec<String>, Blind> {
        let program = self.program(&[], expressions)?;
        Ok(program.code[program.first].iter().map(assembler::text).collect())
    }

    fn program(&self, pids: &[i32], expressions: &[String]) -> Result<Program, Blind> {
        Program::new(&self.btf, pids, expressions).map_err(|Unknown(what)| Blind::Unknown(what))
    }

    fn walk(&self, program: &Program) -> Result<Vec<Vec<u64>>, Blind> {
        let refused = |error: Error| Blind::Refused(Box::new(error));
        let loaded = iterator::load_iterator(&program.code, program.attach_btf_id).map_err(refused)?;
        let link = iterator::link_iterator(&loaded).map_err(refused)?;
        let descriptor = iterator::start_iterator(&link).map_err(refused)?;
        let written = iterator::read_iterator(&descriptor).map_err(refused)?;
        Ok(program.understand(&written))
    }
}
