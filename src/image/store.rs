//! Images and layers on disk, content-addressed as containerd's: what is read.
//!
//! ```text
//! images/NAME:TAG.json      which manifest the name means
//! images/@sha256:HEX.json   a manifest that is kept without a name
//! blobs/sha256/HEX          manifests, configurations, and layers as they were received: HEX is what they digest to
//! layers/HEX/               a layer, unpacked once, as overlay wants it: the first twelve digits of its diff id
//! layers/chain-HEX/         one that shows directories of the layers below it, and so is at home in that chain only
//! layers/HEX.json           beside the layer of the same name: its whole digest, its size
//! layers/.lock              held (flock) by whoever adds or removes; readers need no lock
//! layers/.adding            what is just being put in its place: see `adding`
//! .new-…                    anything unfinished
//! ```
//!
//! A reader sees an image whole or not at all: blobs and layers are made under names that nobody looks for, and renamed;
//! last comes the record that names them.

use super::name::Word;
use super::oci::{Config, ImageConfig, Manifest};
use super::{Digest, Image, Name};
use crate::error::{Error, ImageProblem, Meaning, Problem, Result};
use crate::sys::errno::ENOENT;
use crate::sys::file::{self, Kind};
use crate::sys::stream::{self, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// The images below one state directory.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) images: PathBuf,
    pub(super) blobs: PathBuf,
    pub(super) layers: PathBuf,
}

/// What stands in `images/NAME:TAG.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The digest of the manifest.
    pub manifest: Digest,
}

/// What stands beside an unpacked layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The digest of its tar stream.
    pub diff_id: Digest,
    /// The id of the chain that it belongs to, if to one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Digest>,
    /// The bytes of its files, as `images` counts them.
    pub size: u64,
    /// How many names it has.
    pub entries: u64,
}

/// One image in a list: everything but what is in its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its names; none for one that only its id names.
    pub names: Vec<Name>,
    /// The digest of its manifest: what stands after `@`.
    pub manifest: Digest,
    /// Its id: the digest of its configuration.
    pub id: Digest,
    /// That configuration.
    pub config: ImageConfig,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
}

impl Listed {
    /// The bytes of all its layers' files.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.about.size).sum()
    }
}

/// An unpacked layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of its tar stream.
    pub diff_id: Digest,
    /// The directory it was unpacked to.
    pub path: PathBuf,
    /// Its size.
    pub about: About,
    /// The digest and length of the blob that it came from.
    pub blob: (Digest, u64),
}

/// How the name of everything unfinished begins.
pub(super) const UNFINISHED: &str = ".new-";

/// How the name of a record begins whose image has no name.
const UNNAMED: &str = "@";

/// The longest document that is read: manifests and configurations have some KiB.
pub(super) const LONGEST: u64 = 8 << 20;

impl Store {
    /// The store in the state directory `root`. Nothing is made before there is something to put in.
    pub fn open(root: &Path) -> Self {
        let [images, blobs, layers] = ["images", "blobs/sha256", "layers"].map(|name| root.join(name));
        Store { images, blobs, layers }
    }

    /// The image that `word` means: a name, `NAME@sha256:…`, an id or the beginning of one. `None` when there is none;
    /// `StateDamaged` when it cannot be read; `AmbiguousId` for the beginning of several ids.
    pub fn find(&self, word: &str) -> Result<Option<Image>> {
        let Some((name, manifest)) = self.resolve(word)? else { return Ok(None) };
        self.image(name.map_or_else(|| word.to_owned(), |name| name.to_string()), &manifest).map(Some)
    }

    /// The manifest that `word` means, as [`find`](Self::find) understands it, and the name that led to it.
    pub fn resolve(&self, word: &str) -> Result<Option<(Option<Name>, Digest)>> {
        let Some(parsed) = Word::parse(word) else { return Ok(None) };
        if let Word::Name(name) = &parsed {
            if let Some(manifest) = self.manifest_of(name)? {
                return Ok(Some((Some(name.clone()), manifest)));
            }
        }
        if let Word::Manifest(repository, digest) = &parsed {
            let same = |name: &Name| name.repository() == repository;
            let found = self
                .records()?
                .into_iter()
                .find(|(name, manifest)| manifest == digest && name.as_ref().is_none_or(same));
            return Ok(found.map(|(_, manifest)| (None, manifest)));
        }
        let Some(beginning) = parsed.id() else { return Ok(None) };
        let mut found = BTreeMap::new();
        for (_, manifest) in self.records()? {
            // A damaged image has no id that could be meant.
            if let Ok(Manifest { config, .. }) = self.manifest(&manifest) {
                if config.digest.hex().starts_with(beginning) {
                    found.entry(config.digest).or_insert(manifest);
                }
            }
        }
        match found.len() {
            0 | 1 => Ok(found.into_values().next().map(|manifest| (None, manifest))),
            _ => Err(image_problem(ImageProblem::AmbiguousId { text: beginning.to_owned() })),
        }
    }

    /// The image of a manifest.
    pub fn image(&self, name: String, manifest: &Digest) -> Result<Image> {
        let listed = self.listed(manifest)?;
        let layers = listed.layers.into_iter().rev().map(|layer| layer.path).collect();
        let config: Config = listed.config.config;
        Ok(Image { name, id: listed.id, manifest: *manifest, layers, config })
    }

    /// All images, by their manifests, and what is wrong with those that cannot be read.
    pub fn list(&self) -> Result<(Vec<Listed>, Vec<Error>)> {
        let mut names: BTreeMap<Digest, Vec<Name>> = BTreeMap::new();
        let mut damaged = Vec::new();
        for (file, _) in list(&self.images)? {
            match self.record(&file) {
                Ok(Some((name, manifest))) => names.entry(manifest).or_default().extend(name),
                Ok(None) => {}
                Err(error) => damaged.push(error),
            }
        }
        let mut images = Vec::new();
        for (manifest, names) in names {
            match self.listed(&manifest) {
                Ok(listed) => images.push(Listed { names, ..listed }),
                Err(error) => damaged.push(error),
            }
        }
        Ok((images, damaged))
    }

    /// The image of a manifest, without its names.
    pub fn listed(&self, digest: &Digest) -> Result<Listed> {
        let manifest = self.manifest(digest)?;
        let config = self.config(&manifest.config.digest)?;
        let diff_ids = &config.rootfs.diff_ids;
        let damaged = |detail: String| damaged(&self.blob_path(digest), detail);
        if diff_ids.is_empty() || diff_ids.len() != manifest.layers.len() {
            return Err(damaged("not one layer for each diff id".to_owned()));
        }
        let mut layers = Vec::with_capacity(diff_ids.len());
        let mut chain: Option<Digest> = None;
        for (diff_id, blob) in diff_ids.iter().zip(&manifest.layers) {
            let on_top = diff_id.on_top_of(chain.as_ref());
            let there = self.layer(diff_id, &on_top)?;
            let (path, about) = there.ok_or_else(|| damaged(format!("layer {diff_id} is gone")))?;
            layers.push(Layer { diff_id: *diff_id, path, about, blob: (blob.digest, blob.size) });
            chain = Some(on_top);
        }
        Ok(Listed { names: Vec::new(), manifest: *digest, id: manifest.config.digest, config, layers })
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

    /// The manifest that `name` means.
    pub fn manifest_of(&self, name: &Name) -> Result<Option<Digest>> {
        Ok(self.record(name.file_name().as_ref())?.map(|(_, manifest)| manifest))
    }

    /// Every record: a name, or none, and a manifest. The first damaged one is the error.
    pub fn records(&self) -> Result<Vec<(Option<Name>, Digest)>> {
        let files = list(&self.images)?;
        files.iter().filter_map(|(file, _)| self.record(file).transpose()).collect()
    }

    /// The record in the file of this name; `None` when there is none, or it is no record's name.
    fn record(&self, file: &std::ffi::OsStr) -> Result<Option<(Option<Name>, Digest)>> {
        let Some(text) = file.to_str() else { return Ok(None) };
        let name = Name::of_file(text);
        if name.is_none() && !text.starts_with(UNNAMED) {
            return Ok(None);
        }
        let path = self.images.join(file);
        let contents = file::if_there(file::read_text(&path)).meaning(|| unusable(&path))?;
        let Some(contents) = contents else { return Ok(None) };
        let record: Record =
            serde_json::from_str(&contents).map_err(|error| damaged(&path, error.to_string()))?;
        Ok(Some((name, record.manifest)))
    }

    /// The manifest of this digest.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest> {
        self.document(digest)
    }

    /// The configuration of this digest.
    pub fn config(&self, digest: &Digest) -> Result<ImageConfig> {
        self.document(digest)
    }

    /// A blob that is JSON. It is checked against its name, since a wrong one would lead to other blobs.
    fn document<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T> {
        let path = self.blob_path(digest);
        let contents = file::read(&path, LONGEST).map_err(|error| match error.is(ENOENT) {
            true => damaged(&path, "it is gone".to_owned()),
            false => error.meaning(unusable(&path)),
        })?;
        if Digest::of(&contents) != *digest {
            return Err(damaged(&path, "it has another digest".to_owned()));
        }
        serde_json::from_slice(&contents).map_err(|error| damaged(&path, error.to_string()))
    }

    /// The blob of this digest, to be read; whoever hands it on checks the digest. `StateDamaged` when it is gone.
    pub fn blob(&self, digest: &Digest) -> Result<Stream> {
        let path = self.blob_path(digest);
        Stream::open(&path).map_err(|error| match error.is(ENOENT) {
            true => damaged(&path, "it is gone".to_owned()),
            false => error.meaning(unusable(&path)),
        })
    }

    /// Whether the blob is here.
    pub fn has_blob(&self, digest: &Digest) -> Result<bool> {
        Ok(file::if_there(file::link_status(&self.blob_path(digest)))?.is_some())
    }

    /// Where the blob of this digest is, or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    /// The layer `diff_id`, whose chain is `chain`; `None` when it has not been unpacked. `LayerNameTaken` when another
    /// has the twelve digits by which it would go, which happens to nobody who does not aim at it.
    pub(super) fn layer(&self, diff_id: &Digest, chain: &Digest) -> Result<Option<(PathBuf, About)>> {
        for (path, chain) in [(self.layer_path(diff_id), None), (self.chain_path(chain), Some(*chain))] {
            let status = file::if_there(file::link_status(&path))?;
            if status.is_none_or(|status| status.kind != Kind::Directory) {
                continue;
            }
            let about = self.about(&path)?;
            if (about.diff_id, about.chain) != (*diff_id, chain) {
                let (asked, there) = (diff_id.to_string(), about.diff_id.to_string());
                return Err(image_problem(ImageProblem::LayerNameTaken { asked, there }));
            }
            return Ok(Some((path, about)));
        }
        Ok(None)
    }

    pub(super) fn layer_path(&self, diff_id: &Digest) -> PathBuf {
        self.layers.join(diff_id.short())
    }

    pub(super) fn chain_path(&self, chain: &Digest) -> PathBuf {
        self.layers.join(format!("chain-{}", chain.short()))
    }

    /// What stands beside the layer at `path`.
    pub(super) fn about(&self, path: &Path) -> Result<About> {
        let path = path.with_extension("json");
        match file::if_there(file::read_text(&path))? {
            Some(text) => serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string())),
            None => Err(damaged(&path, "it is gone".to_owned())),
        }
    }
}

/// The name of the record of a manifest that is kept without a name.
pub(super) fn unnamed_file(manifest: &Digest) -> String {
    format!("{UNNAMED}{manifest}.json")
}

/// The names in a directory; none when it does not exist yet.
pub(super) fn list(directory: &Path) -> Result<Vec<(OsString, Kind)>> {
    let names = file::if_there(file::list(directory)).meaning(|| unusable(directory))?;
    Ok(names.unwrap_or_default())
}

pub(super) fn unusable(path: &Path) -> Problem {
    Problem::StateUnusable { path: path.display().to_string() }
}

pub(super) fn damaged(path: &Path, detail: String) -> Error {
    Error::new(Problem::StateDamaged { path: path.display().to_string(), detail })
}

pub(super) fn image_problem(problem: ImageProblem) -> Error {
    Error::new(Problem::Image(problem))
}

/// What a failure to read or write a stream means: the kernel's refusal, or a stream that is none.
pub fn failed(error: io::Error) -> Error {
    stream::refusal(error)
        .unwrap_or_else(|error| image_problem(ImageProblem::BrokenStream { detail: error.to_string() }))
}
