//! Volumes: `SOURCE:TARGET[:ro|rw]`, something of the host's seen inside the container.

use super::target;
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Something of the host's, seen inside the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// On the host: an existing file or directory.
    pub source: PathBuf,
    /// In the container: an absolute path, made if missing.
    pub target: PathBuf,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// Understand the word of `--volume`. A relative source (`./data`) is taken from here. The source must exist.
pub fn parse(text: &str) -> Result<Volume> {
    let bad = || Error::new(Problem::BadVolume { text: text.to_owned() });
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, read_only) = match parts[..] {
        [source, target] | [source, target, "rw"] => (source, target, false),
        [source, target, "ro"] => (source, target, true),
        _ => return Err(bad()),
    };
    let is_path = source.starts_with('/') || source.starts_with('.');
    let clean = target::clean(Path::new(target));
    if !is_path || !target.starts_with('/') || clean == Path::new("/") {
        return Err(bad());
    }
    if clean.starts_with("/proc") {
        return Err(Error::new(Problem::VolumeInProc { target: target.to_owned() }));
    }
    let missing = || Problem::VolumeSourceMissing { path: source.to_owned() };
    file::status(Path::new(source)).meaning(missing)?;
    let source = std::path::absolute(source).map_err(|_| bad())?;
    // The record of the container is text.
    if source.to_str().is_none() {
        return Err(bad());
    }
    Ok(Volume { source, target: clean, read_only })
}

/// The volumes of these words, in the order in which they are attached: a target comes after those it lies in,
/// or it would be hidden by them. No two may have the same.
pub fn parse_all(texts: &[String]) -> Result<Vec<Volume>> {
    let mut volumes = texts.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?;
    volumes.sort_by_key(|volume| volume.target.components().count());
    for (index, volume) in volumes.iter().enumerate() {
        if volumes[..index].iter().any(|earlier| earlier.target == volume.target) {
            let target = volume.target.display().to_string();
            return Err(Error::new(Problem::VolumeTwice { target }));
        }
    }
    Ok(volumes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_understood_or_refused() {
        let volume = parse("/tmp:/data:ro").unwrap();
        assert_eq!((volume.target.as_path(), volume.read_only), (Path::new("/data"), true));
        assert_eq!(parse("/tmp:/a/../b/").unwrap().target, Path::new("/b"));
        assert_eq!(parse("/tmp:/process").unwrap().target, Path::new("/process"));
        for bad in
            ["/tmp", "/tmp:data", "/tmp:/", "/tmp:/a:rx", "named:/a", "/tmp:/a/../..", "/no/such/thing:/a"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for inside in ["/tmp:/proc", "/tmp:/proc/sys", "/tmp:/a/../proc/1"] {
            let problem = parse(inside).unwrap_err().problem;
            assert!(matches!(problem, Problem::VolumeInProc { .. }), "{inside}");
        }
    }

    #[test]
    fn a_volume_comes_after_those_it_lies_in() {
        let all =
            |texts: &[&str]| parse_all(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let volumes = all(&["/tmp:/x/y/z", "/:/x/y", "/dev:/x", "/tmp:/a"]).unwrap();
        let targets: Vec<&str> = volumes.iter().map(|volume| volume.target.to_str().unwrap()).collect();
        assert_eq!(targets, ["/x", "/a", "/x/y", "/x/y/z"]);
        let problem = all(&["/tmp:/x", "/dev:/y", "/dev:/x/"]).unwrap_err().problem;
        assert_eq!(problem, Problem::VolumeTwice { target: "/x".to_owned() });
    }
}
