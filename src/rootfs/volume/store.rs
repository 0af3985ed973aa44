//! The volumes that minidocker keeps, each in a directory of its own.
//!
//! ```text
//! ROOT/volumes/NAME/data         what containers see
//! ROOT/volumes/NAME/volume.json  when it was made, and its labels
//! ROOT/volumes/NAME/copying      while the image's files are being taken over; see `fill`
//! ROOT/volumes/.new-…, .old-…    one being made or removed
//! ```
//!
//! A volume is there whole or not at all: it is made under a name that nobody looks for, and takes that name again
//! before it is removed. Whoever makes or removes one holds the lock on the whole root, and begins by clearing away
//! what a killed one left.

use super::check_name;
use crate::error::{Error, Meaning, Problem, Result, VolumeProblem};
use crate::sys::errno::{EEXIST, ENOENT, ENOTEMPTY};
use crate::sys::file::{self, Kind};
use crate::sys::process;
use crate::sys::remove::remove_all;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The volumes below one state root.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
}

/// One volume, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// When it was made: seconds since 1970.
    pub created: u64,
    /// What was said of it: `KEY=VALUE`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// The label of a volume that was made for one container, as Docker's.
const ANONYMOUS: &str = "com.docker.volume.anonymous";
const RECORD: &str = "volume.json";
const DATA: &str = "data";
const NEW: &str = ".new-";
const OLD: &str = ".old-";

impl Kept {
    /// Whether it was made without a name.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS)
    }
}

impl Store {
    /// The volumes of the state root `root`. Nothing is made before there is something to keep.
    pub fn open(root: &Path) -> Self {
        Self { directory: root.join("volumes") }
    }

    /// The directory that containers see of the volume `name`.
    pub fn data(&self, name: &str) -> PathBuf {
        self.directory.join(name).join(DATA)
    }

    /// A name that no volume has: 64 hexadecimal digits at random.
    pub fn new_name() -> Result<String> {
        Ok(process::random(32)?.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Make the volume `name` at the time `now` (seconds since 1970); one that is there stays as it is.
    pub fn create(
        &self,
        name: &str,
        anonymous: bool,
        mut labels: BTreeMap<String, String>,
        now: u64,
    ) -> Result<Kept> {
        check_name(name)?;
        if let Some(kept) = self.find(name)? {
            return Ok(kept);
        }
        self.clear_left()?;
        if anonymous {
            labels.insert(ANONYMOUS.to_owned(), String::new());
        }
        let kept = Kept { name: name.to_owned(), created: now, labels };
        let new = self.directory.join(format!("{NEW}{name}"));
        let made = self.fill(&new, &kept).and_then(|()| file::rename(&new, &self.directory.join(name)));
        match made {
            // Somebody made it in between.
            Err(error) if error.is(ENOTEMPTY) || error.is(EEXIST) => {
                remove_all(&new)?;
                self.get(name)
            }
            Err(error) => {
                // The first error is the one to tell; what stays here is cleared away by the next.
                let _ = remove_all(&new);
                Err(error).meaning(|| self.unusable())
            }
            Ok(()) => Ok(kept),
        }
    }

    fn fill(&self, new: &Path, kept: &Kept) -> Result<()> {
        // Whoever may not look into a container's files may not look into these either.
        file::mkdir_all(&self.directory, 0o700)?;
        file::mkdir(new, 0o700)?;
        file::mkdir(&new.join(DATA), 0o755)?;
        file::chmod(&new.join(DATA), 0o755)?;
        let text = serde_json::to_string(kept).map_err(|error| damaged(new, &error.to_string()))?;
        file::write_new(&new.join(RECORD), &text, 0o600)
    }

    /// The volume `name`, if there is one. `StateDamaged` when what is remembered of it cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Kept>> {
        check_name(name)?;
        let path = self.directory.join(name).join(RECORD);
        let text = match file::read_text(&path) {
            Err(error) if error.is(ENOENT) => return Ok(None),
            text => text?,
        };
        let mut kept: Kept =
            serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
        name.clone_into(&mut kept.name);
        Ok(Some(kept))
    }

    /// The volume `name`; `NoSuchVolume` if there is none.
    pub fn get(&self, name: &str) -> Result<Kept> {
        let missing = || Error::new(Problem::Volume(VolumeProblem::NoSuchVolume { name: name.to_owned() }));
        if check_name(name).is_err() {
            return Err(missing());
        }
        self.find(name)?.ok_or_else(missing)
    }

    /// The names of all volumes, sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        let names = match file::list(&self.directory) {
            Err(error) if error.is(ENOENT) => return Ok(Vec::new()),
            names => names.meaning(|| self.unusable())?,
        };
        let directories = names.into_iter().filter(|(_, kind)| *kind == Kind::Directory);
        Ok(directories
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| check_name(name).is_ok())
            .collect())
    }

    /// Remove the volume `name` with all that is in it. On entry no container uses it.
    pub fn remove(&self, name: &str) -> Result<()> {
        check_name(name)?;
        self.clear_left()?;
        let old = self.directory.join(format!("{OLD}{name}"));
        match file::rename(&self.directory.join(name), &old) {
            Err(error) if error.is(ENOENT) => Ok(()),
            answer => answer.and_then(|()| remove_all(&old)),
        }
    }

    /// How many bytes the files of the volume `name` have, of those that can be looked at.
    pub fn size(&self, name: &str) -> u64 {
        let mut open = vec![self.data(name)];
        let mut bytes = 0;
        while let Some(directory) = open.pop() {
            for (name, kind) in file::list(&directory).unwrap_or_default() {
                let path = directory.join(name);
                match kind {
                    Kind::Directory => open.push(path),
                    _ => bytes += file::link_status(&path).map_or(0, |status| status.size),
                }
            }
        }
        bytes
    }

    /// Remove what somebody left who was killed while making or removing a volume.
    pub fn clear_left(&self) -> Result<()> {
        let names = file::if_there(file::list(&self.directory))?.unwrap_or_default();
        let left = names.into_iter().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with(NEW) || name.starts_with(OLD)
        });
        left.into_iter().try_for_each(|(name, _)| remove_all(&self.directory.join(name)))
    }

    /// Remove all volumes. No container is left.
    pub fn clear(&self) -> Result<()> {
        remove_all(&self.directory)
    }

    fn unusable(&self) -> Problem {
        Problem::StateUnusable { path: self.directory.display().to_string() }
    }
}

fn damaged(path: &Path, detail: &str) -> Error {
    let (path, detail) = (path.display().to_string(), detail.to_owned());
    Error::new(Problem::StateDamaged { path, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path());
        (root, store)
    }

    #[test]
    fn a_volume_is_made_found_and_removed() {
        let (_root, store) = store();
        assert_eq!(store.names(), Ok(vec![]));
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let kept = store.create("web", false, labels, 7).unwrap();
        assert_eq!(store.find("web"), Ok(Some(kept.clone())));
        std::fs::write(store.data("web").join("file"), "x").unwrap();
        assert_eq!(store.create("web", true, BTreeMap::new(), 8), Ok(kept), "it stays as it is");
        assert!(store.data("web").join("file").exists());
        let name = Store::new_name().unwrap();
        assert!(store.create(&name, true, BTreeMap::new(), 9).unwrap().is_anonymous());
        assert_eq!(store.names().unwrap().len(), 2);
        store.remove("web").unwrap();
        store.remove("web").unwrap();
        assert_eq!(store.names(), Ok(vec![name]));
        let missing = Problem::Volume(VolumeProblem::NoSuchVolume { name: "web".to_owned() });
        assert_eq!(store.get("web").unwrap_err().problem, missing);
    }

    #[test]
    fn what_a_killed_one_left_goes_and_a_damaged_one_concerns_itself_alone() {
        let (_root, store) = store();
        store.create("good", false, BTreeMap::new(), 1).unwrap();
        for left in [".new-web/data/deep", ".old-other/data"] {
            std::fs::create_dir_all(store.directory.join(left)).unwrap();
        }
        assert_eq!(store.names(), Ok(vec!["good".to_owned()]));
        store.create("bad", false, BTreeMap::new(), 2).unwrap();
        assert_eq!(std::fs::read_dir(&store.directory).unwrap().count(), 2);
        std::fs::write(store.directory.join("bad").join(RECORD), "{").unwrap();
        assert!(matches!(store.find("bad").unwrap_err().problem, Problem::StateDamaged { .. }));
        assert!(store.find("good").unwrap().is_some());
        store.remove("bad").unwrap();
        assert_eq!(store.names(), Ok(vec!["good".to_owned()]));
    }
}
