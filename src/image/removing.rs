//! Taking images out of the store: first names, and then what nobody names any more.

use super::adding::{Adding, LOCK};
use super::oci::Manifest;
use super::seal::remove_directory;
use super::store::{About, UNFINISHED, list, unnamed_file};
use super::{Digest, Name};
use crate::error::Result;
use crate::sys::file::{self, Kind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

impl Adding {
    /// Take a name away; the image stays, if only without a name, until [`collect`](Self::collect). `false` when there
    /// is none of that name. Done at once.
    pub fn untag(&mut self, name: &Name) -> Result<bool> {
        let there = file::if_there(file::unlink(&self.store.images.join(name.file_name())))?;
        Ok(there.is_some())
    }

    /// Take a name away from an image that has no other and shall stay all the same. Done at once.
    pub fn untag_and_keep(&mut self, name: &Name, manifest: &Digest) -> Result<bool> {
        self.write_record(&unnamed_file(manifest), manifest)?;
        self.untag(name)
    }

    /// Take away the record that keeps an image without a name. Done at once.
    pub fn forget_unnamed(&mut self, manifest: &Digest) -> Result<bool> {
        let there = file::if_there(file::unlink(&self.store.images.join(unnamed_file(manifest))))?;
        Ok(there.is_some())
    }

    /// Remove every blob and layer that no record names, except the layers in `in_use`: the directories that overlays
    /// of containers are, or can be, mounted from. The blobs and layers that are gone, and the bytes of their files.
    ///
    /// On entry the lock on the whole state is held too, so that no container is made of an image meanwhile.
    pub fn collect(&mut self, in_use: &BTreeSet<PathBuf>) -> Result<Collected> {
        let (blobs, layers) = self.named()?;
        let mut gone = Collected::default();
        for (name, _) in list(&self.store.blobs)? {
            let digest = name.to_str().and_then(Digest::from_hex);
            let Some(digest) = digest.filter(|digest| !blobs.contains(digest)) else { continue };
            let path = self.store.blobs.join(name);
            gone.bytes += file::link_status(&path)?.size;
            file::unlink(&path)?;
            gone.blobs.push(digest);
        }
        for (name, kind) in list(&self.store.layers)? {
            let path = self.store.layers.join(&name);
            if kind != Kind::Directory || layers.contains(&path) || in_use.contains(&path) {
                continue;
            }
            let about = self.remove_layer(&path)?;
            gone.bytes += about.map_or(0, |about| about.size);
            gone.layers.extend(about.map(|about| about.diff_id));
        }
        Ok(gone)
    }

    /// Remove all images, then all layers and blobs. No container that uses one may be there.
    pub fn clear(&mut self) -> Result<()> {
        for directory in [&self.store.images, &self.store.blobs, &self.store.layers] {
            for (name, kind) in list(directory)? {
                let path = directory.join(&name);
                match kind {
                    Kind::Directory => remove_directory(&path)?,
                    _ if name == LOCK => {}
                    _ => file::unlink(&path)?,
                }
            }
        }
        Ok(())
    }

    /// The blobs and layers that some record leads to. An image that cannot be read is an error: what belongs to it is
    /// not known, so nothing may be removed.
    pub(super) fn named(&self) -> Result<(BTreeSet<Digest>, BTreeSet<PathBuf>)> {
        let (mut blobs, mut layers) = (BTreeSet::new(), BTreeSet::new());
        for (_, digest) in self.store.records()? {
            let manifest: Manifest = self.store.manifest(&digest)?;
            blobs.extend([digest, manifest.config.digest]);
            blobs.extend(manifest.layers.iter().map(|layer| layer.digest));
            layers.extend(self.store.listed(&digest)?.layers.into_iter().map(|layer| layer.path));
        }
        Ok((blobs, layers))
    }

    /// Remove an unpacked layer: first from the sight of readers. What stood beside it.
    pub(super) fn remove_layer(&self, path: &Path) -> Result<Option<About>> {
        let beside = path.with_extension("json");
        let about =
            file::if_there(file::read_text(&beside))?.and_then(|text| serde_json::from_str(&text).ok());
        let unseen = self.store.layers.join(format!("{UNFINISHED}gone"));
        if file::if_there(file::rename(path, &unseen))?.is_some() {
            remove_directory(&unseen)?;
        }
        file::remove_file(&beside)?;
        Ok(about)
    }
}

/// What [`Adding::collect`] removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs.
    pub blobs: Vec<Digest>,
    /// Unpacked layers, by their diff ids.
    pub layers: Vec<Digest>,
    /// How many bytes their files had.
    pub bytes: u64,
}
