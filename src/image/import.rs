//! An image of one layer, made of an archive of a root file system.

use super::oci::{Config, Descriptor, History, ImageConfig, Manifest, RootFs, architecture, media};
use super::store::image_problem;
use super::{Digest, Name, Store, change, compress, time, unpack};
use crate::error::{ImageProblem, Meaning, Problem, Result};
use crate::step::{Step, take};
use crate::sys::stream::Stream;
use std::path::Path;

/// Make an image of the archive at `path`, or, without one, of standard input; compressed or not. `changes` say how a
/// container of it starts, as in a Dockerfile; `steps` how its layer is unpacked. Its id.
///
/// Errors: `BadChange`; `ArchiveUnreadable`; those of the archive, after which the store is as it was.
pub fn import(
    store: &Store,
    path: Option<&Path>,
    changes: &[String],
    message: &str,
    name: Option<&Name>,
    steps: &unpack::Steps,
) -> Result<Digest> {
    let config = change::apply(changes, &Config::default())?;
    let stream = match path {
        Some(path) => Stream::open(path).meaning(|| {
            Problem::Image(ImageProblem::ArchiveUnreadable { path: path.display().to_string() })
        })?,
        None => Stream::stdin()?,
    };
    take(Step::Keep, || {
        let mut adding = store.change()?;
        let (digest, length) = adding.blob(&mut compress::open(stream)?, None)?;
        if length == 0 {
            return Err(image_problem(ImageProblem::NotAnImage));
        }
        let created = Some(time::now());
        let comment = Some(message.to_owned());
        let document = ImageConfig {
            created: created.clone(),
            architecture: architecture().to_owned(),
            os: "linux".to_owned(),
            config,
            rootfs: RootFs { diff_ids: vec![digest], ..RootFs::default() },
            history: vec![History { created, comment, ..History::default() }],
            ..ImageConfig::default()
        };
        let config = adding.document(media::CONFIG, &document)?;
        let id = config.digest;
        let manifest = Manifest::new(config, vec![Descriptor::new(media::LAYER, digest, length)]);
        let digest = adding.document(media::MANIFEST, &manifest)?.digest;
        unpack::image(&mut adding, &manifest, steps)?;
        match name {
            Some(name) => adding.tag(name, &digest).map(drop)?,
            None => adding.keep(&digest)?,
        }
        adding.finish().map(|()| id)
    })
}
