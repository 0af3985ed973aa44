//! system df: what images, containers and volumes take, and what sharing saves.

use super::images::{created, shortened};
use crate::container::usage::{self, Disk};
use crate::error::Result;
use crate::image::Name;
use crate::narrate::listing::{self, Columns, Row, row};
use crate::narrate::units::decimal_short as size;
use crate::narrate::{self, Note};
use crate::state::Root;
use clap::Args;

#[derive(Debug, Args)]
pub struct Df {
    /// Show each image, container and volume.
    #[arg(short, long)]
    verbose: bool,
    /// table, json, or a template.
    #[arg(long, value_name = "FORMAT", conflicts_with = "verbose")]
    format: Option<String>,
}

const KINDS: Columns = Columns {
    all: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
    shown: 5,
};

const IMAGES: Columns = Columns {
    all: &[
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("ID", "IMAGE ID"),
        ("CreatedSince", "CREATED"),
        ("Size", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
        ("Containers", "CONTAINERS"),
    ],
    shown: 8,
};

const CONTAINERS: Columns = Columns {
    all: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Size", "SIZE"),
        ("Names", "NAMES"),
    ],
    shown: 6,
};

const VOLUMES: Columns =
    Columns { all: &[("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")], shown: 3 };

/// How much of a command is shown.
const COMMAND: usize = 18;

/// `minidocker system df`.
pub fn df(options: &Df, root: &Root) -> Result<u8> {
    let disk = usage::disk(root)?;
    if options.verbose {
        verbose(&disk)?;
    } else {
        listing::list(KINDS, &kinds(&disk), options.format.as_deref())?;
    }
    let total = &disk.total;
    if total.saved > 0 && options.format.is_none() {
        narrate::note(&Note::LayersShared { saved: size(total.saved), whole: size(total.bytes) });
    }
    disk.left.iter().for_each(narrate::report);
    Ok(u8::from(!disk.left.is_empty()))
}

/// One row for each kind of thing: how many, how many of them in use, bytes, and bytes that would be free without those
/// that are not.
fn kinds(disk: &Disk) -> Vec<Row> {
    let kind = |name: &str, total: usize, active: usize, bytes: u64, free: u64| {
        let share =
            (free * 100).checked_div(bytes).map(|percent| format!(" ({percent}%)")).unwrap_or_default();
        let texts = [
            name.to_owned(),
            total.to_string(),
            active.to_string(),
            size(bytes),
            format!("{}{share}", size(free)),
        ];
        row(KINDS, texts)
    };
    let images = disk.images.iter().filter(|usage| usage.containers > 0).count();
    let running = disk.containers.iter().filter(|container| container.running);
    let (active, busy) = running.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes));
    let written: u64 = disk.containers.iter().map(|container| container.bytes).sum();
    let used = disk.volumes.iter().filter(|volume| volume.links > 0);
    let (links, kept) = used.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes));
    let volumes: u64 = disk.volumes.iter().map(|volume| volume.bytes).sum();
    vec![
        kind("Images", disk.images.len(), images, disk.total.bytes, disk.total.reclaimable),
        kind("Containers", disk.containers.len(), active, written, written - busy),
        kind("Local Volumes", disk.volumes.len(), links, volumes, volumes - kept),
        kind("Build Cache", 0, 0, 0, 0),
    ]
}

fn verbose(disk: &Disk) -> Result<()> {
    let mut images = Vec::new();
    for usage in &disk.images {
        let mut names: Vec<Option<&Name>> = usage.image.names.iter().map(Some).collect();
        if names.is_empty() {
            names.push(None);
        }
        for name in names {
            let (repository, tag) = name.map_or(("<none>", "<none>"), |name| (name.repository(), name.tag()));
            images.push(row(
                IMAGES,
                [
                    repository.to_owned(),
                    tag.to_owned(),
                    usage.image.id.short(),
                    created(usage.image.config.created.as_deref()).1,
                    size(usage.image.size()),
                    size(usage.shared),
                    size(usage.unique()),
                    usage.containers.to_string(),
                ],
            ));
        }
    }
    let containers = disk.containers.iter().map(|one| {
        let (volumes, bytes) = (one.volumes.to_string(), size(one.bytes));
        let command = format!("{:?}", shortened(&one.argv.join(" "), COMMAND));
        row(CONTAINERS, [one.id.clone(), one.image.clone(), command, volumes, bytes, one.name.clone()])
    });
    let volumes = disk
        .volumes
        .iter()
        .map(|one| row(VOLUMES, [one.name.clone(), one.links.to_string(), size(one.bytes)]));
    section("Images", IMAGES, &images)?;
    section("Containers", CONTAINERS, &containers.collect::<Vec<_>>())?;
    section("Local Volumes", VOLUMES, &volumes.collect::<Vec<_>>())
}

fn section(name: &str, columns: Columns, rows: &[Row]) -> Result<()> {
    narrate::print(&format!("{name} space usage:\n"));
    listing::list(columns, rows, None)?;
    narrate::print("");
    Ok(())
}
