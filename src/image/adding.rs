//! Putting images into the store: all of it, or nothing.
//!
//! Whoever adds holds the lock and makes everything under unfinished names. [`Adding::finish`] writes down what it is
//! about to put in its place (`layers/.adding`), renames it, writes the records, and removes the note. Whoever gives up
//! before leaves the store as it was. Whoever is killed leaves unfinished names, or the note; the next one to take the
//! lock removes the former, and whatever the latter mentions and no record names.

use super::digest::Digesting;
use super::oci::{Descriptor, Manifest};
use super::seal::remove_directory;
use super::store::{
    About, LONGEST, Record, Store, UNFINISHED, damaged, failed, image_problem, list, unnamed_file, unusable,
};
use super::{Digest, Name};
use crate::error::{ImageProblem, Meaning, Result};
use crate::sys::file::{self, Kind};
use crate::sys::flags::{O_CREAT, O_RDWR};
use crate::sys::lock;
use crate::sys::stream::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where what is just being put in its place is written down.
const NOTE: &str = ".adding";

/// What whoever changes the store holds.
pub(super) const LOCK: &str = ".lock";

/// The store while this process alone may change it.
///
/// Who needs the lock on the whole state too takes it after this one.
#[derive(Debug)]
pub struct Adding {
    pub(super) store: Store,
    #[allow(dead_code, reason = "held for its lock")]
    lock: OwnedFd,
    /// From the unfinished names to the final ones.
    blobs: BTreeMap<Digest, PathBuf>,
    layers: BTreeMap<PathBuf, PathBuf>,
    /// Which records are to be written, by the names of their files.
    records: BTreeMap<String, Digest>,
    /// What was made so far, for unfinished names that no two share.
    made: u32,
}

impl Store {
    /// Become the only one who adds or removes, until the value is dropped; what a killed one left is removed.
    pub fn change(&self) -> Result<Adding> {
        let path = self.layers.join(LOCK);
        let lock = loop {
            for directory in [&self.images, &self.blobs, &self.layers] {
                if !file::exists(directory)? {
                    file::mkdir_all(directory, 0o700).meaning(|| unusable(directory))?;
                }
            }
            let opened = file::if_there(file::open_file(&path, O_CREAT | O_RDWR, 0o600));
            let Some(lock) = opened.meaning(|| unusable(&path))? else { continue };
            lock::lock_file(lock.as_fd(), &path, true, true)?;
            // While this process waited, `prune --all` may have removed the file, and all that was with it.
            let held = file::descriptor_status(lock.as_fd(), &path)?.identity;
            if file::if_there(file::status(&path))?.is_some_and(|there| there.identity == held) {
                break lock;
            }
        };
        let (blobs, layers, records) = Default::default();
        let adding = Adding { store: self.clone(), lock, blobs, layers, records, made: 0 };
        adding.reclaim()?;
        Ok(adding)
    }
}

impl Store {
    /// The same; `None`, and nothing is made, where there never was an image.
    pub fn change_if_there(&self) -> Result<Option<Adding>> {
        if file::exists(&self.layers)? { self.change().map(Some) } else { Ok(None) }
    }
}

impl Adding {
    /// The store as readers see it: without what is not finished.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Add a blob: all that `from` gives. Checked against `expected` if that is given: `WrongDigest`, `WrongSize`. One
    /// that the store has is read and checked too, and not written again.
    pub fn blob(&mut self, from: &mut dyn Read, expected: Option<(&Digest, u64)>) -> Result<(Digest, u64)> {
        self.blob_by(|path| copy_checked(from, path, expected))
    }

    /// Add the blob that `make` makes at the path it is given, and digests.
    pub fn blob_by(&mut self, make: impl FnOnce(&Path) -> Result<(Digest, u64)>) -> Result<(Digest, u64)> {
        let path = self.unfinished(&self.store.blobs.clone());
        let made = make(&path);
        match &made {
            Ok((digest, _)) if !self.has_blob(digest)? => drop(self.blobs.insert(*digest, path)),
            _ => file::remove_file(&path)?,
        }
        made
    }

    /// Add a document; what it is called, with `media_type`.
    pub fn document(&mut self, media_type: &str, document: &impl Serialize) -> Result<Descriptor> {
        let text =
            serde_json::to_vec(document).map_err(|error| damaged(&self.store.blobs, error.to_string()))?;
        let (digest, length) = self.blob(&mut text.as_slice(), None)?;
        Ok(Descriptor::new(media_type, digest, length))
    }

    /// Whether the blob is in the store, or was just added.
    pub fn has_blob(&self, digest: &Digest) -> Result<bool> {
        Ok(self.blobs.contains_key(digest) || self.store.has_blob(digest)?)
    }

    /// How long the blob is; `None` when it is neither in the store nor was just added.
    pub fn blob_length(&self, digest: &Digest) -> Result<Option<u64>> {
        let path = self.blobs.get(digest).cloned().unwrap_or_else(|| self.store.blob_path(digest));
        Ok(file::if_there(file::link_status(&path))?.map(|status| status.size))
    }

    /// A blob of the store, or one that was just added.
    pub fn read_blob(&self, digest: &Digest) -> Result<Stream> {
        match self.blobs.get(digest) {
            Some(path) => Stream::open(path),
            None => self.store.blob(digest),
        }
    }

    /// A blob that is JSON; `BadDocument` when it is none.
    pub fn read_document<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T> {
        let mut text = Vec::new();
        self.read_blob(digest)?.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
        let bad = |error: serde_json::Error| ImageProblem::BadDocument {
            name: digest.to_string(),
            detail: error.to_string(),
        };
        serde_json::from_slice(&text).map_err(|error| image_problem(bad(error)))
    }

    /// The directory of the layer `diff_id` on top of `chain`, be it just added; `None` when it is to be made.
    pub fn find_layer(&self, diff_id: &Digest, chain: &Digest) -> Result<Option<PathBuf>> {
        for (path, chain) in
            [(self.store.layer_path(diff_id), None), (self.store.chain_path(chain), Some(*chain))]
        {
            let Some(unfinished) = self.layers.get(&path) else { continue };
            let about = self.store.about(unfinished)?;
            if (about.diff_id, about.chain) == (*diff_id, chain) {
                return Ok(Some(unfinished.clone()));
            }
        }
        Ok(self.store.layer(diff_id, chain)?.map(|(path, _)| path))
    }

    /// An empty directory with mode 0755 for a layer to be made in.
    pub fn layer_directory(&mut self) -> Result<PathBuf> {
        let path = self.unfinished(&self.store.layers.clone());
        file::mkdir(&path, 0o755)?;
        file::chmod(&path, 0o755)?;
        Ok(path)
    }

    /// Add the layer that was made at `path`, a [`layer_directory`](Self::layer_directory); where it is for now. One
    /// that is there already stays, and this one goes.
    pub fn layer(&mut self, path: PathBuf, about: About) -> Result<PathBuf> {
        if let Some(there) = self.find_layer(&about.diff_id, &about.chain.unwrap_or(about.diff_id))? {
            remove_directory(&path)?;
            return Ok(there);
        }
        let name = match &about.chain {
            Some(chain) => self.store.chain_path(chain),
            None => self.store.layer_path(&about.diff_id),
        };
        let text = serde_json::to_string(&about).map_err(|error| damaged(&name, error.to_string()))?;
        file::write_new(&path.with_extension("json"), &text, 0o600)?;
        self.layers.insert(name, path.clone());
        Ok(path)
    }

    /// Let `name` mean `manifest`. What it meant before, if that was another; that image is kept without a name if it
    /// has no other, as with Docker.
    pub fn tag(&mut self, name: &Name, manifest: &Digest) -> Result<Option<Digest>> {
        let before = self.store.manifest_of(name)?.filter(|before| before != manifest);
        self.records.insert(name.file_name(), *manifest);
        if let Some(before) = before {
            let others = self.store.records()?;
            let has_other =
                others.iter().any(|(other, digest)| *digest == before && other.as_ref() != Some(name));
            if !has_other {
                self.records.insert(unnamed_file(&before), before);
            }
        }
        Ok(before)
    }

    /// Keep an image though it has no name. One that has a name is kept by that.
    pub fn keep(&mut self, manifest: &Digest) -> Result<()> {
        let is_named = self.records.values().any(|named| named == manifest)
            || self.store.records()?.iter().any(|(name, named)| name.is_some() && named == manifest);
        if !is_named {
            self.records.insert(unnamed_file(manifest), *manifest);
        }
        Ok(())
    }

    /// Put everything that was added in its place, but for blobs that belong to no image that was.
    pub fn finish(mut self) -> Result<()> {
        let placed = self.place();
        if placed.is_err() {
            // The first error is the one to tell; what it leaves, the next one to change the store removes.
            let _ = self.reclaim();
        }
        placed
    }

    fn place(&mut self) -> Result<()> {
        self.drop_unnamed()?;
        let note = self.store.layers.join(NOTE);
        let blobs = self.blobs.keys().map(|digest| self.store.blob_path(digest));
        let names: Vec<PathBuf> = blobs.chain(self.layers.keys().cloned()).collect();
        let text = serde_json::to_string(&names).map_err(|error| damaged(&note, error.to_string()))?;
        write(&note, &text)?;
        for (digest, path) in std::mem::take(&mut self.blobs) {
            file::rename(&path, &self.store.blob_path(&digest))?;
        }
        for (name, path) in std::mem::take(&mut self.layers) {
            file::rename(&path.with_extension("json"), &name.with_extension("json"))?;
            file::rename(&path, &name)?;
        }
        for (file, manifest) in std::mem::take(&mut self.records) {
            self.write_record(&file, &manifest)?;
            // An image that has a name again is kept by that.
            if file != unnamed_file(&manifest) {
                file::remove_file(&self.store.images.join(unnamed_file(&manifest)))?;
            }
        }
        file::unlink(&note)
    }

    pub(super) fn write_record(&self, file: &str, manifest: &Digest) -> Result<()> {
        let path = self.store.images.join(file);
        let text = serde_json::to_string(&Record { manifest: *manifest })
            .map_err(|error| damaged(&path, error.to_string()))?;
        write(&path, &text)
    }

    fn drop_unnamed(&mut self) -> Result<()> {
        let mut named = BTreeSet::new();
        let before = self.store.records()?.into_iter().map(|(_, manifest)| manifest);
        for digest in before.chain(self.records.values().copied()) {
            let manifest = match self.read_document::<Manifest>(&digest) {
                Err(error) if self.blobs.contains_key(&digest) => return Err(error),
                // An image of the store that cannot be read names nothing that was just added.
                Err(_) => continue,
                Ok(manifest) => manifest,
            };
            named.extend([digest, manifest.config.digest]);
            named.extend(manifest.layers.iter().map(|layer| layer.digest));
        }
        let unnamed: Vec<Digest> =
            self.blobs.keys().filter(|digest| !named.contains(digest)).copied().collect();
        for path in unnamed.iter().filter_map(|digest| self.blobs.remove(digest)) {
            file::remove_file(&path)?;
        }
        Ok(())
    }

    /// Remove what is unfinished, and what a note mentions that no record names.
    fn reclaim(&self) -> Result<()> {
        for directory in [&self.store.images, &self.store.blobs, &self.store.layers] {
            for (name, kind) in list(directory)? {
                let path = directory.join(&name);
                match kind {
                    _ if !name.as_bytes().starts_with(UNFINISHED.as_bytes()) => {}
                    Kind::Directory => remove_directory(&path)?,
                    _ => file::remove_file(&path)?,
                }
            }
        }
        let note = self.store.layers.join(NOTE);
        let Some(text) = file::if_there(file::read(&note, LONGEST))? else { return Ok(()) };
        let (blobs, layers) = self.named()?;
        let names: Vec<PathBuf> = serde_json::from_slice(&text).unwrap_or_default();
        for path in names {
            let digest = path.file_name().and_then(|name| Digest::from_hex(name.to_str()?));
            if path.starts_with(&self.store.blobs) && !digest.is_some_and(|digest| blobs.contains(&digest)) {
                file::remove_file(&path)?;
            } else if path.starts_with(&self.store.layers) && !layers.contains(&path) {
                self.remove_layer(&path)?;
            }
        }
        file::unlink(&note)
    }

    fn unfinished(&mut self, directory: &Path) -> PathBuf {
        self.made += 1;
        directory.join(format!("{UNFINISHED}{}", self.made))
    }
}

impl Drop for Adding {
    /// What was added and not finished goes; the next one to change the store removes what cannot go now.
    fn drop(&mut self) {
        for path in self.blobs.values() {
            let _ = file::remove_file(path);
        }
        for path in self.layers.values() {
            let _ = remove_directory(path);
            let _ = file::remove_file(&path.with_extension("json"));
        }
    }
}

/// Write all that `from` gives to the new file at `path`.
fn copy_checked(from: &mut dyn Read, path: &Path, expected: Option<(&Digest, u64)>) -> Result<(Digest, u64)> {
    let mut to = BufWriter::with_capacity(1 << 18, Digesting::new(Stream::create(path, 0o600)?));
    // One byte more than expected is enough to know that there are too many.
    let most = expected.map_or(u64::MAX, |(_, size)| size.saturating_add(1));
    io::copy(&mut from.take(most), &mut to).map_err(failed)?;
    to.flush().map_err(failed)?;
    let to = to.into_inner().map_err(|error| failed(error.into_error()))?;
    let (digest, length) = to.finish();
    match expected {
        Some((expected, size)) if length != size => {
            let expected = expected.to_string();
            Err(image_problem(ImageProblem::WrongSize { digest: expected, size, length }))
        }
        Some((expected, _)) if digest != *expected => {
            let (expected, found) = (expected.to_string(), digest.to_string());
            Err(image_problem(ImageProblem::WrongDigest { expected, found }))
        }
        _ => Ok((digest, length)),
    }
}

/// A small file, whole or not at all.
fn write(path: &Path, text: &str) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!("{UNFINISHED}{name}"));
    file::write_new(&unfinished, text, 0o600)?;
    file::rename(&unfinished, path)
}
