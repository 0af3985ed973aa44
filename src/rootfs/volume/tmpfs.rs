//! The words of `--tmpfs`: `TARGET[:OPTIONS]`, a file system in memory; see tmpfs(5).

use super::{Kind, Volume, bytes, target_of};
use crate::error::{Error, Problem, Result, VolumeProblem};
use crate::sys::flags::{MS_NODEV, MS_NOEXEC, MS_NOSUID};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a file system in memory may hold and allow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The options of tmpfs(5), each checked: `size=64m`, `mode=1777`.
    pub options: Vec<String>,
    /// What is allowed that by default is not: `exec`, `suid`, `dev`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

impl Memory {
    /// The options as mount(2) takes them.
    pub fn data(&self) -> Option<String> {
        (!self.options.is_empty()).then(|| self.options.join(","))
    }

    /// The flags of mount(2): no programs, no devices, no set-user-id, but what is allowed.
    pub fn flags(&self) -> u64 {
        let unless =
            |word: &str, flag: u64| if self.allowed.iter().any(|one| one == word) { 0 } else { flag };
        unless("exec", MS_NOEXEC) | unless("suid", MS_NOSUID) | unless("dev", MS_NODEV)
    }
}

/// Understand one word.
pub fn parse(text: &str) -> Result<Volume> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let bad = || Error::new(Problem::Volume(VolumeProblem::BadTmpfs { text: text.to_owned() }));
    let mut memory = Memory::default();
    let mut read_only = false;
    for option in options.split(',').filter(|_| !options.is_empty()) {
        match option.split_once('=') {
            None if option == "ro" || option == "rw" => read_only = option == "ro",
            None if matches!(option, "exec" | "suid" | "dev") => memory.allowed.push(option.to_owned()),
            None if matches!(option, "noexec" | "nosuid" | "nodev") => {
                memory.allowed.retain(|allowed| *allowed != option[2..]);
            }
            Some((key, value)) if is_option(key, value) => memory.options.push(option.to_owned()),
            _ => return Err(bad()),
        }
    }
    Ok(Volume {
        kind: Kind::Tmpfs(memory),
        source: PathBuf::new(),
        target: target_of(target, text)?,
        read_only,
    })
}

/// Whether tmpfs(5) has such an option with such a value.
fn is_option(key: &str, value: &str) -> bool {
    match key {
        "size" => {
            let percent = value.strip_suffix('%').and_then(|number| number.parse::<u8>().ok());
            bytes(value).is_some() || percent.is_some_and(|percent| percent <= 100)
        }
        "nr_blocks" | "nr_inodes" => bytes(value).is_some(),
        "mode" => u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777),
        "uid" | "gid" => value.parse::<u32>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_file_system_in_memory_allows_little() {
        let Volume { kind: Kind::Tmpfs(memory), target, read_only, .. } = parse("/run/").unwrap() else {
            panic!("no tmpfs")
        };
        assert_eq!((target.as_path(), read_only, memory.data()), (Path::new("/run"), false, None));
        assert_eq!(memory.flags(), MS_NOEXEC | MS_NOSUID | MS_NODEV);
        let volume = parse("/t:size=64m,mode=1777,exec,suid,nosuid,ro").unwrap();
        let Kind::Tmpfs(memory) = volume.kind else { panic!("no tmpfs") };
        assert_eq!(memory.data().as_deref(), Some("size=64m,mode=1777"));
        assert_eq!((memory.flags(), volume.read_only), (MS_NOSUID | MS_NODEV, true));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "",
            "run",
            "/",
            "/t:size=x",
            "/t:mode=8",
            "/t:x",
            "/t:size",
            "/t:size=1,,",
            "/t:uid=root",
            "/proc/x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
