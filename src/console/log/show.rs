//! The log shown to a person: what was said on standard output there, and on standard error here.

use super::read::follow;
use super::{Selection, Stamp};
use crate::console::message::Stream;
use crate::error::{ConsoleProblem, Error, Problem, Result};
use crate::sys::errno::EPIPE;
use crate::sys::file;
use crate::sys::ready::{self, Watch};
use crate::sys::zone;
use std::path::Path;

/// The number of lines that the words of `--tail` mean: `None` for `all`, as for every number below 0.
pub fn parse_tail(text: &str) -> Result<Option<u64>> {
    if text.is_empty() || text == "all" {
        return Ok(None);
    }
    let bad = |_| Error::new(Problem::Console(ConsoleProblem::BadTail { text: text.to_owned() }));
    text.parse::<i64>().map(|number| u64::try_from(number).ok()).map_err(bad)
}

/// The point in time that the words of `--since` or `--until` mean.
pub fn parse_time(text: &str) -> Result<Stamp> {
    let bad = || Error::new(Problem::Console(ConsoleProblem::BadTime { text: text.to_owned() }));
    Stamp::parse(text, zone::local_to_utc).ok_or_else(bad)
}

/// Write what `selection` chooses of the log in the container's `directory` to this process's standard output and error;
/// with `follows` also what is said from now on, until the container ends. That nobody reads it any more ends it too.
pub fn show(directory: &Path, selection: &Selection, follows: bool) -> Result<()> {
    follow(directory, selection, follows, &mut |stream, bytes| match write_all(
        if stream == Stream::Stdout { 1 } else { 2 },
        bytes,
    ) {
        Err(error) if error.is(EPIPE) => Ok(false),
        answer => answer.map(|()| true),
    })
}

fn write_all(number: usize, mut bytes: &[u8]) -> Result<()> {
    let (descriptor, _) = file::standard()[number];
    while !bytes.is_empty() {
        let count = ready::write_some(descriptor, bytes)?;
        if count == 0 {
            ready::wait(&[Watch::of(descriptor, false, true)])?;
        }
        bytes = &bytes[count..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_a_number_or_all() {
        assert_eq!(parse_tail("all").unwrap(), None);
        assert_eq!(parse_tail("-1").unwrap(), None);
        assert_eq!(parse_tail("7").unwrap(), Some(7));
        assert!(parse_tail("7x").is_err());
    }
}
