//! Memory of this process alone: mmap(2), munmap(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;

#[derive(Debug)]
struct Mmap(usize);

impl Request for Mmap {
    fn name(&self) -> &'static str {
        "mmap"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("addr", Value::Null);
        each("length", Value::Number(self.0 as i64));
        each("prot", Value::Symbol("PROT_READ|PROT_WRITE"));
        each("flags", Value::Symbol("MAP_PRIVATE|MAP_ANONYMOUS"));
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// Memory straight from the kernel, which goes straight back to it when this value is dropped: an allocator may keep
/// what it was given back.
#[derive(Debug)]
pub struct Mapping {
    start: *mut libc::c_void,
    length: usize,
}

impl Mapping {
    /// Map `length` bytes, at least one, and write to each page, so that all of it is used. `ENOMEM` when the address
    /// space is full; that there is not enough memory shows in the writing.
    pub fn used(length: usize) -> Result<Self> {
        /// No page is smaller on Linux.
        const PAGE: usize = 4096;
        let mut start = std::ptr::null_mut();
        ask(Call::Other(&Mmap(length)), || {
            let (rights, kind) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: no address is asked for, so nothing that is there is replaced.
            let answer = unsafe { libc::mmap(std::ptr::null_mut(), length, rights, kind, -1, 0) };
            if answer == libc::MAP_FAILED {
                return Err(Errno::last());
            }
            start = answer;
            Ok(())
        })?;
        for offset in (0..length).step_by(PAGE) {
            // SAFETY: `offset` is inside the mapping just made, which may be written to and is nobody else's.
            unsafe { start.cast::<u8>().add(offset).write_volatile(1) };
        }
        Ok(Self { start, length })
    }

    /// Bytes.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and length are those of a mapping that this value alone knows of.
        unsafe { libc::munmap(self.start, self.length) };
    }
}
