//! Images made and given away: commit, import, save, export.

use super::super::each;
use crate::container::{Parts, changes, commit};
use crate::error::Result;
use crate::image::{self, Name, Store, import, save};
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Commit {
    /// Who made it: "Ada <ada@example.org>".
    #[arg(short, long, value_name = "NAME", default_value = "")]
    author: String,
    /// A change of the image, as in a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR.
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// What was done.
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    message: String,
    /// Pause the container meanwhile.
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pause: bool,
    /// Name or id.
    container: String,
    /// What it shall be called.
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
}

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
pub struct Import {
    /// A change of the image, as in a Dockerfile.
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// What was done.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// An archive of a root file system, compressed or not; - for standard input.
    file: PathBuf,
    /// What it shall be called.
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name or id.
    container: String,
}

/// `minidocker commit`.
pub fn commit(options: &Commit, root: &Root, parts: &Parts) -> Result<u8> {
    each(std::slice::from_ref(&options.container), |word| {
        let wishes = commit::Wishes {
            name: options.name.as_deref().map(super::name).transpose()?,
            author: options.author.clone(),
            message: options.message.clone(),
            changes: options.change.clone(),
            pause: options.pause,
        };
        let id = commit::commit(root, word, &wishes, parts)?.to_string();
        super::note(root, "create", &id);
        Ok(Some(id))
    })
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

/// `minidocker import`.
pub fn import(options: &Import, root: &Root, parts: &Parts) -> Result<u8> {
    each(&[options.file.display().to_string()], |word| {
        let name = options.name.as_deref().map(super::name).transpose()?;
        let path = Some(options.file.as_path()).filter(|_| word != "-");
        let message = options.message.as_deref().unwrap_or("Imported from -");
        let store = Store::open(root.path());
        let unpacking = &parts.unpacking();
        let id = import::import(&store, path, &options.change, message, name.as_ref(), unpacking)?;
        super::note(root, "import", &id.to_string());
        Ok(Some(id.to_string()))
    })
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
