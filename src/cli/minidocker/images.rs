//! Images, made, kept and given away.

mod give;
mod list;
mod load;
mod remove;

pub use list::{created, shortened};

use crate::container::Parts;
use crate::error::{Error, ImageProblem, Problem, Result};
use crate::image::{self, Name, Store};
use crate::state::{Root, events};
use crate::step::{Step, take};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List images.
    Images(list::Ls),
    /// Remove images, or names of them.
    Rmi(remove::Rm),
    /// Give an image one more name.
    Tag(Tag),
    /// Show how an image came to be, layer by layer.
    History(list::History),
    /// Write images to an archive that minidocker load, docker load and readers of OCI layouts take.
    Save(give::Save),
    /// Load images from a tar archive or standard input.
    Load(load::Load),
    /// Make an image of what a container changed.
    Commit(give::Commit),
    /// Make an image of an archive of a root file system.
    Import(give::Import),
    /// Write all files of a container to an archive.
    Export(give::Export),
    /// Manage images.
    #[command(subcommand)]
    Image(Group),
}

#[derive(Debug, Subcommand)]
pub enum Group {
    /// List images.
    #[command(visible_alias = "list")]
    Ls(list::Ls),
    /// Remove images, or names of them.
    #[command(visible_alias = "remove")]
    Rm(remove::Rm),
    /// Give an image one more name.
    Tag(Tag),
    /// Show how an image came to be, layer by layer.
    History(list::History),
    /// Write images to an archive that minidocker load, docker load and readers of OCI layouts take.
    Save(give::Save),
    /// Load images from a tar archive or standard input.
    Load(load::Load),
    /// Make an image of an archive of a root file system.
    Import(give::Import),
    /// Make the image base again, from this machine's own programs.
    BuildBase,
    /// Show everything about images.
    Inspect {
        /// json, or a template.
        #[arg(short, long, value_name = "FORMAT")]
        format: Option<String>,
        /// Names or ids.
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Remove images that have no name and no container.
    Prune(remove::Prune),
}

#[derive(Debug, Args)]
pub struct Tag {
    /// A name or id.
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    source: String,
    /// The new name; an image that had it loses it.
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    target: String,
}

pub fn obey(verb: Verb, root: &Root, parts: &Parts) -> Result<u8> {
    match verb {
        Verb::Images(options) | Verb::Image(Group::Ls(options)) => list::images(&options, root),
        Verb::Rmi(options) | Verb::Image(Group::Rm(options)) => remove::rmi(&options, root),
        Verb::Tag(tag) | Verb::Image(Group::Tag(tag)) => give_name(&tag, root),
        Verb::History(options) | Verb::Image(Group::History(options)) => list::history(&options, root),
        Verb::Save(options) | Verb::Image(Group::Save(options)) => give::save(&options, root),
        Verb::Load(options) | Verb::Image(Group::Load(options)) => load::load(&options, root, parts),
        Verb::Image(Group::BuildBase) => load::build_base(root),
        Verb::Commit(options) => give::commit(&options, root, parts),
        Verb::Import(options) | Verb::Image(Group::Import(options)) => give::import(&options, root, parts),
        Verb::Export(options) => give::export(&options, root),
        Verb::Image(Group::Inspect { format, images }) => list::inspect(&images, format.as_deref(), root),
        Verb::Image(Group::Prune(options)) => remove::prune(&options, root),
    }
}

/// `minidocker tag`.
fn give_name(tag: &Tag, root: &Root) -> Result<u8> {
    super::each(std::slice::from_ref(&tag.source), |word| {
        let target = name(&tag.target)?;
        let store = Store::open(root.path());
        take(Step::Keep, || {
            let mut adding = store.change()?;
            let (_, manifest) = store.resolve(word)?.ok_or_else(|| image::unknown(&store, word))?;
            adding.tag(&target, &manifest)?;
            adding.finish()
        })?;
        note(root, "tag", &target.to_string());
        Ok(None)
    })
}

/// Note what happened to an image, by its name or its id.
fn note(root: &Root, action: &str, image: &str) {
    events::record(root, events::Kind::Image, action, image, &[("name", image)]);
}

/// What a person typed as a new name.
fn name(text: &str) -> Result<Name> {
    let bad = || Error::new(Problem::Image(ImageProblem::BadImageName { text: text.to_owned() }));
    Name::parse(text).ok_or_else(bad)
}

fn bad_filter(text: &str) -> Error {
    Error::new(Problem::Image(ImageProblem::BadImageFilter { text: text.to_owned() }))
}
