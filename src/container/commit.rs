//! commit: what a container changed, as one more layer on its image.
//!
//! Which process: any `minidocker`, beside the container's supervisor. While the upper layer is read the container is
//! frozen; should this process be killed meanwhile, a child that waits for that lets it go on ([`Guard`]).

use super::alive::{self, State};
use super::changes::{self, with_rights};
use super::parts::Parts;
use super::record::{self, Config};
use crate::cgroup::{Group, stop};
use crate::error::{Error, Problem, Result};
use crate::image::oci::{self, Descriptor, History, ImageConfig, Manifest, media};
use crate::image::{self, Adding, Digest, Listed, Name, Store, change, time, unpack};
use crate::overlay::pack;
use crate::process::guard::Guard;
use crate::state::Root;
use crate::step::{Step, take};

/// What the person said about the new image.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Its name.
    pub name: Option<Name>,
    /// Who made it.
    pub author: String,
    /// What was done.
    pub message: String,
    /// Instructions as in a Dockerfile.
    pub changes: Vec<String>,
    /// Whether the container is frozen meanwhile.
    pub pause: bool,
}

/// Make an image of the container that `word` means; its id.
///
/// Two at once wait for each other. Killed at any instant, this leaves the store as it was, or with the whole image.
pub fn commit(root: &Root, word: &str, wishes: &Wishes, parts: &Parts) -> Result<Digest> {
    let id = root.find(word)?;
    let (config, _) = record::load(root, &id)?;
    let store = Store::open(root.path());
    let mut adding = store.change()?;
    let below = take(Step::Image, || base_of(&store, &config))?;
    let document = describe(&config, &below, wishes)?;
    let layer = {
        let _still = if wishes.pause { hold_still(root, &id)? } else { None };
        take(Step::Pack, || pack(&config, &mut adding))?
    };
    still_there(root, &id, word)?;
    take(Step::Keep, || {
        let steps = &parts.unpacking();
        let id = keep(&mut adding, document, &below, layer, wishes.name.as_ref(), steps)?;
        adding.finish().map(|()| id)
    })
}

/// The image that a container was made of, as it is in the store: whatever its name means by now, it is the one whose
/// layers the container stands on.
fn base_of(store: &Store, config: &Config) -> Result<Listed> {
    let spec = &config.spec;
    let same = |listed: &Listed| listed.layers.iter().rev().map(|layer| &layer.path).eq(&spec.layers.lower);
    let (images, _) = store.list()?;
    let found = images.iter().find(|listed| spec.image_id == Some(listed.id) && same(listed));
    let found = found.or_else(|| images.iter().find(|listed| same(listed))).cloned();
    found.ok_or_else(|| image::unknown(store, &spec.image))
}

/// The configuration of the new image but for its layer.
fn describe(config: &Config, below: &Listed, wishes: &Wishes) -> Result<ImageConfig> {
    let created = Some(time::now());
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut document = below.config.clone();
    let own = as_started(config, &document.config);
    document.history.push(History {
        created: created.clone(),
        created_by: given(&config.spec.argv.join(" ")),
        author: given(&wishes.author),
        comment: given(&wishes.message),
        ..History::default()
    });
    document.config = change::apply(&wishes.changes, &own)?;
    document.created = created;
    document.author = given(&wishes.author);
    // What older versions of Docker noted of the container that the image below was made of.
    for key in ["container", "container_config", "id", "parent"] {
        document.rest.remove(key);
    }
    Ok(document)
}

/// The image's configuration with what the container was started with in its place.
fn as_started(config: &Config, image: &oci::Config) -> oci::Config {
    let spec = &config.spec;
    // What each container gets, whatever its image says.
    let given = |variable: &String| variable.starts_with("HOSTNAME=") || spec.tty && variable == "TERM=xterm";
    let mut labels = image.labels.clone();
    labels.extend(spec.labels.clone());
    let rest = spec.argv.strip_prefix(image.entrypoint.as_slice());
    oci::Config {
        entrypoint: rest.map_or_else(Vec::new, |_| image.entrypoint.clone()),
        cmd: rest.unwrap_or(&spec.argv).to_vec(),
        env: spec.environment.iter().filter(|variable| !given(variable)).cloned().collect(),
        user: spec.user.clone(),
        working_dir: spec.workdir.display().to_string(),
        labels,
        ..image.clone()
    }
}

/// Write the upper layer as a blob of the store: its digest and length.
fn pack(config: &Config, adding: &mut Adding) -> Result<(Digest, u64)> {
    let spec = &config.spec;
    adding.blob_by(|path| {
        with_rights(spec, "packer", || {
            let hidden = changes::hidden(spec)?;
            image::write_blob(path, |blob| {
                pack::upper(&spec.layers, &hidden, &mut |bytes| blob.write_all(bytes).map_err(image::failed))
            })
        })
    })
}

/// Add the documents, the layer's directory and the name; the image's id.
fn keep(
    adding: &mut Adding,
    mut document: ImageConfig,
    below: &Listed,
    (digest, length): (Digest, u64),
    name: Option<&Name>,
    steps: &unpack::Steps,
) -> Result<Digest> {
    document.rootfs.diff_ids.push(digest);
    let config = adding.document(media::CONFIG, &document)?;
    let id = config.digest;
    let mut layers = adding.store().manifest(&below.manifest)?.layers;
    layers.iter_mut().for_each(|layer| layer.media_type = media::of_oci(&layer.media_type).to_owned());
    layers.push(Descriptor::new(media::LAYER, digest, length));
    let manifest = Manifest::new(config, layers);
    let digest = adding.document(media::MANIFEST, &manifest)?.digest;
    unpack::image(adding, &manifest, steps)?;
    match name {
        Some(name) => adding.tag(name, &digest).map(drop)?,
        None => adding.keep(&digest)?,
    }
    Ok(id)
}

/// Whether the container was removed while its files were read: then they are not all there.
fn still_there(root: &Root, id: &str, word: &str) -> Result<()> {
    // Its record goes before its files.
    match Config::load(&root.container(id))? {
        Some(_) => Ok(()),
        None => Err(Error::new(Problem::NoSuchContainer { name: word.to_owned() })),
    }
}

/// A container held still until this is dropped.
struct Still {
    guard: Option<Guard>,
    group: Group,
}

/// Freeze the container, if it runs and can be frozen, and was not frozen before.
fn hold_still(root: &Root, id: &str) -> Result<Option<Still>> {
    let State::Running(running) = alive::state(root, id)? else { return Ok(None) };
    let group = running.group()?;
    if !group.can_freeze() || stop::is_frozen(&group)? {
        return Ok(None);
    }
    take(Step::Pause, || {
        let guard = Some(Guard::set(|| stop::freeze(&group, false))?);
        stop::hold_still(&group, true)?;
        Ok(Some(Still { guard, group }))
    })
}

impl Drop for Still {
    /// The guard may have been killed, so this thaws too. That it cannot be done is nothing to be told: the container is
    /// ending then.
    fn drop(&mut self) {
        let _ = take(Step::Unpause, || {
            stop::freeze(&self.group, false)?;
            self.guard.take().map_or(Ok(()), Guard::release)
        });
    }
}
