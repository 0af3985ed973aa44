//! From the blob of a layer to the directory that overlay unites with others.
//!
//! A layer comes from anybody, so it is applied by a child whose root directory is the layer's own: whatever a name or a
//! link in it says, there is nothing else to be reached ([`apart`]). The child is root over all ids of this user.
//!
//! - this file: the child, and what becomes of its work
//! - `apply`: member after member
//! - `member`: what the name of one says
//! - `place`: where a member stands, with the directories that no member makes

mod apply;
mod member;
mod place;

pub use member::{Member, member};
pub use place::{Places, Way, names, place};

use super::adding::Adding;
use super::digest::Digesting;
use super::oci::{ImageConfig, Manifest};
use super::seal::{remove_directory, userxattr};
use super::store::{About, failed, image_problem};
use super::{Digest, compress};
use crate::error::{ImageProblem, Result};
use crate::overlay::mark::Marks;
use crate::overlay::ustar::Reader;
use crate::process::apart;
use crate::step::{Step, take};
use crate::sys::flags::MS_BIND;
use crate::sys::stream::Stream;
use crate::sys::within::Directory;
use crate::sys::{file, mount};
use apply::Applier;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The layers below a new one, and what they are called together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The id of the chain: of its topmost layer on top of the others.
    pub id: Option<Digest>,
    /// The diff ids, the lowest first.
    pub diff_ids: Vec<Digest>,
    /// The directories, the topmost first.
    pub layers: Vec<PathBuf>,
}

impl Chain {
    /// Put a layer on top.
    pub fn push(&mut self, diff_id: Digest, path: PathBuf) {
        self.id = Some(diff_id.on_top_of(self.id.as_ref()));
        self.diff_ids.push(diff_id);
        self.layers.insert(0, path);
    }
}

/// What the child says of its work.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Unpacked {
    diff_id: Digest,
    size: u64,
    entries: u64,
    /// Whether it depends on the layers below.
    borrows: bool,
}

/// The steps of unpacking that have one right answer and many wrong ones, as plain functions.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// Let the directory be the root directory, and all there is.
    pub confine: fn(&Path) -> Result<()>,
    /// What the name of a member says.
    pub member: fn(&Path) -> Result<Member>,
    /// Where a member stands.
    pub place: fn(&mut Places<'_>, &Path) -> Result<PathBuf>,
}

impl Steps {
    /// The product's own.
    pub const REFERENCE: Self = Self { confine, member, place };
}

/// Unpack every layer of the image that `manifest` describes, and that is not there yet. Its blobs are in the store, or
/// were just added.
pub fn image(adding: &mut Adding, manifest: &Manifest, steps: &Steps) -> Result<Chain> {
    let config: ImageConfig = adding.read_document(&manifest.config.digest)?;
    let (diff_ids, blobs) = (config.rootfs.diff_ids, &manifest.layers);
    if diff_ids.is_empty() || diff_ids.len() != blobs.len() {
        let (named, described) = (blobs.len(), diff_ids.len());
        return Err(image_problem(ImageProblem::LayersDiffer { named, described }));
    }
    let mut chain = Chain::default();
    for (diff_id, blob) in diff_ids.iter().zip(blobs) {
        layer(adding, &blob.digest, Some(diff_id), &mut chain, steps)?;
    }
    Ok(chain)
}

/// Unpack the layer in the blob `blob` on top of `chain`, unless it is there, and add it to the chain. `WrongDigest` when
/// it is not `expected`.
pub fn layer(
    adding: &mut Adding,
    blob: &Digest,
    expected: Option<&Digest>,
    chain: &mut Chain,
    steps: &Steps,
) -> Result<()> {
    if let Some(diff_id) = expected {
        if let Some(path) = adding.find_layer(diff_id, &diff_id.on_top_of(chain.id.as_ref()))? {
            chain.push(*diff_id, path);
            return Ok(());
        }
    }
    let stream = adding.read_blob(blob)?;
    let directory = adding.layer_directory()?;
    let unpacked =
        take(Step::Unpack, || unpack(stream, &directory, &chain.layers, steps)).and_then(|unpacked| {
            match expected.filter(|expected| **expected != unpacked.diff_id) {
                Some(expected) => {
                    let (expected, found) = (expected.to_string(), unpacked.diff_id.to_string());
                    Err(image_problem(ImageProblem::WrongDigest { expected, found }))
                }
                None => Ok(unpacked),
            }
        });
    let Unpacked { diff_id, size, entries, borrows } = match unpacked {
        Ok(unpacked) => unpacked,
        Err(error) => {
            // The first error is the one to tell; the next one to change the store removes what cannot go now.
            let _ = remove_directory(&directory);
            return Err(error);
        }
    };
    let on_top = diff_id.on_top_of(chain.id.as_ref());
    let about = About { diff_id, chain: borrows.then_some(on_top), size, entries };
    let path = adding.layer(directory, about)?;
    chain.push(diff_id, path);
    Ok(())
}

/// Apply the stream to the empty directory, apart.
fn unpack(blob: Stream, directory: &Path, below: &[PathBuf], steps: &Steps) -> Result<Unpacked> {
    let marks = Marks::new(userxattr()?);
    // Whoever has been given no ids beside her own owns everything.
    let owners = apart::is_privileged() || apart::is_needed()?;
    apart::apart("unpacker", || {
        let below = below.iter().map(|path| Directory::open(path)).collect::<Result<Vec<_>>>()?;
        (steps.confine)(directory)?;
        file::umask(0)?;
        let stream = Digesting::new(compress::open(blob)?);
        let mut reader = Reader::new(stream);
        let mut applier = Applier::new(&below, marks, owners, steps);
        while let Some(entry) = reader.member()? {
            applier.apply(entry, &mut reader)?;
        }
        let (size, entries, borrows) = applier.finish()?;
        // The digest is that of the whole stream, whatever stands behind the end of the archive.
        let mut stream = reader.into_inner();
        io::copy(&mut stream, &mut io::sink()).map_err(failed)?;
        let (diff_id, _) = stream.finish();
        Ok(Unpacked { diff_id, size, entries, borrows })
    })
}

/// Let `directory` be the root directory, and all there is: on return no path leads to anything outside it.
///
/// On entry this process is in a mount namespace of its own, from which nothing travels back, and is root over the
/// directory's file system there. Descriptors that were opened before stay open.
pub fn confine(directory: &Path) -> Result<()> {
    mount::mount(&directory.to_string_lossy(), directory, "none", MS_BIND, None)?;
    file::chdir(directory)?;
    mount::pivot_root(Path::new("."), Path::new("."))?;
    mount::detach(Path::new("."))?;
    file::chdir(Path::new("/"))
}
