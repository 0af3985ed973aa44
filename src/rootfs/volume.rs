//! Volumes: `SOURCE:TARGET[:ro|rw]`, something of the host's seen inside the container.

use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

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
    let climbs = Path::new(target).components().any(|component| component == Component::ParentDir);
    if !is_path || !target.starts_with('/') || target.trim_matches('/').is_empty() || climbs {
        return Err(bad());
    }
    let missing = || Problem::VolumeSourceMissing { path: source.to_owned() };
    file::status(Path::new(source)).meaning(missing)?;
    let source = std::path::absolute(source).map_err(|_| bad())?;
    Ok(Volume { source, target: target.into(), read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_understood_or_refused() {
        let volume = parse("/tmp:/data:ro").unwrap();
        assert_eq!((volume.target.as_path(), volume.read_only), (Path::new("/data"), true));
        for bad in
            ["/tmp", "/tmp:data", "/tmp:/", "/tmp:/a:rx", "named:/a", "/tmp:/a/../..", "/no/such/thing:/a"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
