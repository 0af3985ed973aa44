//! What can be limited, which controller does it, and how a limit is written. How much memory and how many processes
//! stands in [`memory`](super::memory), how much time on processors in [`cpu`](super::cpu), the rest here.

use super::controllers::Asked;
use super::hierarchy::Version;
use super::stop::unless_gone;
use crate::error::{Meaning, Problem, Result};
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
}

impl Limits {
    /// The controllers that the limits need, by their names in `version`, each with the option that asks for it. Both
    /// versions have as many, in the same order.
    pub fn controllers(&self, version: Version) -> Vec<Asked<'static>> {
        let io = if version == Version::V1 { "blkio" } else { "io" };
        let asked = [
            (self.memory.is_some(), "memory", "--memory"),
            (self.millicpus.is_some(), "cpu", "--cpus"),
            (self.shares.is_some(), "cpu", "--cpu-shares"),
            (self.cpus.is_some(), "cpuset", "--cpuset-cpus"),
            (self.pids.is_some(), "pids", "--pids-limit"),
            (self.rates.iter().any(|rate| rate.write), io, "--device-write-bps"),
            (self.rates.iter().any(|rate| !rate.write), io, "--device-read-bps"),
        ];
        asked.into_iter().filter(|(asked, ..)| *asked).map(|(_, name, option)| (name, option)).collect()
    }

    /// The files to write for which processors, and for the rates of devices.
    pub fn settings(&self, version: Version) -> Vec<Setting> {
        let cpus = self.cpus.iter();
        let cpus =
            cpus.map(|cpus| Setting { controller: "cpuset", file: "cpuset.cpus", value: cpus.clone() });
        cpus.chain(self.rates.iter().map(|rate| rate.setting(version))).collect()
    }
}

impl Rate {
    fn setting(&self, version: Version) -> Setting {
        let Rate { device, write, bytes } = self;
        let (file, word) = match write {
            true => ("blkio.throttle.write_bps_device", "wbps"),
            false => ("blkio.throttle.read_bps_device", "rbps"),
        };
        match version {
            Version::V1 => Setting { controller: "blkio", file, value: format!("{device} {bytes}") },
            Version::V2 => {
                Setting { controller: "io", file: "io.max", value: format!("{device} {word}={bytes}") }
            }
        }
    }
}

/// Write a limit into a file of the group at `directory`. If the kernel refuses, the error names file and value.
pub fn set(directory: &Path, file: &str, value: &str) -> Result<()> {
    let path = directory.join(file);
    file::write(&path, value)
        .meaning(|| Problem::CgroupLimitRefused { file: path.display().to_string(), value: value.to_owned() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_files() {
        let rate = Rate { device: "8:0".to_owned(), write: true, bytes: 1024 };
        let limits = Limits { cpus: Some("0-1".to_owned()), rates: vec![rate], ..Limits::default() };
        let lines = |version| -> Vec<String> {
            limits.settings(version).into_iter().map(|one| format!("{}={}", one.file, one.value)).collect()
        };
        assert_eq!(lines(Version::V1), ["cpuset.cpus=0-1", "blkio.throttle.write_bps_device=8:0 1024"]);
        assert_eq!(lines(Version::V2), ["cpuset.cpus=0-1", "io.max=8:0 wbps=1024"]);
    }

    #[test]
    fn every_limit_has_a_controller_in_both_versions() {
        let rate = |write| Rate { device: "8:0".to_owned(), write, bytes: 1 };
        let limits = Limits {
            memory: Some(1),
            millicpus: Some(1),
            shares: Some(1),
            cpus: Some("0".to_owned()),
            pids: Some(1),
            rates: vec![rate(false), rate(true)],
        };
        let options = |version| -> Vec<&str> {
            limits.controllers(version).into_iter().map(|(_, option)| option).collect()
        };
        assert_eq!(options(Version::V1), options(Version::V2));
        assert_eq!(options(Version::V1).len(), 7);
    }
}
