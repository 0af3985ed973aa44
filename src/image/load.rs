//! Images that others wrote, taken into the store: an OCI image layout, or what `docker save` writes; as a tar stream,
//! compressed or not, or as a directory.
//!
//! The members of a stream come in any order, so all that could be part of an image becomes a blob first, under an
//! unfinished name, checked as it comes. Then the documents say which of them are. What none says goes again.

use super::adding::Adding;
use super::oci::{
    self, Archived, CONTAINERD_NAME, Descriptor, ImageConfig, Index, Manifest, REF_NAME, media,
};
use super::store::{LONGEST, Store, failed, image_problem};
use super::{Digest, Name, compress, unpack};
use crate::error::{ImageProblem, Meaning, Problem, Result};
use crate::overlay::ustar::{EntryKind, Reader};
use crate::step::{Step, take};
use crate::sys::file::{self, Kind};
use crate::sys::stream::Stream;
use crate::sys::terminal;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

/// An image that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its names; without one it has its id only.
    pub names: Vec<Name>,
    /// Its id.
    pub id: Digest,
    /// Which names meant another image before, and its id.
    pub renamed: Vec<(Name, Digest)>,
}

/// Take in every image of the file or directory at `path`, or of standard input, and unpack its layers by `steps`.
/// Nothing is taken in unless all are.
///
/// Errors: `NotAnImage` for what is neither form; those of the archive, the digests and the layers.
pub fn load(store: &Store, path: Option<&Path>, steps: &unpack::Steps) -> Result<Vec<Loaded>> {
    take(Step::Load, || {
        let mut adding = store.change()?;
        let received = receive(&mut adding, path)?;
        let stem = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let images = received.images(&mut adding, stem.as_deref())?;
        let mut loaded = Vec::with_capacity(images.len());
        for (manifest, names) in images {
            loaded.push(add(&mut adding, &manifest, names, steps)?);
        }
        adding.finish()?;
        Ok(loaded)
    })
}

/// Add an image whose blobs were added.
fn add(adding: &mut Adding, digest: &Digest, names: Vec<Name>, steps: &unpack::Steps) -> Result<Loaded> {
    let manifest: Manifest = adding.read_document(digest)?;
    unpack::image(adding, &manifest, steps)?;
    let mut renamed = Vec::new();
    for name in &names {
        if let Some(before) = adding.tag(name, digest)? {
            // One that cannot be read has no id, and is not missed.
            let id = adding.store().manifest(&before).ok().map(|before| before.config.digest);
            renamed.extend(id.map(|id| (name.clone(), id)));
        }
    }
    if names.is_empty() {
        adding.keep(digest)?;
    }
    Ok(Loaded { names, id: manifest.config.digest, renamed })
}

fn receive(adding: &mut Adding, path: Option<&Path>) -> Result<Received> {
    let mut received = Received::default();
    let Some(path) = path else {
        let stdin = Stream::stdin()?;
        if terminal::is_terminal(stdin.as_fd())? {
            return Err(image_problem(ImageProblem::FromTerminal));
        }
        received.archive(adding, stdin)?;
        return Ok(received);
    };
    let unreadable = || Problem::Image(ImageProblem::ArchiveUnreadable { path: path.display().to_string() });
    match file::status(path).meaning(unreadable)?.kind {
        Kind::Directory => received.directory(adding, path, Path::new(""))?,
        _ => received.archive(adding, Stream::open(path).meaning(unreadable)?)?,
    }
    Ok(received)
}

/// What came, by the names in the archive.
#[derive(Debug, Default)]
struct Received {
    documents: BTreeMap<PathBuf, Vec<u8>>,
    blobs: BTreeMap<PathBuf, (Digest, u64)>,
    links: BTreeMap<PathBuf, PathBuf>,
}

/// The documents by which an archive is understood.
const INDEX: &str = "index.json";
const ARCHIVED: &str = "manifest.json";

/// How deep a directory is searched: `blobs/sha256/HEX` is the deepest name of either form.
const DEPTH: usize = 3;

impl Received {
    fn archive(&mut self, adding: &mut Adding, stream: Stream) -> Result<()> {
        let mut reader = Reader::new(compress::open(stream)?);
        while let Some(entry) = reader.member()? {
            match entry.kind {
                EntryKind::File(size) => self.member(adding, entry.path, size, &mut reader)?,
                EntryKind::Link(target) => {
                    if let Some(target) = beside(&entry.path, &target) {
                        self.links.insert(entry.path, target);
                    }
                }
                EntryKind::Same(first) => drop(self.links.insert(entry.path, first)),
                _ => {}
            }
        }
        // Whoever writes to the end is not cut off, and what was compressed is checked to its end.
        io::copy(reader.get_mut(), &mut io::sink()).map(drop).map_err(failed)
    }

    fn directory(&mut self, adding: &mut Adding, top: &Path, below: &Path) -> Result<()> {
        for (name, kind) in file::list(&top.join(below))? {
            let (path, full) = (below.join(&name), top.join(below).join(&name));
            match kind {
                Kind::Directory if path.components().count() < DEPTH => self.directory(adding, top, &path)?,
                Kind::File => {
                    let size = file::link_status(&full)?.size;
                    self.member(adding, path, size, &mut Stream::open(&full)?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn member(&mut self, adding: &mut Adding, path: PathBuf, size: u64, from: &mut dyn Read) -> Result<()> {
        let name = path.to_str().unwrap_or_default();
        if [INDEX, ARCHIVED].contains(&name) {
            let mut text = Vec::new();
            from.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
            self.documents.insert(path, text);
        } else if let Some(hex) = name.strip_prefix("blobs/sha256/") {
            // Something else beside the blobs is nobody's business.
            let Some(digest) = Digest::from_hex(hex) else { return Ok(()) };
            let blob = adding.blob(from, Some((&digest, size)))?;
            self.blobs.insert(path, blob);
        } else if name.ends_with(".json") || name.ends_with(".tar") {
            let blob = adding.blob(from, None)?;
            self.blobs.insert(path, blob);
        }
        Ok(())
    }

    /// The manifests of the images, and their names. A layout is believed before a list, since it has the manifests.
    fn images(&self, adding: &mut Adding, stem: Option<&str>) -> Result<Vec<(Digest, Vec<Name>)>> {
        let archived: Option<Vec<Archived>> = self.document(ARCHIVED)?;
        let images = match self.document::<Index>(INDEX)? {
            Some(index) => self.of_layout(adding, &index, archived.as_deref().unwrap_or_default(), stem)?,
            None => match archived {
                Some(archived) => archived
                    .iter()
                    .map(|image| Ok((self.manifest_of(adding, image)?, names_of(image)?)))
                    .collect::<Result<_>>()?,
                None => return Err(image_problem(ImageProblem::NotAnImage)),
            },
        };
        if images.is_empty() { Err(image_problem(ImageProblem::NotAnImage)) } else { Ok(images) }
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.documents.get(Path::new(name)) else { return Ok(None) };
        let bad = |error: serde_json::Error| {
            let (name, detail) = (name.to_owned(), error.to_string());
            image_problem(ImageProblem::BadDocument { name, detail })
        };
        serde_json::from_slice(text).map(Some).map_err(bad)
    }

    /// One image for each name or manifest of `index.json`.
    fn of_layout(
        &self,
        adding: &mut Adding,
        index: &Index,
        archived: &[Archived],
        stem: Option<&str>,
    ) -> Result<Vec<(Digest, Vec<Name>)>> {
        let mut images: Vec<(Digest, Vec<Name>)> = Vec::new();
        for descriptor in for_this_machine(&index.manifests)? {
            let digest = self.manifest(adding, descriptor, 0)?;
            let manifest: Manifest = adding.read_document(&digest)?;
            let mut names: Vec<Name> = name(descriptor, stem)?.into_iter().collect();
            if names.is_empty() {
                let config = self.place(&manifest.config.digest);
                let same = archived.iter().filter(|image| Path::new(&image.config) == config);
                names = same.map(names_of).collect::<Result<Vec<_>>>()?.concat();
            }
            match images.iter_mut().find(|(other, _)| *other == digest) {
                Some((_, others)) => others.extend(names),
                None => images.push((digest, names)),
            }
        }
        Ok(images)
    }

    fn place(&self, digest: &Digest) -> PathBuf {
        Path::new("blobs/sha256").join(digest.hex())
    }

    /// The manifest that a descriptor leads to: through indexes, to the one for this machine.
    fn manifest(&self, adding: &mut Adding, descriptor: &Descriptor, depth: usize) -> Result<Digest> {
        self.check(adding, descriptor)?;
        if ![media::INDEX, media::DOCKER_LIST].contains(&descriptor.media_type.as_str()) {
            let manifest: Manifest = adding.read_document(&descriptor.digest)?;
            for part in manifest.layers.iter().chain([&manifest.config]) {
                self.check(adding, part)?;
            }
            return Ok(descriptor.digest);
        }
        let index: Index = adding.read_document(&descriptor.digest)?;
        match for_this_machine(&index.manifests)?.first() {
            Some(chosen) if depth < DEPTH => self.manifest(adding, chosen, depth + 1),
            _ => Err(image_problem(ImageProblem::NotAnImage)),
        }
    }

    /// Whether the blob that a descriptor points at came, or is in the store, with that length.
    fn check(&self, adding: &Adding, descriptor: &Descriptor) -> Result<()> {
        let digest = descriptor.digest.to_string();
        let Some(length) = adding.blob_length(&descriptor.digest)? else {
            return Err(image_problem(ImageProblem::BlobMissing { digest }));
        };
        match length == descriptor.size {
            true => Ok(()),
            false => Err(image_problem(ImageProblem::WrongSize { digest, size: descriptor.size, length })),
        }
    }

    /// A manifest for an image of a docker-archive, which has none.
    fn manifest_of(&self, adding: &mut Adding, image: &Archived) -> Result<Digest> {
        let (digest, length) = self.blob(&image.config)?;
        let config: ImageConfig = adding.read_document(&digest)?;
        let (named, described) = (image.layers.len(), config.rootfs.diff_ids.len());
        if named != described {
            return Err(image_problem(ImageProblem::LayersDiffer { named, described }));
        }
        let mut layers = Vec::with_capacity(named);
        for name in &image.layers {
            let (digest, length) = self.blob(name)?;
            layers.push(Descriptor::new(compress::media_type(adding.read_blob(&digest)?)?, digest, length));
        }
        let config = Descriptor::new(media::CONFIG, digest, length);
        Ok(adding.document(media::MANIFEST, &Manifest::new(config, layers))?.digest)
    }

    /// The blob of this name, which may be a link's.
    fn blob(&self, name: &str) -> Result<(Digest, u64)> {
        let mut path = beside(Path::new(""), Path::new(name)).unwrap_or_default();
        // Each link leads to another name; no archive has a chain of them.
        for _ in 0..DEPTH {
            if let Some(blob) = self.blobs.get(&path) {
                return Ok(*blob);
            }
            let Some(target) = self.links.get(&path) else { break };
            path.clone_from(target);
        }
        Err(image_problem(ImageProblem::BlobMissing { digest: name.to_owned() }))
    }
}

/// Those of `descriptors` that are not for another kind of machine. `NoSuchPlatform` when all are.
fn for_this_machine(descriptors: &[Descriptor]) -> Result<Vec<&Descriptor>> {
    let suits = |descriptor: &&Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_none_or(|platform| platform.os == "linux" && platform.architecture == oci::architecture())
    };
    let suiting: Vec<&Descriptor> = descriptors.iter().filter(suits).collect();
    if !suiting.is_empty() || descriptors.is_empty() {
        return Ok(suiting);
    }
    let platforms = descriptors.iter().filter_map(|descriptor| descriptor.platform.as_ref());
    let there = platforms.map(|platform| format!("{}/{}", platform.os, platform.architecture)).collect();
    Err(image_problem(ImageProblem::NoSuchPlatform { there }))
}

/// The name in the notes of a descriptor. A bare word is a tag, as `oci:DIRECTORY:TAG` has it: the name before it is that
/// of the file or directory, `stem`.
fn name(descriptor: &Descriptor, stem: Option<&str>) -> Result<Option<Name>> {
    let note = |key| descriptor.annotations.get(key).filter(|text| !text.is_empty());
    let Some(text) = note(CONTAINERD_NAME).or_else(|| note(REF_NAME)) else { return Ok(None) };
    if let (false, Some(stem)) = (text.contains([':', '/']), stem) {
        let stem = [".gz", ".tgz", ".zst", ".tar", ".oci"]
            .iter()
            .fold(stem, |stem, ending| stem.strip_suffix(ending).unwrap_or(stem));
        if let Some(name) = Name::parse(&format!("{}:{text}", stem.to_lowercase())) {
            return Ok(Some(name));
        }
    }
    parse(text).map(Some)
}

fn names_of(image: &Archived) -> Result<Vec<Name>> {
    image.repo_tags.iter().map(|text| parse(text)).collect()
}

fn parse(text: &str) -> Result<Name> {
    Name::parse(text).ok_or_else(|| image_problem(ImageProblem::BadImageName { text: text.to_owned() }))
}

/// Where `target`, said by a link at `path`, leads in an archive; `None` for out of it.
fn beside(path: &Path, target: &Path) -> Option<PathBuf> {
    let mut place = path.parent().unwrap_or(Path::new("")).to_owned();
    for part in target.components() {
        match part {
            Component::Normal(name) => place.push(name),
            Component::ParentDir => place.pop().then_some(())?,
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_a_tag() {
        let described = |key: &str, text: &str| {
            let mut descriptor = Descriptor::new(media::MANIFEST, Digest::of(b""), 0);
            descriptor.annotations.insert(key.to_owned(), text.to_owned());
            descriptor
        };
        let named = |key, text, stem| name(&described(key, text), stem).unwrap().map(|name| name.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(named(REF_NAME, "1.0", Some("App.tar.gz")), some("app:1.0"));
        assert_eq!(named(REF_NAME, "1.0", None), some("1.0:latest"));
        assert_eq!(named(REF_NAME, "localhost:5000/a:1", Some("x.tar")), some("localhost:5000/a:1"));
        assert_eq!(named(CONTAINERD_NAME, "docker.io/library/a:1", Some("x")), some("a:1"));
        assert_eq!(named("other", "a", Some("x")), None);
        assert!(name(&described(REF_NAME, "Not/A name"), None).is_err());
    }

    #[test]
    fn a_link_stays_in_the_archive() {
        let at = |path: &str, target: &str| beside(Path::new(path), Path::new(target));
        assert_eq!(at("a/layer.tar", "../b/layer.tar"), Some("b/layer.tar".into()));
        assert_eq!(at("layer.tar", "./b"), Some("b".into()));
        assert_eq!((at("a/b", "../../x"), at("a/b", "/x")), (None, None));
    }
}
