//! From a directory to a layer with a digest, and from layers to an image.
//!
//! A layer that was made here is there as a directory first. Its digest is that of the tar stream it would be handed on
//! as; the stream itself is written as a blob when somebody wants it.

use super::adding::Adding;
use super::oci::{Config, Descriptor, History, ImageConfig, Manifest, RootFs, architecture, media};
use super::store::{About, Layer, damaged, failed};
use super::{Digest, Digesting, time};
use crate::error::Result;
use crate::overlay::{Layers, pack};
use crate::process::{apart, identity};
use crate::sys::file::{self, Kind};
use crate::sys::stream::Stream;
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Whether the marks in layers are those of an overlay that is mounted with `userxattr`: so are the containers' of
/// everybody who is not root of the machine's first user namespace.
pub fn userxattr() -> Result<bool> {
    Ok(!apart::is_privileged() || !identity::in_first_user_namespace()?)
}

/// Add the directory at `path`, an [`Adding::layer_directory`] that was filled, as a layer: what a manifest and a
/// configuration say of it.
pub fn adopt(adding: &mut Adding, path: PathBuf) -> Result<(Descriptor, Digest)> {
    let mut sizes = (0, 0);
    measure(&path, &mut sizes)?;
    let (size, entries) = sizes;
    let (digest, length) = packed(&path, io::sink())?;
    adding.layer(path, About { diff_id: digest, chain: None, size, entries })?;
    Ok((Descriptor::new(media::LAYER, digest, length), digest))
}

/// Add the documents of an image of these layers, the lowest first; the digest of its manifest.
pub fn describe(
    adding: &mut Adding,
    config: Config,
    layers: &[(Descriptor, Digest)],
    history: Vec<History>,
) -> Result<Digest> {
    let document = ImageConfig {
        created: Some(time::now()),
        architecture: architecture().to_owned(),
        os: "linux".to_owned(),
        config,
        rootfs: RootFs {
            diff_ids: layers.iter().map(|(_, diff_id)| *diff_id).collect(),
            ..RootFs::default()
        },
        history,
        ..ImageConfig::default()
    };
    let config = adding.document(media::CONFIG, &document)?;
    let layers = layers.iter().map(|(descriptor, _)| descriptor.clone()).collect();
    Ok(adding.document(media::MANIFEST, &Manifest::new(config, layers))?.digest)
}

/// Make sure that the blob of `layer` is in the store, or was added. `StateDamaged` when it is not, and cannot be made
/// of the directory again.
pub fn seal(adding: &mut Adding, layer: &Layer) -> Result<()> {
    let (digest, length) = layer.blob;
    if adding.has_blob(&digest)? {
        return Ok(());
    }
    let packed = adding.blob_by(|path| {
        let mut to = BufWriter::with_capacity(1 << 18, Stream::create(path, 0o600)?);
        let packed = packed(&layer.path, &mut to)?;
        to.flush().map_err(failed)?;
        Ok(packed)
    })?;
    if packed != (digest, length) {
        let detail = "the layer's directory is not what it was made as".to_owned();
        return Err(damaged(&layer.path, detail));
    }
    Ok(())
}

/// Make a blob's file at `path` of what `write` writes; its digest and length. May be done by a child.
pub fn write_blob(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<(Digest, u64)> {
    let mut blob = Digesting::new(BufWriter::with_capacity(1 << 18, Stream::create(path, 0o600)?));
    write(&mut blob)?;
    blob.flush().map_err(failed)?;
    Ok(blob.finish())
}

/// Write a layer's directory to `to`, as it is handed on; the digest and length of that. What belongs to the person
/// who made it belongs to root there.
fn packed(path: &Path, to: impl Write) -> Result<(Digest, u64)> {
    let layers = Layers { upper: path.to_owned(), userxattr: userxattr()?, ..Layers::default() };
    let pack = || {
        let mut to = Digesting::new(to);
        pack::upper(&layers, &BTreeSet::new(), &mut |bytes| to.write_all(bytes).map_err(failed))?;
        // Here and not later: what a child has not written is lost with it.
        to.flush().map_err(failed)?;
        Ok(to.finish())
    };
    if apart::is_privileged() { pack() } else { apart::apart("packer", pack) }
}

/// The bytes of all files below a directory, and how many names there are.
fn measure(directory: &Path, sizes: &mut (u64, u64)) -> Result<()> {
    for (name, kind) in file::list(directory)? {
        let path = directory.join(name);
        sizes.1 += 1;
        match kind {
            Kind::Directory => measure(&path, sizes)?,
            Kind::File => sizes.0 += file::link_status(&path)?.size,
            _ => {}
        }
    }
    Ok(())
}

/// Remove a directory whose files may be anybody's.
pub(super) fn remove_directory(path: &Path) -> Result<()> {
    apart::when_refused("remove", || crate::sys::remove::remove_all(path))
}
