//! Images and layers on disk.
//!
//! ```text
//! images/NAME:TAG.json   the record of an image: the ids of its layers, topmost first, and its config
//! layers/ID/             one layer, as overlay wants it
//! layers/.lock           held (flock) by whoever adds or removes; readers need no lock
//! layers/.new-ID/        a layer being made
//! ```
//!
//! A reader sees an image whole or not at all: a layer is filled under a name that nobody looks for, then
//! renamed; then the same is done with the record that names it. What a killed builder left is removed by the
//! next one, which knows by the lock that nobody is still at it.

use super::{Config, Image, Name};
use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::ENOENT;
use crate::sys::file::{self, Kind};
use crate::sys::flags::{O_CREAT, O_RDWR};
use crate::sys::lock;
use crate::sys::remove::remove_all;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The images below one state directory.
#[derive(Debug)]
pub struct Store {
    images: PathBuf,
    layers: PathBuf,
}

/// What stands in an image's JSON file.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    layers: Vec<String>,
    #[serde(default)]
    config: Config,
}

/// How the name of everything unfinished begins.
const UNFINISHED: &str = ".new-";

impl Store {
    /// The store in the state directory `root`. Nothing is made before there is something to put in.
    pub fn open(root: &Path) -> Self {
        Store { images: root.join("images"), layers: root.join("layers") }
    }

    /// The image called `name`, if there is one. `StateDamaged` when its record cannot be read as one or names
    /// a layer that is gone; other images are not concerned.
    pub fn find(&self, name: &Name) -> Result<Option<Image>> {
        let path = self.images.join(name.file_name());
        let text = match file::read_text(&path) {
            Err(error) if error.is(ENOENT) => return Ok(None),
            text => text.meaning(|| unusable(&path))?,
        };
        let damaged = |detail| Error::new(Problem::StateDamaged { path: path.display().to_string(), detail });
        let record: Record = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let layers: Vec<PathBuf> = record
            .layers
            .iter()
            .map(|id| self.layer(id))
            .collect::<std::result::Result<_, _>>()
            .map_err(damaged)?;
        if layers.is_empty() {
            return Err(damaged("no layers".to_owned()));
        }
        Ok(Some(Image { name: name.to_string(), layers, config: record.config }))
    }

    /// The names of all images, as a person would type them.
    pub fn names(&self) -> Result<Vec<String>> {
        let files = list(&self.images)?;
        Ok(files
            .iter()
            .filter_map(|(file, _)| Name::of_file(file.to_str()?))
            .map(|name| name.short())
            .collect())
    }

    /// Make the image `name` of one layer called `id`, which `build` fills and describes.
    ///
    /// Whoever comes second waits, and finds the image made. On failure nothing of it stays.
    pub fn create(
        &self,
        name: &Name,
        id: &str,
        build: impl FnOnce(&Path) -> Result<Config>,
    ) -> Result<Image> {
        let _lock = self.lock()?;
        if let Some(image) = self.find(name)? {
            return Ok(image);
        }
        self.remove_unfinished()?;
        let unfinished = self.layers.join(format!("{UNFINISHED}{id}"));
        let made = self.fill(&unfinished, build).and_then(|config| {
            let layer = self.layers.join(id);
            // A builder killed between its two renames left a layer that no record names.
            remove_all(&layer)?;
            file::rename(&unfinished, &layer)?;
            self.write_record(name, &Record { layers: vec![id.to_owned()], config: config.clone() })?;
            Ok(Image { name: name.to_string(), layers: vec![layer], config })
        });
        if made.is_err() {
            // The first error is the one to tell; the next builder removes what stays here.
            let _ = self.remove_unfinished();
        }
        made
    }

    /// Remove all images, then all layers. No container that uses one may be running.
    pub fn clear(&self) -> Result<()> {
        if !file::exists(&self.layers)? {
            return Ok(());
        }
        let _lock = self.lock()?;
        for (name, _) in list(&self.images)? {
            file::unlink(&self.images.join(name))?;
        }
        for (name, kind) in list(&self.layers)? {
            if kind == Kind::Directory {
                remove_all(&self.layers.join(name))?;
            }
        }
        Ok(())
    }

    /// The directory of the layer `id`; the error says what is wrong with it.
    fn layer(&self, id: &str) -> std::result::Result<PathBuf, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || !id.bytes().all(allowed) {
            return Err(format!("bad layer id {id:?}"));
        }
        let path = self.layers.join(id);
        match file::link_status(&path) {
            Ok(status) if status.kind == Kind::Directory => Ok(path),
            Ok(_) => Err(format!("layer {id} is not a directory")),
            Err(error) => {
                Err(format!("layer {id}: {}", error.refusal.map_or(String::new(), |said| said.message)))
            }
        }
    }

    /// Become the only one who adds or removes, until the descriptor is dropped.
    fn lock(&self) -> Result<OwnedFd> {
        for directory in [&self.images, &self.layers] {
            file::mkdir_all(directory, 0o700).meaning(|| unusable(directory))?;
        }
        let path = self.layers.join(".lock");
        let lock = file::open_file(&path, O_CREAT | O_RDWR, 0o600).meaning(|| unusable(&path))?;
        lock::lock_file(lock.as_fd(), &path, true, true)?;
        Ok(lock)
    }

    /// Make the directory `layer` and let `build` fill it.
    fn fill(&self, layer: &Path, build: impl FnOnce(&Path) -> Result<Config>) -> Result<Config> {
        file::mkdir(layer, 0o755)?;
        file::chmod(layer, 0o755)?;
        build(layer)
    }

    fn write_record(&self, name: &Name, record: &Record) -> Result<()> {
        let path = self.images.join(name.file_name());
        let unfinished = self.images.join(format!("{UNFINISHED}{}", name.file_name()));
        let damaged = |error: serde_json::Error| {
            Error::new(Problem::StateDamaged { path: path.display().to_string(), detail: error.to_string() })
        };
        let text = serde_json::to_string_pretty(record).map_err(damaged)?;
        file::write_new(&unfinished, &text, 0o600)?;
        file::rename(&unfinished, &path)
    }

    /// Remove what a builder left that did not finish. Only for the holder of the lock.
    fn remove_unfinished(&self) -> Result<()> {
        for directory in [&self.images, &self.layers] {
            for (name, kind) in list(directory)? {
                let path = directory.join(&name);
                match kind {
                    _ if !name.as_bytes().starts_with(UNFINISHED.as_bytes()) => {}
                    Kind::Directory => remove_all(&path)?,
                    _ => file::unlink(&path)?,
                }
            }
        }
        Ok(())
    }
}

/// The names in a directory; none when it does not exist yet.
fn list(directory: &Path) -> Result<Vec<(OsString, Kind)>> {
    match file::list(directory) {
        Err(error) if error.is(ENOENT) => Ok(Vec::new()),
        names => names.meaning(|| unusable(directory)),
    }
}

fn unusable(path: &Path) -> Problem {
    Problem::StateUnusable { path: path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(root.path());
        (root, store)
    }

    fn small(layer: &Path) -> Result<Config> {
        file::write_new(&layer.join("file"), "text", 0o644)?;
        Ok(Config { cmd: vec!["sh".to_owned()], ..Config::default() })
    }

    #[test]
    fn what_was_created_is_found() {
        let (root, store) = store();
        let name = Name::parse("a/b:1").expect("a name");
        assert_eq!(store.find(&name), Ok(None));
        let made = store.create(&name, "one", small).expect("created");
        assert_eq!(made.layers, [root.path().join("layers/one")]);
        assert_eq!(store.find(&name), Ok(Some(made.clone())));
        assert_eq!(store.names(), Ok(vec!["a/b:1".to_owned()]));
        let again = store.create(&name, "one", |_| unreachable!("it is there"));
        assert_eq!(again, Ok(made));
        store.clear().expect("cleared");
        assert_eq!(store.find(&name), Ok(None));
        assert_eq!(list(&store.layers).expect("a list"), [(".lock".into(), Kind::File)]);
    }

    #[test]
    fn a_failed_build_leaves_nothing_and_a_killed_one_is_cleaned_up() {
        let (_root, store) = store();
        let name = Name::base();
        let failed = store.create(&name, "base", |layer| {
            small(layer)?;
            Err(Error::new(Problem::NoShell { looked: String::new() }))
        });
        assert!(failed.is_err());
        assert_eq!(list(&store.layers).expect("a list").len(), 1, "only the lock");

        for left in [".new-other/deep", "base/old"] {
            file::mkdir_all(&store.layers.join(left), 0o755).expect("made");
        }
        store.create(&name, "base", small).expect("created");
        assert_eq!(file::exists(&store.layers.join(".new-other")), Ok(false));
        assert_eq!(file::exists(&store.layers.join("base/old")), Ok(false));
    }

    #[test]
    fn a_damaged_record_concerns_its_image_alone() {
        let (_root, store) = store();
        let (good, bad) = (Name::base(), Name::parse("bad").expect("a name"));
        store.create(&good, "base", small).expect("created");
        for text in ["", "{", "[]", r#"{"layers":[]}"#, r#"{"layers":["../base"]}"#, r#"{"layers":["gone"]}"#]
        {
            file::write_new(&store.images.join(bad.file_name()), text, 0o600).expect("written");
            let error = store.find(&bad).expect_err(text);
            assert!(matches!(error.problem, Problem::StateDamaged { .. }), "{text}: {error:?}");
        }
        assert!(matches!(store.find(&good), Ok(Some(_))));
    }
}
