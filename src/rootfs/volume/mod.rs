//! Volumes: what is seen inside the container in place of its own files.
//!
//! - `word`: the words of `--volume`
//! - `option`: the words of `--mount`
//! - `tmpfs`: the words of `--tmpfs`, and how such a file system is mounted
//! - `store`: the volumes that minidocker keeps, each under its name
//! - `fill`: the first use of a kept volume, which takes over what the image has at its place
//! - `place`: a volume taken from the host, and attached inside

pub mod fill;
mod option;
pub mod place;
pub mod store;
mod tmpfs;
mod word;

pub use place::Taken;
pub use store::{Kept, Store};
pub use tmpfs::Memory;

use super::target;
use crate::error::{Error, Problem, Result, VolumeProblem};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Something seen inside the container in place of its own files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// What it is.
    pub kind: Kind,
    /// On the host: the file or directory that is shown; of a kept volume its `data`. Empty for one in memory, and
    /// for a kept one as long as it has not been settled where it is.
    pub source: PathBuf,
    /// In the container: an absolute path, made if missing.
    pub target: PathBuf,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// What a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kind {
    /// A file or directory of the host's own.
    Bind {
        /// Whether a directory is made where nothing is there.
        make: bool,
    },
    /// A directory that minidocker keeps.
    Volume {
        /// The name by which it is kept; empty until one has been drawn for it.
        name: String,
        /// Whether it was made for one container and is removed with it.
        anonymous: bool,
        /// Whether, as long as it is empty, it takes over what the image has at its place.
        copy: bool,
    },
    /// A file system in memory, which goes with the container.
    Tmpfs(Memory),
}

impl Volume {
    /// A file or directory of the host's that is there, to be read and written.
    pub fn bind(source: PathBuf, target: PathBuf) -> Self {
        Self { kind: Kind::Bind { make: false }, source, target, read_only: false }
    }

    /// A volume without a name, for one container.
    pub fn anonymous(target: PathBuf) -> Self {
        let kind = Kind::Volume { name: String::new(), anonymous: true, copy: true };
        Self { kind, source: PathBuf::new(), target, read_only: false }
    }

    /// The name by which it is kept, if it is.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Volume { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether it was made for one container and is removed with it.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.kind, Kind::Volume { anonymous: true, .. })
    }
}

/// What was asked for by the words of `--volume`, `--mount` and `--tmpfs`, in the order in which volumes are
/// attached; see [`in_order`].
pub fn parse_all(volumes: &[String], mounts: &[String], tmpfs: &[String]) -> Result<Vec<Volume>> {
    let words = volumes.iter().map(|text| word::parse(text));
    let options = mounts.iter().map(|text| option::parse(text));
    let memories = tmpfs.iter().map(|text| tmpfs::parse(text));
    in_order(words.chain(options).chain(memories).collect::<Result<_>>()?)
}

/// The volumes in the order in which they are attached: a target comes after those it lies in, or it would be hidden
/// by them. No two may have the same.
pub fn in_order(mut volumes: Vec<Volume>) -> Result<Vec<Volume>> {
    volumes.sort_by_key(|volume| volume.target.components().count());
    for (index, volume) in volumes.iter().enumerate() {
        if volumes[..index].iter().any(|earlier| earlier.target == volume.target) {
            let target = volume.target.display().to_string();
            return Err(Error::new(Problem::VolumeTwice { target }));
        }
    }
    Ok(volumes)
}

/// A place inside that a volume may have: absolute, and neither the root nor in /proc. `text` is the whole word, for
/// the error.
pub fn target_of(target: &str, text: &str) -> Result<PathBuf> {
    let clean = target::clean(Path::new(target));
    if !target.starts_with('/') || clean == Path::new("/") || target.contains('\0') {
        return Err(Error::new(Problem::BadVolume { text: text.to_owned() }));
    }
    if clean.starts_with("/proc") {
        return Err(Error::new(Problem::VolumeInProc { target: target.to_owned() }));
    }
    Ok(clean)
}

/// A place on the host; a relative one is taken from here. The record of the container is text, so it must be too.
fn source_of(source: &str, text: &str) -> Result<PathBuf> {
    let bad = || Error::new(Problem::BadVolume { text: text.to_owned() });
    if source.contains('\0') {
        return Err(bad());
    }
    let source = std::path::absolute(source).map_err(|_| bad())?;
    if source.to_str().is_some() { Ok(source) } else { Err(bad()) }
}

/// Refuse what cannot be the name of a volume, as Docker does: a letter or digit, and at least one more of those or
/// of `_`, `.` and `-`.
pub fn check_name(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let begins_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && (2..=128).contains(&name.len()) && name.bytes().all(good) {
        return Ok(());
    }
    Err(Error::new(Problem::Volume(VolumeProblem::BadName { name: name.to_owned() })))
}

/// The word of `--shm-size`: a number of bytes; Docker's where none is given.
pub fn shm_size(text: Option<&str>) -> Result<u64> {
    let Some(text) = text else { return Ok(64 << 20) };
    let bad = || Error::new(Problem::Volume(VolumeProblem::BadShmSize { text: text.to_owned() }));
    bytes(text).filter(|bytes| *bytes > 0).ok_or_else(bad)
}

/// A number of bytes: digits with an optional unit `b`, `k`, `m` or `g` (powers of 1024).
pub fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &lower[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(volumes: &[&str], mounts: &[&str], tmpfs: &[&str]) -> Result<Vec<Volume>> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        parse_all(&own(volumes), &own(mounts), &own(tmpfs))
    }

    #[test]
    fn a_volume_comes_after_those_it_lies_in() {
        let mounts = ["type=volume,target=/x/y"];
        let volumes = all(&["/tmp:/x/y/z", "/dev:/x", "/a"], &mounts, &["/a/b"]).unwrap();
        let targets: Vec<&str> = volumes.iter().map(|volume| volume.target.to_str().unwrap()).collect();
        assert_eq!(targets, ["/x", "/a", "/x/y", "/a/b", "/x/y/z"]);
    }

    #[test]
    fn no_two_have_the_same_place() {
        for (volumes, mounts, tmpfs) in [
            (&["/tmp:/x", "/dev:/y", "/dev:/x/"][..], &[][..], &[][..]),
            (&["/x"], &["type=tmpfs,dst=/x"], &[]),
            (&["name:/a/../x"], &[], &["/x"]),
        ] {
            let problem = all(volumes, mounts, tmpfs).unwrap_err().problem;
            assert_eq!(problem, Problem::VolumeTwice { target: "/x".to_owned() });
        }
    }

    #[test]
    fn names_are_dockers() {
        for good in ["ab", "a_", "0.", "Web-1.data_x"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "-a", ".a", "_a", "a/b", "a b", "a:b", "ä1", "..", &"x".repeat(129)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_have_units() {
        for (text, number) in
            [("0", 0), ("7", 7), ("7b", 7), ("64k", 64 << 10), ("1M", 1 << 20), ("2gb", 2 << 30)]
        {
            assert_eq!(bytes(text), Some(number), "{text}");
        }
        for bad in ["", "k", "-1", "1.5m", "1t", "+1", "99999999999g"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
