//! What an image is: the layers of a file system, and how a container made of them starts.
//!
//! - `name`, `digest`: what an image may be called, and what its parts call themselves
//! - `oci`: the documents that describe it
//! - `store`: images, blobs and layers on disk, as they are read; `adding`: how they come there, all or nothing;
//!   `removing`: how they go
//! - `seal`: from a directory to a layer with a digest
//! - `describe`: all about an image, for `inspect`
//! - `save`: images given away, in one archive
//! - `change`: changes of an image's configuration, said as in a Dockerfile
//! - `compress`, `unpack`: from a blob to the directory of a layer
//! - `load`: from an archive of images, by whomever, to the store
//! - `import`: from an archive of a root file system to an image of one layer
//! - `base`: the image that needs no download, made from the host's own programs
//! - `time`: when an image was made, as its documents say it

mod adding;
mod base;
pub mod change;
mod compress;
mod describe;
mod digest;
pub mod import;
mod load;
mod name;
pub mod oci;
mod removing;
pub mod save;
mod seal;
mod store;
pub mod time;
pub mod unpack;

pub use adding::Adding;
pub use describe::describe;
pub use digest::{Digest, Digesting};
pub use load::{Loaded, load};
pub use name::{Name, Word};
pub use oci::Config;
pub use removing::Collected;
pub use seal::{seal, userxattr, write_blob};
pub use store::{About, Layer, Listed, Store, failed};

use crate::error::{Error, Problem, Result};
use crate::sys::file::{self, Kind};
use std::path::{Path, PathBuf};

/// An image, ready to be mounted and started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its full name: `base:latest`; the person's word for it where that was no name.
    pub name: String,
    /// Its id: the digest of its configuration.
    pub id: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The directories of its layers, topmost first: the order of overlay's `lowerdir`.
    pub layers: Vec<PathBuf>,
    /// How a container made of it starts.
    pub config: Config,
}

impl Image {
    /// Whether its layers are all there at this moment. Who holds the lock on the whole state, as they must who take
    /// images away, knows that they stay.
    pub fn is_whole(&self) -> Result<bool> {
        for layer in &self.layers {
            let status = file::if_there(file::link_status(layer))?;
            if status.is_none_or(|status| status.kind != Kind::Directory) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The image that `word` means in the state directory `root`: a name, `NAME@sha256:…`, an id or its beginning.
///
/// `base` is made when it is asked for the first time, which takes about a second. `UnknownImage` for a word
/// that means none; `StateDamaged` for an image whose record or layers are.
pub fn find(root: &Path, word: &str) -> Result<Image> {
    let store = Store::open(root);
    let found = match store.find(word) {
        // It was being removed while it was read.
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) if store.resolve(word)?.is_none() => None,
        found => found?,
    };
    match found {
        Some(image) => Ok(image),
        None if Name::parse(word) == Some(Name::base()) => build_base(&store, false),
        None => Err(unknown(&store, word)),
    }
}

/// Whether `find` would answer at once, without making `base` first; be it with an error.
pub fn is_built(root: &Path, word: &str) -> bool {
    let store = Store::open(root);
    Name::parse(word) != Some(Name::base()) || !matches!(store.manifest_of(&Name::base()), Ok(None))
}

/// Make `base` from this machine's programs, `anew` also when there is one. The one before is kept without a name.
pub fn build_base(store: &Store, anew: bool) -> Result<Image> {
    let name = Name::base();
    let mut adding = store.change()?;
    // Whoever comes second waits, and finds the image made.
    if let (false, Some(manifest)) = (anew, store.manifest_of(&name)?) {
        return store.image(name.to_string(), &manifest);
    }
    let directory = adding.layer_directory()?;
    let config = match base::build(Path::new("/"), &directory) {
        Ok(config) => config,
        Err(error) => {
            // The first error is the one to tell; the next one to change the store removes what cannot go now.
            let _ = crate::sys::remove::remove_all(&directory);
            return Err(error);
        }
    };
    let history = oci::History {
        created: Some(time::now()),
        created_by: Some("minidocker image build-base".to_owned()),
        ..oci::History::default()
    };
    let layer = seal::adopt(&mut adding, directory)?;
    let manifest = seal::describe(&mut adding, config, &[layer], vec![history])?;
    adding.tag(&name, &manifest)?;
    adding.finish()?;
    store.image(name.to_string(), &manifest)
}

/// Make the image `name` for the program at `program`, which itself is not in it: its libraries, and these `tools` of the
/// machine where it has them. See [`base::build_around`].
pub fn build_around(store: &Store, name: &Name, program: &Path, tools: &[&'static str]) -> Result<Image> {
    let mut adding = store.change()?;
    let directory = adding.layer_directory()?;
    let config = base::build_around(program, tools, &directory)?;
    let layer = seal::adopt(&mut adding, directory)?;
    let manifest = seal::describe(&mut adding, config, &[layer], vec![oci::History::default()])?;
    adding.tag(name, &manifest)?;
    adding.finish()?;
    store.image(name.to_string(), &manifest)
}

/// The error for a word that means no image, with the names that would have worked.
pub fn unknown(store: &Store, word: &str) -> Error {
    let mut known = store.names().unwrap_or_default();
    if !known.iter().any(|name| name == "base") {
        known.insert(0, "base".to_owned());
    }
    Error::new(Problem::UnknownImage { name: word.to_owned(), known })
}

#[cfg(test)]
mod tests;
