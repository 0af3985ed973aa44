//! Images made and given away: commit, import, save, export.

use super::super::each;
use crate::container::changes;
use crate::error::Result;
use crate::image::{self, Name, Store, save};
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Save {
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Who shall read it.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Names or ids.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// Everybody: a docker-archive that is an OCI image layout too
    #[default]
    Both,
    /// Readers of OCI image layouts
    Oci,
    /// Readers of docker-archives
    Docker,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name or id.
    container: String,
}

/// `minidocker save`: nothing is written before every image has been found.
pub fn save(options: &Save, root: &Root) -> Result<u8> {
    let format = match options.format {
        Format::Both => save::Format::Both,
        Format::Oci => save::Format::Oci,
        Format::Docker => save::Format::Docker,
    };
    each(&["save".to_owned()], |_| {
        let store = Store::open(root.path());
        let wanted = wanted(&store, &options.images)?;
        save::deliver(options.output.as_deref(), |out| {
            take(Step::Save, || save::save(&store, &wanted, format, out))
        })?;
        Ok(None)
    })
}

/// The images that `words` mean, each with those of its names that they say; one that is said by its id has none.
fn wanted(store: &Store, words: &[String]) -> Result<Vec<image::Listed>> {
    let mut wanted: Vec<image::Listed> = Vec::new();
    for word in words {
        let (name, manifest) = store.resolve(word)?.ok_or_else(|| image::unknown(store, word))?;
        let names = name.into_iter().collect::<Vec<Name>>();
        match wanted.iter_mut().find(|listed| listed.manifest == manifest) {
            Some(listed) => listed.names.extend(names),
            None => wanted.push(image::Listed { names, ..store.listed(&manifest)? }),
        }
    }
    for listed in &mut wanted {
        listed.names.sort();
        listed.names.dedup();
    }
    Ok(wanted)
}

/// `minidocker export`.
pub fn export(options: &Export, root: &Root) -> Result<u8> {
    each(std::slice::from_ref(&options.container), |word| {
        save::deliver(options.output.as_deref(), |out| {
            take(Step::Save, || changes::export(root, word, out))
        })?;
        Ok(None)
    })
}
