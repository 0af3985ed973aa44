//! Images made to order: a check's own files, in layers of their own, on top of the image `lab`.
//!
//! That image has the libraries that the probe needs, so each image that a probe shall run in stands on it. An order is
//! an OCI image layout as one tar archive; the layers of `lab` are not in it, since the store has them already.

use super::host::{IMAGE, PLACE, STATE};
use crate::error::{Error, ImageProblem, Problem, Result};
use crate::image::oci::{CONTAINERD_NAME, Descriptor, ImageConfig, Index, Manifest, media};
use crate::image::unpack::Steps;
use crate::image::{self, Digest, Store, seal};
use crate::overlay::tree::{self, Node, What};
use crate::overlay::ustar;
use crate::sys::flags::{O_CREAT, O_TRUNC, O_WRONLY};
use crate::sys::{file, pipe};
use serde::Serialize;
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// A member of a layer: a file of this text.
pub fn file_of(path: impl Into<PathBuf>, text: &str) -> Node {
    node(path, What::File(text.as_bytes().to_vec()), 0o644)
}

/// A member of a layer: a directory.
pub fn directory(path: impl Into<PathBuf>, mode: u32) -> Node {
    node(path, What::Directory, mode)
}

/// A member of a layer: a symbolic link that says `target`.
pub fn link(path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Node {
    node(path, What::Link(target.into()), 0o777)
}

fn node(path: impl Into<PathBuf>, what: What, mode: u32) -> Node {
    let attributes = BTreeMap::new();
    Node { path: path.into(), what, mode, owner: (0, 0), modified: (1_000_000_000, 0), attributes }
}

/// Write the archive of an image called `name`, whose `layers`, the lowest first, stand on those of `lab`; where it is.
pub fn archive(name: &str, layers: &[Vec<Node>]) -> Result<PathBuf> {
    let store = Store::open(Path::new(STATE));
    let base = base(&store)?;
    let mut members = Vec::new();
    let mut below: Vec<Descriptor> = store.manifest(&base.manifest)?.layers;
    let mut document = ImageConfig { history: Vec::new(), ..base.config };
    for layer in layers {
        let tar = ustar::write(layer)?;
        document.rootfs.diff_ids.push(Digest::of(&tar));
        below.push(blob(&mut members, media::LAYER, tar));
    }
    let config = json(&mut members, media::CONFIG, &document)?;
    let mut manifest = json(&mut members, media::MANIFEST, &Manifest::new(config, below))?;
    manifest.annotations.insert(CONTAINERD_NAME.to_owned(), format!("{name}:latest"));
    let rest = serde_json::Map::new();
    let index = Index { schema_version: 2, media_type: None, manifests: vec![manifest], rest };
    members.push(file_of("index.json", &text(&index)?));
    let path = Path::new(PLACE).join(format!("{name}.tar"));
    let to = file::open_file(&path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)?;
    pipe::write_all(to.as_fd(), &ustar::write(&members)?)?;
    Ok(path)
}

/// Take that image into the student's store, by our own unpacker.
pub fn load(name: &str, layers: &[Vec<Node>]) -> Result<()> {
    let path = archive(name, layers)?;
    image::load(&Store::open(Path::new(STATE)), Some(&path), &Steps::REFERENCE)?;
    file::unlink(&path)
}

/// Whether the student's store has an image of that name.
pub fn is_there(name: &str) -> Result<bool> {
    Ok(Store::open(Path::new(STATE)).resolve(name)?.is_some())
}

/// The directories of the layers of the image called `name`, the topmost first, without those of `lab`.
pub fn layers_of(name: &str) -> Result<Vec<PathBuf>> {
    let store = Store::open(Path::new(STATE));
    let own = base(&store)?.layers.len();
    let mut layers = store.find(name)?.map(|image| image.layers).unwrap_or_default();
    layers.truncate(layers.len().saturating_sub(own));
    Ok(layers)
}

/// The image `lab`, all of whose layers are in the store as blobs, too.
fn base(store: &Store) -> Result<image::Listed> {
    let unknown = || Error::new(Problem::UnknownImage { name: IMAGE.to_owned(), known: Vec::new() });
    let (_, manifest) = store.resolve(IMAGE)?.ok_or_else(unknown)?;
    let listed = store.listed(&manifest)?;
    let missing = |layer: &&image::Layer| !store.has_blob(&layer.blob.0).unwrap_or(false);
    if listed.layers.iter().any(|layer| missing(&layer)) {
        let mut adding = store.change()?;
        listed.layers.iter().try_for_each(|layer| seal(&mut adding, layer))?;
        adding.finish()?;
    }
    Ok(listed)
}

fn json(members: &mut Vec<Node>, media_type: &str, document: &impl Serialize) -> Result<Descriptor> {
    Ok(blob(members, media_type, text(document)?.into_bytes()))
}

fn text(document: &impl Serialize) -> Result<String> {
    let bad = |error: serde_json::Error| {
        let (name, detail) = ("a document".to_owned(), error.to_string());
        Error::new(Problem::Image(ImageProblem::BadDocument { name, detail }))
    };
    serde_json::to_string(document).map_err(bad)
}

fn blob(members: &mut Vec<Node>, media_type: &str, bytes: Vec<u8>) -> Descriptor {
    let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
    let path = PathBuf::from(format!("blobs/sha256/{}", digest.hex()));
    members.push(Node { what: What::File(bytes), ..file_of(path, "") });
    Descriptor::new(media_type, digest, length)
}

/// All that is below `top`, a line for each name: `f MODE PATH: TEXT`, `d MODE PATH`, `l PATH -> TARGET`,
/// `c PATH MAJOR:MINOR`.
pub fn lines(top: &Path) -> Result<Vec<String>> {
    let line = |node: &Node| {
        let (path, mode) = (node.path.display(), node.mode);
        match &node.what {
            What::Directory => format!("d {mode:04o} {path}"),
            What::File(bytes) => format!("f {mode:04o} {path}: {}", String::from_utf8_lossy(bytes)),
            What::Link(target) => format!("l {path} -> {}", target.display()),
            What::Character(major, minor) => format!("c {path} {major}:{minor}"),
            What::Pipe => format!("p {path}"),
            What::Same(first) => format!("h {path} = {}", first.display()),
        }
    };
    Ok(tree::read(top)?.iter().map(line).collect())
}
