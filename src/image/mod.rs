//! What an image is: the layers of a file system, and how a container made of them starts.
//!
//! - `name`: what an image may be called
//! - `store`: images and layers on disk, each there whole or not at all
//! - `base`: the image that needs no download, made from the host's own programs

mod base;
mod name;
mod store;

pub use name::Name;
pub use store::Store;

use crate::error::{Error, Problem, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An image, ready to be mounted and started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its full name: `base:latest`.
    pub name: String,
    /// The directories of its layers, topmost first: the order of overlay's `lowerdir`.
    pub layers: Vec<PathBuf>,
    /// How a container made of it starts.
    pub config: Config,
}

/// What an image says about the process that is to run in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `NAME=VALUE`.
    pub env: Vec<String>,
    /// The command where the person gives none, or the arguments of `entrypoint`.
    pub cmd: Vec<String>,
    /// What is put before the command.
    pub entrypoint: Vec<String>,
    /// The directory it starts in.
    pub working_dir: String,
    /// `USER[:GROUP]`, by name or number; empty for root.
    pub user: String,
}

/// The image called `name` in the state directory `root`.
///
/// `base` is made when it is asked for the first time, which takes about a second. `UnknownImage` for a name
/// that is not there or cannot be a name; `StateDamaged` for an image whose record or layers are.
pub fn find(root: &Path, name: &str) -> Result<Image> {
    let store = Store::open(root);
    let Some(parsed) = Name::parse(name) else { return Err(unknown(&store, name)) };
    match store.find(&parsed)? {
        Some(image) => Ok(image),
        None if parsed == Name::base() => {
            store.create(&parsed, "base", |layer| base::build(Path::new("/"), layer))
        }
        None => Err(unknown(&store, name)),
    }
}

/// Whether `find` would answer at once, without making `base` first; be it with an error.
pub fn is_built(root: &Path, name: &str) -> bool {
    Name::parse(name).is_some_and(|name| !matches!(Store::open(root).find(&name), Ok(None)))
}

/// Remove every image and layer below `root`. No container that uses one may be running.
pub fn remove_all(root: &Path) -> Result<()> {
    Store::open(root).clear()
}

/// The error for a name that no image has, with the names that would have worked.
fn unknown(store: &Store, name: &str) -> Error {
    let mut known = store.names().unwrap_or_default();
    if !known.iter().any(|name| name == "base") {
        known.insert(0, "base".to_owned());
    }
    Error::new(Problem::UnknownImage { name: name.to_owned(), known })
}
