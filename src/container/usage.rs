//! What everything takes of the disk.

use super::changes::{self, with_rights};
use super::images::{self, Total, Usage};
use super::volumes;
use crate::error::{Error, Result};
use crate::overlay::size;
use crate::process::apart;
use crate::rootfs::volume::Volume;
use crate::state::Root;

/// A container and what it changed.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The name of its image.
    pub image: String,
    /// Its command.
    pub argv: Vec<String>,
    /// How many volumes it has that we keep.
    pub volumes: usize,
    /// The bytes of the files in its upper layer.
    pub bytes: u64,
    /// Whether it runs.
    pub running: bool,
}

/// A volume.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// How many containers have it.
    pub links: usize,
    /// The bytes of the files in it.
    pub bytes: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Disk {
    /// Images, the newest first.
    pub images: Vec<Usage>,
    /// All images together.
    pub total: Total,
    /// Containers.
    pub containers: Vec<Container>,
    /// Volumes.
    pub volumes: Vec<Kept>,
    /// What could not be found out.
    pub left: Vec<Error>,
}

/// Find out what everything takes. What cannot be is left out, and told.
pub fn disk(root: &Root) -> Result<Disk> {
    let (images, total, left) = images::usage(root)?;
    let mut disk = Disk { images, total, left, ..Disk::default() };
    for id in root.ids()? {
        match container(root, &id) {
            Ok(container) => disk.containers.extend(container),
            // It was removed while it was looked at.
            Err(error) if error.is_absence() => {}
            Err(error) => disk.left.push(error),
        }
    }
    for used in volumes::all(root)? {
        let data = volumes::data(root, &used.name);
        match apart::when_refused("size", || size::bytes(&data)) {
            Ok(bytes) => disk.volumes.push(Kept { links: used.by.len(), name: used.name, bytes }),
            Err(error) if error.is_absence() => {}
            Err(error) => disk.left.push(error),
        }
    }
    Ok(disk)
}

fn container(root: &Root, id: &str) -> Result<Option<Container>> {
    let Some(spec) = changes::load(root, id)? else { return Ok(None) };
    let bytes = with_rights(&spec, "size", || size::bytes(&spec.layers.upper))?;
    let volumes = spec.volumes.iter().filter_map(Volume::name).count();
    let running = root.is_running(id)?;
    Ok(Some(Container {
        id: spec.id,
        name: spec.name,
        image: spec.image,
        argv: spec.argv,
        volumes,
        bytes,
        running,
    }))
}
