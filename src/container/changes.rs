//! What a container changed of its image, and how its files are reached: by whoever has the rights over them.

use super::Spec;
use super::parts::Parts;
use super::record::Config;
use crate::error::{Error, Problem, Result};
use crate::image;
use crate::overlay::{self, Layers, diff, pack};
use crate::process::apart;
use crate::state::Root;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What every container has something mounted on, of which nothing is the container's own: where the image has nothing
/// there, the upper layer has an empty file or directory to mount on.
const OURS: [&str; 6] = ["/dev", "/proc", "/sys", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// One change, for a line: `A`, `C` or `D`, and the path inside.
pub type Change = (char, Vec<u8>);

/// What the container that `word` means changed, as `parts` finds it, sorted by path.
pub fn diff(root: &Root, word: &str, parts: &Parts) -> Result<Vec<Change>> {
    let spec = spec_of(root, word)?;
    with_rights(&spec, "diff", || {
        let line =
            |(path, what): &diff::Change| (what.letter(), [b"/", path.as_os_str().as_bytes()].concat());
        let hidden = hidden(&spec)?;
        let mut changes = (parts.changes)(&spec.layers)?;
        changes.sort();
        Ok(changes.iter().filter(|(path, _)| !hidden.contains(path)).map(line).collect())
    })
}

/// All that is in the container that `word` means, as one tree, but for what is mounted there: written to `out` as an
/// archive.
pub fn export(root: &Root, word: &str, out: &mut dyn Write) -> Result<()> {
    let spec = spec_of(root, word)?;
    apart::apart("export", || {
        // Its own mount shows the upper layer as one more below: nothing is written to it, be it mounted elsewhere too.
        let below = [std::slice::from_ref(&spec.layers.upper), &spec.layers.lower].concat();
        let layers = Layers { lower: below, ..spec.layers.clone() };
        overlay::mount_read_only(&layers)?;
        pack::tree(&layers.merged, &mut |bytes| out.write_all(bytes).map_err(image::failed))?;
        out.flush().map_err(image::failed)
    })
}

/// The plan of the container that `word` means.
pub(super) fn spec_of(root: &Root, word: &str) -> Result<Spec> {
    let id = root.find(word)?;
    // Its directory is there, and its first record not yet.
    load(root, &id)?.ok_or_else(|| Error::new(Problem::NoSuchContainer { name: word.to_owned() }))
}

/// The plan of the container `id`, if it has one yet.
pub(super) fn load(root: &Root, id: &str) -> Result<Option<Spec>> {
    Ok(Config::load(&root.container(id))?.map(|config| config.spec))
}

/// The paths in the upper layer of `spec` that are there only to be mounted on.
pub(super) fn hidden(spec: &Spec) -> Result<BTreeSet<PathBuf>> {
    diff::placeholders(&spec.layers, &OURS.map(PathBuf::from))
}

/// Do `part`, which reads files of the container's, with the rights that it takes: in a user namespace like the
/// container's, if it had one.
pub(super) fn with_rights<T, F>(spec: &Spec, role: &'static str, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    if spec.is_of_user() { apart::apart(role, part) } else { part() }
}
