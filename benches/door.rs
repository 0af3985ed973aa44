//! What the door costs when nobody watches: umask(2), which does next to nothing, through `sys::ask` and bare.
//!
//! ```text
//! cargo bench --bench door
//! ```
//!
//! Both loops run in turns; the medians of their rounds are compared. A bench is built with the fault hook, which the
//! product lacks, so the door is even thinner there.
#![allow(unsafe_code, clippy::print_stdout)] // the bare call; its purpose

use std::time::Instant;

const CALLS: u32 = 200_000;
const ROUNDS: usize = 15;

fn main() {
    let mut through = Vec::new();
    let mut bare = Vec::new();
    for _ in 0..ROUNDS {
        through.push(nanoseconds(|| drop(minidocker::sys::file::umask(0o022))));
        bare.push(nanoseconds(|| {
            // SAFETY: umask takes a number and cannot fail.
            std::hint::black_box(unsafe { libc::umask(0o022) });
        }));
    }
    let (through, bare) = (median(through), median(bare));
    println!("umask(2) through the door {through:.1} ns, bare {bare:.1} ns, ratio {:.3}", through / bare);
}

/// The mean time of one call, in nanoseconds.
fn nanoseconds(call: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
