//! Images and the containers that were made of them: which are needed, what goes, and what each takes of the disk.

use super::changes::{self, with_rights};
use crate::error::{Error, ImageProblem, Problem, Result};
use crate::image::{self, Adding, Digest, Listed, Name, Store};
use crate::overlay::size;
use crate::state::{Root, RootLock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A container, as far as images are concerned.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Whether a supervisor has it.
    pub running: bool,
    /// The id of the image that it was made of.
    pub image: Option<Digest>,
    /// The directories of the layers that it stands on.
    pub layers: Vec<PathBuf>,
}

/// What removing images did, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A name was taken away.
    Untagged(Name),
    /// An image, or a layer, is gone.
    Deleted(Digest),
}

/// All containers whose record can be read: one whose record is damaged cannot be started any more.
pub fn users(root: &Root) -> Result<Vec<User>> {
    let mut users = Vec::new();
    for id in root.ids()? {
        let spec = match changes::load(root, &id) {
            Err(Error { problem: Problem::StateDamaged { .. }, .. }) => None,
            spec => spec?,
        };
        let Some(spec) = spec else { continue };
        let running = root.is_running(&id)?;
        users.push(User { id, running, image: spec.image_id, layers: spec.layers.lower });
    }
    Ok(users)
}

/// The same for whoever removes: a container that runs and whose record cannot be read stands on layers that nobody
/// knows, so that is the error.
fn all_users(root: &Root) -> Result<Vec<User>> {
    for id in root.ids()? {
        if root.is_running(&id)? {
            changes::load(root, &id)?;
        }
    }
    users(root)
}

/// Remove the image that `word` means, or only that name of it when it has others.
///
/// `ImageInUse` when a container was made of it: one that runs, always; another, unless `force`. `ImageHasNames` when
/// it was called by its id and has several names, unless `force`.
pub fn remove(root: &Root, word: &str, force: bool) -> Result<Vec<Line>> {
    let store = Store::open(root.path());
    let mut change = store.change()?;
    let held = root.lock()?;
    let (name, manifest) = store.resolve(word)?.ok_or_else(|| image::unknown(&store, word))?;
    let names = names_of(&store, &manifest)?;
    // The names of an image that cannot be read can be taken away all the same.
    let id = store.listed(&manifest).map_or(manifest, |listed| listed.id);
    if let Some(name) = name.as_ref().filter(|_| names.len() > 1) {
        change.untag(name)?;
        return Ok(vec![Line::Untagged(name.clone())]);
    }
    if names.len() > 1 && !force {
        let names = names.iter().map(Name::to_string).collect::<Vec<_>>().join(", ");
        return Err(problem(ImageProblem::ImageHasNames { id: id.short(), names }));
    }
    let users = all_users(root)?;
    if let Some(user) = users.iter().find(|user| user.image == Some(id) && (user.running || !force)) {
        if let (true, Some(name)) = (force, name) {
            change.untag_and_keep(&name, &manifest)?;
            return Ok(vec![Line::Untagged(name)]);
        }
        let (container, running) = (user.id.clone(), user.running);
        return Err(problem(ImageProblem::ImageInUse {
            word: word.to_owned(),
            id: id.short(),
            container,
            running,
        }));
    }
    let mut lines = Vec::new();
    forget(&mut change, &manifest, names, &mut lines)?;
    collect(&mut change, &held, &users, vec![id], &mut lines)?;
    Ok(lines)
}

/// Remove every image without a name, or, with `all`, every one, that no container was made of; and all that no image
/// needs. What went, and how many bytes.
pub fn prune(root: &Root, held: &RootLock, change: &mut Adding, all: bool) -> Result<(Vec<Line>, u64)> {
    let store = change.store().clone();
    let users = all_users(root)?;
    let (images, unread) = store.list()?;
    // A damaged image is that image's trouble; one that could not be looked at may be there to be removed.
    let is_damage = |error: &Error| matches!(error.problem, Problem::StateDamaged { .. });
    if let Some(error) = unread.into_iter().find(|error| !is_damage(error)) {
        return Err(error);
    }
    let (mut lines, mut ids) = (Vec::new(), Vec::new());
    for listed in images {
        let used = users.iter().any(|user| user.image == Some(listed.id));
        if !used && (all || listed.names.is_empty()) {
            forget(change, &listed.manifest, listed.names, &mut lines)?;
            ids.push(listed.id);
        }
    }
    let bytes = collect(change, held, &users, ids, &mut lines)?;
    Ok((lines, bytes))
}

fn forget(change: &mut Adding, manifest: &Digest, names: Vec<Name>, lines: &mut Vec<Line>) -> Result<()> {
    for name in names {
        change.untag(&name)?;
        lines.push(Line::Untagged(name));
    }
    change.forget_unnamed(manifest).map(drop)
}

/// Remove what no record leads to and no container stands on.
fn collect(
    change: &mut Adding,
    _held: &RootLock,
    users: &[User],
    ids: Vec<Digest>,
    lines: &mut Vec<Line>,
) -> Result<u64> {
    let in_use: BTreeSet<PathBuf> = users.iter().flat_map(|user| user.layers.iter().cloned()).collect();
    let gone = change.collect(&in_use)?;
    lines.extend(ids.into_iter().chain(gone.layers).map(Line::Deleted));
    Ok(gone.bytes)
}

fn names_of(store: &Store, manifest: &Digest) -> Result<Vec<Name>> {
    let of = |(name, digest): (Option<Name>, Digest)| name.filter(|_| digest == *manifest);
    Ok(store.records()?.into_iter().filter_map(of).collect())
}

fn problem(problem: ImageProblem) -> Error {
    Error::new(Problem::Image(problem))
}

/// An image and what it takes of the disk.
#[derive(Debug, Clone)]
pub struct Usage {
    /// The image.
    pub image: Listed,
    /// How many containers were made of it.
    pub containers: usize,
    /// The bytes of those of its layers that other images have too.
    pub shared: u64,
}

impl Usage {
    /// The bytes that only this image needs.
    pub fn unique(&self) -> u64 {
        self.image.size() - self.shared
    }
}

/// All images together.
#[derive(Debug, Clone, Default)]
pub struct Total {
    /// The bytes of all layers, each once.
    pub bytes: u64,
    /// What they would be if no two images shared a layer, less that.
    pub saved: u64,
    /// The bytes of the layers that no container stands on.
    pub reclaimable: u64,
}

/// What each image takes, newest first, and all together; and what is wrong with those that cannot be read.
pub fn usage(root: &Root) -> Result<(Vec<Usage>, Total, Vec<Error>)> {
    let users = users(root)?;
    let (mut images, damaged) = Store::open(root.path()).list()?;
    images.sort_by(|a, b| b.config.created.cmp(&a.config.created).then(a.id.cmp(&b.id)));
    let mut layers: BTreeMap<&PathBuf, (usize, u64)> = BTreeMap::new();
    for layer in images.iter().flat_map(|image| &image.layers) {
        layers.entry(&layer.path).or_insert((0, layer.about.size)).0 += 1;
    }
    let used: BTreeSet<&PathBuf> = users.iter().flat_map(|user| &user.layers).collect();
    let mut total = Total::default();
    for (path, (images, bytes)) in &layers {
        total.bytes += bytes;
        total.saved += (*images as u64 - 1) * bytes;
        total.reclaimable += if used.contains(path) { 0 } else { *bytes };
    }
    let usage = |image: &Listed| Usage {
        image: image.clone(),
        containers: users.iter().filter(|user| user.image == Some(image.id)).count(),
        shared: image
            .layers
            .iter()
            .filter(|layer| layers[&layer.path].0 > 1)
            .map(|layer| layer.about.size)
            .sum(),
    };
    Ok((images.iter().map(usage).collect(), total, damaged))
}

/// The bytes of the files in the upper layer of the container `id`.
pub fn upper_bytes(root: &Root, id: &str) -> Result<u64> {
    let spec = changes::spec_of(root, id)?;
    with_rights(&spec, "size", || size::bytes(&spec.layers.upper))
}
