//! Images taken in: the verbs load and image build-base.

use crate::container::Parts;
use crate::error::Result;
use crate::image::{self, Loaded, Store};
use crate::narrate;
use crate::state::Root;
use crate::step::{Step, take};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Load {
    /// Read from this archive, or from an OCI layout that is a directory, instead of standard input.
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Suppress the load output.
    #[arg(short, long)]
    quiet: bool,
}

/// Failures of this verb have the status 1, as with Docker.
pub fn load(options: &Load, root: &Root, parts: &Parts) -> Result<u8> {
    match image::load(&Store::open(root.path()), options.input.as_deref(), &parts.unpacking()) {
        Ok(loaded) => loaded.iter().for_each(tell),
        Err(error) => {
            narrate::report(&error);
            return Ok(1);
        }
    }
    Ok(0)
}

fn tell(loaded: &Loaded) {
    for (name, before) in &loaded.renamed {
        let renamed = "already exists, renaming the old one with ID";
        narrate::print(&format!("The image {name} {renamed} {before} to empty string"));
    }
    for name in &loaded.names {
        narrate::print(&format!("Loaded image: {name}"));
    }
    if loaded.names.is_empty() {
        narrate::print(&format!("Loaded image ID: {}", loaded.id));
    }
}

/// `minidocker image build-base`; it prints the new image's id.
pub fn build_base(root: &Root) -> Result<u8> {
    let store = Store::open(root.path());
    let image = take(Step::Image, || image::build_base(&store, true))?;
    narrate::print(&image.id.to_string());
    Ok(0)
}
