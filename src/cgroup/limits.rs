//! Each limit, and the file that holds it in version 1 and in version 2.

use super::hierarchy::Version;
use super::stop::unless_gone;
use crate::error::Result;
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The limits that the command line asks for; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory; as much again of swap.
    pub memory: Option<u64>,
    /// Time on processors, in thousandths of one processor.
    pub millicpus: Option<u64>,
    /// Share of time under contention: 2 to 262144, where 1024 is everybody's.
    pub shares: Option<u64>,
    /// Which processors, as `0-1,3`.
    pub cpus: Option<String>,
    /// Number of processes and threads.
    pub pids: Option<u64>,
    /// Bytes a second from or to block devices.
    pub rates: Vec<Rate>,
}

/// A limit on one block device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// `MAJOR:MINOR` of the device.
    pub device: String,
    /// Whether the limit is on writing; else on reading.
    pub write: bool,
    /// Bytes a second.
    pub bytes: u64,
}

/// One value to be written into one file of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The controller, by its name in that version.
    pub controller: &'static str,
    /// The file in the group's directory.
    pub file: &'static str,
    /// What is written.
    pub value: String,
    /// Whether a kernel may lack the file (swap accounting can be compiled or switched off).
    pub optional: bool,
    /// The option that asked for it, for the error.
    pub option: &'static str,
}

/// The period over which CPU time is rationed: a tenth of a second, the kernel's and Docker's default.
const PERIOD_US: u64 = 100_000;

impl Limits {
    /// The files to write in a hierarchy of `version`, in an order the kernel accepts.
    pub fn settings(&self, version: Version) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut set = |option,
                       v1: (&'static str, &'static str),
                       v2: (&'static str, &'static str),
                       value: [String; 2]| {
            let [value1, value2] = value;
            let ((controller, file), value) =
                if version == Version::V1 { (v1, value1) } else { (v2, value2) };
            let optional = file.contains("memsw") || file.contains("swap");
            settings.push(Setting { controller, file, value, optional, option });
        };
        if let Some(bytes) = self.memory {
            let twice = bytes.saturating_mul(2);
            set("--memory", ("memory", "memory.limit_in_bytes"), ("memory", "memory.max"), both(bytes));
            // v1 counts memory and swap together, v2 swap alone.
            set(
                "--memory",
                ("memory", "memory.memsw.limit_in_bytes"),
                ("memory", "memory.swap.max"),
                [twice.to_string(), bytes.to_string()],
            );
        }
        if let Some(thousandths) = self.millicpus {
            let quota = thousandths * PERIOD_US / 1000;
            let v2 = format!("{quota} {PERIOD_US}");
            set("--cpus", ("cpu", "cpu.cfs_quota_us"), ("cpu", "cpu.max"), [quota.to_string(), v2]);
        }
        if let Some(shares) = self.shares {
            let weight = weight(shares);
            set(
                "--cpu-shares",
                ("cpu", "cpu.shares"),
                ("cpu", "cpu.weight"),
                [shares.to_string(), weight.to_string()],
            );
        }
        if let Some(cpus) = &self.cpus {
            set(
                "--cpuset-cpus",
                ("cpuset", "cpuset.cpus"),
                ("cpuset", "cpuset.cpus"),
                [cpus.clone(), cpus.clone()],
            );
        }
        if let Some(pids) = self.pids {
            set("--pids-limit", ("pids", "pids.max"), ("pids", "pids.max"), both(pids));
        }
        for Rate { device, write, bytes } in &self.rates {
            let (option, v1, word) = match write {
                true => ("--device-write-bps", "blkio.throttle.write_bps_device", "wbps"),
                false => ("--device-read-bps", "blkio.throttle.read_bps_device", "rbps"),
            };
            let values = [format!("{device} {bytes}"), format!("{device} {word}={bytes}")];
            set(option, ("blkio", v1), ("io", "io.max"), values);
        }
        settings
    }
}

/// The v2 weight (1 to 10000, where 100 is everybody's) of v1 shares (2 to 262144, where 1024 is).
///
/// The curve through these three points that runc and crun use; a straight line would make a group that asks
/// for everybody's share weaker than one that asks for nothing.
fn weight(shares: u64) -> u64 {
    let log = (shares.clamp(2, 262_144) as f64).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    (10_f64.powf(exponent) - 1e-6).ceil() as u64
}

/// Whether the v2 group at `directory` has a limit of `controller`: whether a file says other than in a new group.
pub fn are_set(directory: &Path, controller: &str) -> Result<bool> {
    const NEW: [(&str, &str, &str); 7] = [
        ("memory", "memory.max", "max"),
        ("memory", "memory.high", "max"),
        ("cpu", "cpu.max", "max 100000"),
        ("cpu", "cpu.weight", "100"),
        ("cpuset", "cpuset.cpus", ""),
        ("pids", "pids.max", "max"),
        ("io", "io.max", ""),
    ];
    for (_, name, new) in NEW.iter().filter(|(owner, ..)| *owner == controller) {
        let text = unless_gone(file::read_text(&directory.join(name)))?;
        if text.is_some_and(|text| text.trim() != *new) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn both(value: u64) -> [String; 2] {
    [value.to_string(), value.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_files_and_its_arithmetic() {
        let limits =
            Limits { memory: Some(1 << 20), millicpus: Some(500), shares: Some(1024), ..Limits::default() };
        let lines = |version| -> Vec<String> {
            limits.settings(version).into_iter().map(|one| format!("{}={}", one.file, one.value)).collect()
        };
        assert_eq!(
            lines(Version::V1),
            [
                "memory.limit_in_bytes=1048576",
                "memory.memsw.limit_in_bytes=2097152",
                "cpu.cfs_quota_us=50000",
                "cpu.shares=1024"
            ]
        );
        assert_eq!(
            lines(Version::V2),
            ["memory.max=1048576", "memory.swap.max=1048576", "cpu.max=50000 100000", "cpu.weight=100"]
        );
    }

    #[test]
    fn everybodys_shares_are_everybodys_weight() {
        assert_eq!([2, 512, 1024, 2048, 262_144].map(weight), [1, 59, 100, 174, 10_000]);
    }
}
