//! What the helpers of a demo do to use something up: processor time, memory.

use crate::sys::process;
use std::hint::black_box;

/// Use the processor until this process has used `milliseconds` of it, however long that takes; the time used, in
/// microseconds.
pub fn burn(milliseconds: u64) -> u64 {
    let start = process::cpu_time();
    let mut sum = 0u64;
    loop {
        for number in 0..100_000u64 {
            sum = black_box(sum.wrapping_mul(31).wrapping_add(number));
        }
        let used = process::cpu_time() - start;
        if used >= milliseconds * 1000 {
            return used;
        }
    }
}

/// Memory that is really used: each page has been written to. It stays as long as this value.
#[derive(Debug, Default)]
pub struct Pages {
    blocks: Vec<Vec<u8>>,
}

impl Pages {
    /// Use `bytes` more.
    pub fn take(&mut self, bytes: usize) {
        // Not zero: a zeroed vector need not touch its pages.
        self.blocks.push(black_box(vec![1; bytes]));
    }

    /// Give all of it back.
    pub fn give_back(&mut self) {
        self.blocks.clear();
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }
}
