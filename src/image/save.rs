//! Images given away: one archive which is a docker-archive and an OCI image layout at once.
//!
//! ```text
//! blobs/sha256/HEX   every manifest, configuration and layer, once
//! index.json         the images' manifests with their names: the OCI layout's table of contents
//! manifest.json      the same as a docker-archive says it
//! oci-layout         that this is an OCI layout
//! ```
//!
//! The same images give the same bytes.

use super::oci::{Archived, CONTAINERD_NAME, Descriptor, Index, REF_NAME, media};
use super::seal::seal;
use super::store::{Listed, Store, damaged, failed, image_problem};
use super::{Digest, Digesting, Name};
use crate::error::{ImageProblem, Result};
use crate::overlay::ustar::{Form, Member, Writer};
use crate::sys::file::{self, Kind};
use crate::sys::flags::O_WRONLY;
use crate::sys::stream::Stream;
use crate::sys::{process, terminal};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

/// Who shall be able to read the archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Everybody.
    #[default]
    Both,
    /// Readers of OCI image layouts.
    Oci,
    /// Readers of docker-archives.
    Docker,
}

/// Write an archive of `images`, each with the names by which it was asked for, to `out`. The blobs that a layer made
/// here does not have yet are made now. `StateDamaged` for a blob that is not what its name says; what was written until
/// then is worth nothing.
pub fn save(store: &Store, images: &[Listed], format: Format, out: &mut dyn Write) -> Result<()> {
    let mut adding = store.change()?;
    for layer in images.iter().flat_map(|image| &image.layers) {
        seal(&mut adding, layer)?;
    }
    adding.finish()?;
    let mut blobs = BTreeMap::new();
    for image in images {
        let layers = image.layers.iter().map(|layer| layer.blob.0);
        for digest in layers.chain([image.manifest, image.id]) {
            // Opened now, they can be read to their end, whoever removes the image meanwhile.
            blobs.insert(digest, store.blob(&digest)?);
        }
    }
    let mut sink = |bytes: &[u8]| out.write_all(bytes).map_err(failed);
    let mut archive = Archive { writer: Writer::new(&mut sink) };
    archive.directory("blobs")?;
    archive.directory("blobs/sha256")?;
    for (digest, blob) in blobs {
        archive.blob(store, &digest, blob)?;
    }
    if format != Format::Docker {
        archive.document("index.json", &index(store, images)?)?;
    }
    if format != Format::Oci {
        archive.document("manifest.json", &images.iter().map(archived).collect::<Vec<_>>())?;
    }
    if format != Format::Docker {
        archive.document("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
    }
    archive.writer.finish()
}

struct Archive<'a> {
    writer: Writer<'a>,
}

impl Archive<'_> {
    fn directory(&mut self, path: &str) -> Result<()> {
        self.writer.bare(&member(path, Form::Directory, 0o755, &BTreeMap::new()))
    }

    fn document(&mut self, path: &str, document: &impl serde::Serialize) -> Result<()> {
        let text =
            serde_json::to_vec(document).map_err(|error| damaged(Path::new(path), error.to_string()))?;
        let none = BTreeMap::new();
        self.writer.bytes(&member(path, Form::File(text.len() as u64), 0o644, &none), &text)
    }

    fn blob(&mut self, store: &Store, digest: &Digest, blob: Stream) -> Result<()> {
        let path = format!("blobs/sha256/{}", digest.hex());
        let (size, mut blob) = (size(&blob)?, Digesting::new(blob));
        let none = BTreeMap::new();
        let member = member(&path, Form::File(size), 0o644, &none);
        self.writer.member(&member, &mut |room| blob.read(room).map_err(failed))?;
        match blob.finish() {
            (found, length) if found == *digest && length == size => Ok(()),
            _ => Err(damaged(&store.blob_path(digest), "it has another digest".to_owned())),
        }
    }
}

fn size(blob: &Stream) -> Result<u64> {
    Ok(file::descriptor_status(blob.as_fd(), blob.path())?.size)
}

fn member<'a>(
    path: &'a str,
    form: Form<'a>,
    mode: u32,
    attributes: &'a BTreeMap<String, Vec<u8>>,
) -> Member<'a> {
    Member { path: Path::new(path), form, mode, owner: (0, 0), modified: (0, 0), attributes }
}

/// The table of contents: each image once for each of its names, or once.
fn index(store: &Store, images: &[Listed]) -> Result<Index> {
    let mut manifests = Vec::new();
    for image in images {
        let kind = store.manifest(&image.manifest)?.media_type.unwrap_or_else(|| media::MANIFEST.to_owned());
        let bare = Descriptor::new(&kind, image.manifest, size(&store.blob(&image.manifest)?)?);
        if image.names.is_empty() {
            manifests.push(bare.clone());
        }
        for name in &image.names {
            let notes = [(CONTAINERD_NAME, full_name(name)), (REF_NAME, name.tag().to_owned())];
            let annotations = notes.map(|(key, value)| (key.to_owned(), value)).into();
            manifests.push(Descriptor { annotations, ..bare.clone() });
        }
    }
    let media_type = Some(media::INDEX.to_owned());
    Ok(Index { schema_version: 2, media_type, manifests, rest: Map::new() })
}

/// A name with the registry that Docker means where none is said.
fn full_name(name: &Name) -> String {
    let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
    match name.repository().split_once('/') {
        Some((first, _)) if is_registry(first) => name.to_string(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

fn archived(image: &Listed) -> Archived {
    let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    Archived {
        config: blob(&image.id),
        repo_tags: image.names.iter().map(Name::to_string).collect(),
        layers: image.layers.iter().map(|layer| blob(&layer.blob.0)).collect(),
        rest: Map::<String, Value>::new(),
    }
}

/// Let `write` write to the file at `path`, which is there only when all of it is; or, without one, to standard output,
/// unless that is a terminal: `ToTerminal`. What is no regular file, a pipe or a device, is written to as it is.
pub fn deliver(path: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let Some(path) = path else {
        let mut stdout = Stream::stdout()?;
        if terminal::is_terminal(stdout.as_fd())? {
            return Err(image_problem(ImageProblem::ToTerminal));
        }
        return buffered(&mut stdout, write);
    };
    if file::if_there(file::status(path))?.is_some_and(|there| there.kind != Kind::File) {
        return buffered(&mut Stream::of(file::open_file(path, O_WRONLY, 0)?, path), write);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let random = Digest::of(&process::random(8)?).short();
    let unfinished = path.with_file_name(format!(".{name}.{random}"));
    let written = buffered(&mut Stream::create(&unfinished, 0o600)?, write)
        .and_then(|()| file::rename(&unfinished, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = file::remove_file(&unfinished);
    }
    written
}

fn buffered(out: &mut Stream, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, out);
    write(&mut out)?;
    out.flush().map_err(failed)
}
