//! What the helpers of a demo do to use something up: processor time, memory.

use crate::error::Result;
use crate::sys::memory::Mapping;
use crate::sys::process;
use std::hint::black_box;

/// When, and how much processor time was used by then: both in microseconds.
pub type Moment = (u64, u64);

/// Use the processor, in user mode, until this process has used `milliseconds` more of it, however long that takes.
/// The course of it, from (0, 0) to the end.
pub fn burn(milliseconds: u64) -> Vec<Moment> {
    let mut sum = 0u64;
    course(milliseconds, || {
        for number in 0..20_000u64 {
            sum = black_box(sum.wrapping_mul(31).wrapping_add(number));
        }
    })
}

/// The same in the kernel's mode: nothing but system calls.
pub fn toil(milliseconds: u64) -> Vec<Moment> {
    course(milliseconds, || {
        for _ in 0..100 {
            black_box(process::cpu_time());
        }
    })
}

fn course(milliseconds: u64, mut piece: impl FnMut()) -> Vec<Moment> {
    const APART: u64 = 1000;
    let (began, start) = (process::monotonic(), process::cpu_time());
    let mut moments = vec![(0, 0)];
    loop {
        piece();
        let now = (process::monotonic() - began, process::cpu_time() - start);
        let last = moments.last().map_or(0, |last| last.1);
        let done = now.1 >= milliseconds * 1000;
        if done || now.1 >= last + APART {
            moments.push(now);
        }
        if done {
            return moments;
        }
    }
}

/// Memory that is really used: each page has been written to. It stays as long as this value.
#[derive(Debug, Default)]
pub struct Pages {
    blocks: Vec<Mapping>,
}

impl Pages {
    /// Use `bytes` more.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        self.blocks.push(Mapping::used(bytes)?);
        Ok(())
    }

    /// Give all of it back.
    pub fn give_back(&mut self) {
        self.blocks.clear();
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(Mapping::length).sum()
    }
}
