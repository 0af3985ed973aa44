//! The words in which people give limits, as Docker reads them.

use super::limits::Rate;
use crate::error::{Error, Problem, Result};
use crate::sys::file::{self, Kind};
use std::path::Path;

/// Docker's minimum: less would not hold a process.
const LEAST_MEMORY: u64 = 6 << 20;

/// Bytes: a number with an optional unit `b`, `k`, `m` or `g` (powers of 1024), at least 6 MiB; 0 is no
/// limit.
pub fn memory(text: &str) -> Result<Option<u64>> {
    match size(text) {
        Some(0) => Ok(None),
        Some(bytes) if bytes >= LEAST_MEMORY && bytes <= i64::MAX as u64 => Ok(Some(bytes)),
        _ => Err(Error::new(Problem::BadMemory { text: text.to_owned() })),
    }
}

fn size(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain)?;
    Some((number * unit) as u64)
}

/// Processors, in thousandths of one: `0.5` is 500. Between 0.01 and what the machine has;
/// 0 is no limit.
pub fn cpus(text: &str) -> Result<Option<u64>> {
    let bad = || Error::new(Problem::BadCpus { text: text.to_owned() });
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = text.parse().ok().filter(|_| plain).ok_or_else(bad)?;
    let online = online()?.len();
    if number > online as f64 {
        return Err(Error::new(Problem::CpusAboveMachine { asked: text.to_owned(), online }));
    }
    match number {
        0.0 => Ok(None),
        0.01.. => Ok(Some((number * 1000.0) as u64)),
        _ => Err(bad()),
    }
}

/// A list of processors such as `0-2,4`, each of which must be there.
pub fn cpuset(text: &str) -> Result<String> {
    let online = online()?;
    let there = |list: Vec<u32>| !list.is_empty() && list.iter().all(|cpu| online.contains(cpu));
    if list(text).is_some_and(there) {
        return Ok(text.to_owned());
    }
    let online = file::read_text(Path::new(ONLINE))?.trim().to_owned();
    Err(Error::new(Problem::BadCpuset { text: text.to_owned(), online }))
}

/// The number of processes; -1 and 0 are no limit.
pub fn pids(number: Option<i64>) -> Result<Option<u64>> {
    match number {
        None | Some(-1 | 0) => Ok(None),
        Some(number) => match u64::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::new(Problem::BadPids { text: number.to_string() })),
        },
    }
}

/// `DEVICE:RATE`, such as `/dev/sda:1mb`: bytes a second of a block device.
pub fn rate(text: &str, write: bool) -> Result<Rate> {
    let bad = || Error::new(Problem::BadRate { text: text.to_owned() });
    let (path, bytes) = text.rsplit_once(':').ok_or_else(bad)?;
    let bytes = size(bytes).filter(|bytes| *bytes > 0).ok_or_else(bad)?;
    let status = file::status(Path::new(path))
        .map_err(|error| error.meaning(Problem::BadRate { text: text.to_owned() }))?;
    let (major, minor) = status.device;
    if status.kind != Kind::Other || major == 0 {
        return Err(bad());
    }
    Ok(Rate { device: format!("{major}:{minor}"), write, bytes })
}

const ONLINE: &str = "/sys/devices/system/cpu/online";

fn online() -> Result<Vec<u32>> {
    Ok(list(file::read_text(Path::new(ONLINE))?.trim()).unwrap_or_default())
}

/// `0-2,4` as numbers; `None` if it is not such a list.
pub fn list(text: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > 8191 {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [("6m", 6 << 20), ("1.5g", 3 << 29), ("8388608", 8 << 20), ("64MiB", 64 << 20)] {
            assert_eq!(memory(text).unwrap(), Some(bytes), "{text}");
        }
        assert_eq!((memory("0").unwrap(), memory("0m").unwrap()), (None, None));
        for bad in ["", "m", "5m", "-1", "1e9", "64q", "inf", "99999999999g"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_of_processors() {
        assert_eq!(list("0-2,4"), Some(vec![0, 1, 2, 4]));
        for bad in ["", "2-1", "a", "0-99999999", "1,"] {
            assert_eq!(list(bad), None, "{bad}");
        }
    }

    #[test]
    fn processors_in_thousandths() {
        assert_eq!((cpus("0.5").unwrap(), cpus("0").unwrap()), (Some(500), None));
        for bad in ["0.001", "-1", "x", "1e1", "100000", ".", ""] {
            assert!(cpus(bad).is_err(), "{bad}");
        }
    }
}
