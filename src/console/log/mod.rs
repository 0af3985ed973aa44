//! What a container said: when, on which stream, and every byte of it. Written by its supervisor alone.
//!
//! # Format
//!
//! The log is files in the container's directory, `log.0`, `log.1`, …, of which the one with the highest number is
//! written. A file is a sequence of records, and a record is a line of 44 bytes, what was said, and a newline:
//!
//! ```text
//! 2026-11-29T14:30:00.123456789Z stdout 00006
//! hello
//!
//! ```
//!
//! The number is that of the bytes said. They are what one read(2) found: part of a line, or many.
//!
//! # Bound
//!
//! A file that would grow beyond [`LARGEST`] bytes is written no more, and the next is begun; then all but
//! [`FILES`] of them are removed. So the log of a container never takes more than `FILES * LARGEST`, 20 MiB.

pub mod read;
pub mod select;
pub mod show;
pub mod stamp;
mod write;

pub use read::follow;
pub use select::Selection;
pub use show::show;
pub use stamp::Stamp;
pub use write::Log;

use super::message::Stream;
use crate::error::Result;
use crate::sys::file;
use std::path::{Path, PathBuf};

/// The most bytes of one file.
pub const LARGEST: u64 = 10 << 20;

/// How many files there are at most.
pub const FILES: u64 = 2;

/// The bytes of a record's first line.
const HEADER: usize = stamp::LENGTH + 1 + 6 + 1 + 5 + 1;

/// The bytes of a record beside what was said.
const FRAME: usize = HEADER + 1;

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("log.{number}"))
}

/// The numbers of the files there are, lowest first.
fn numbers(directory: &Path) -> Result<Vec<u64>> {
    let names = file::list(directory)?;
    let number = |name: &std::ffi::OsString| name.to_str()?.strip_prefix("log.")?.parse().ok();
    let mut numbers: Vec<u64> = names.iter().filter_map(|(name, _)| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn header(stamp: &Stamp, stream: Stream, count: usize) -> String {
    let stream = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    format!("{stamp} {stream} {count:05}\n")
}

/// What the first line of a record says; `None` when it is none.
fn parse_header(line: &[u8]) -> Option<(Stamp, Stream, usize)> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut words = text.split(' ');
    let stamp = Stamp::from_text(words.next()?)?;
    let stream = match words.next()? {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        _ => return None,
    };
    let count = words.next()?.parse().ok()?;
    words.next().is_none().then_some((stamp, stream, count))
}

#[cfg(test)]
mod tests;
